"""The inside of the restored database, through psycopg2; `setup` puts the rooms below in their order."""
