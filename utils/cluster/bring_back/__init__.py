"""Bringing the old target back from its final snapshot, once the new cluster has failed for good."""
