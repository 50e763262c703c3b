"""Which roles there are and must be: the users, the owner role, production's owners, AWS's own."""
