"""The processes in which the functions run: as in Lambda, each with nothing but its own."""
