"""What is restored: which snapshot of the source, or the source cluster itself."""
