"""What every step stands on: its frame, its services, its waiting, the lock on the target."""
