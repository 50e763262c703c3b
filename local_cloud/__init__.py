"""The embedded AWS of this machine: real templates and real PostgreSQL on 127.0.0.1."""
