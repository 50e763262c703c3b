"""The row of an operation: its model, the store it is kept in, and its audit trail."""
