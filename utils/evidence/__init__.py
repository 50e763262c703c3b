"""Evidence of an operation, for people who were not there: what was done and proven, what was not, and a signature."""
