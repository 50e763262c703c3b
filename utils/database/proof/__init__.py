"""The proof that each user can do what its profile says, and nothing else."""
