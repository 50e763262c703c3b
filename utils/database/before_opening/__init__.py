"""What runs while only the master can log in: the request's scripts and checks."""
