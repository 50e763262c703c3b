"""`./restore.sh fleet`: many restores at once, each a run of its own."""
