"""The users of the restored database: roles, grants, logins that came along, and the proof of it all."""
