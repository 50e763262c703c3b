"""What happened in the local cloud, written down for tests and people: rights that calls needed, messages sent."""
