"""The door of every cluster's server: ends TLS, judges IAM tokens, relays messages, and can go wrong on demand."""
