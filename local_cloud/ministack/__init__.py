"""The processes of a running local cloud: a supervisor, and the server in it."""
