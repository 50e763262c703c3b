"""What runs prove: reports, their signatures, and drills over time."""
