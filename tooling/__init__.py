"""What the scripts of this repository stand on: their Python environments."""
