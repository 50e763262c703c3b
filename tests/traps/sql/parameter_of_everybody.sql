-- trap: everybody may set a parameter of a superuser's, and the master may not take that
-- versions: 15 16 17
-- outcome: green
-- says: sets, as everybody, also log_statement
-- as: superuser in postgres
GRANT SET ON PARAMETER log_statement TO PUBLIC;
