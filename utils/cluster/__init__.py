"""What several steps do to clusters and snapshots, and how they tell what is the operation's own."""
