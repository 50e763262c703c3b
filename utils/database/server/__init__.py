"""The connection to the server: TLS, statements, one set-up at a time."""
