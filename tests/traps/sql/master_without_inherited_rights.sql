-- trap: the master does not inherit the rights of the roles that it is a member of
-- versions: 14 15 16 17
-- outcome: green
-- says: shop: logs in, can read, can write
-- as: superuser in postgres
ALTER ROLE dba NOINHERIT;
