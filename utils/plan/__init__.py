"""From a request to an operation: the snapshot, the settings, every check before anything is destroyed."""
