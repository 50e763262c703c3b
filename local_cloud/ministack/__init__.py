"""The processes of a running local cloud: a supervisor, the server in it, and the Lambda workers."""
