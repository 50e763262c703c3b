"""The hop: every AWS call of a function passes through it, is recorded, and can be made to go wrong."""
