"""The real PostgreSQL servers behind the clusters."""
