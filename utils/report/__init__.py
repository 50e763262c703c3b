"""What people and machines read about an operation: texts and numbers, computed without a call."""
