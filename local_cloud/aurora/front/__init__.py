"""The way in: the HTTP endpoint, authorization, and from a call to its operation."""
