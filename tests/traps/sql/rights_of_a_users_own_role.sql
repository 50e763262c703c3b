-- trap: production's role of a user's name has a superuser's parameter and a foreign data wrapper, which nobody can take from it
-- versions: 15 16 17
-- outcome: green
-- says: shop: logs in
-- refused: reader | shop | SET session_replication_role = replica
-- refused: reader | shop | CREATE SERVER ro_out FOREIGN DATA WRAPPER postgres_fdw
-- as: superuser in shop
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE ROLE reader;
GRANT reader TO dba WITH ADMIN OPTION;
GRANT SET ON PARAMETER session_replication_role TO reader;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO reader;
