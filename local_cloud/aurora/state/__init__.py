"""What exists in each account and Region, and how answers show it."""
