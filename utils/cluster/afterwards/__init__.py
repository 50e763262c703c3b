"""What becomes of a restored cluster after its run: an operation of its own stops it, or deletes it."""
