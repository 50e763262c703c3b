"""What of the local cloud knows this project: its deployment, its executions, the shop it restores."""
