"""The ten steps, each a module named after its function and state; none imports another."""
