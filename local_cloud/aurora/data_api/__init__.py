"""The RDS Data API: SQL over HTTP, with a user's name and password from a secret."""
