"""The ten steps; each module is named after its function and state."""
