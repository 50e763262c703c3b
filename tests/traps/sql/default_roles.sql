-- trap: sessions of the master begin in another role, by a setting of role, database, or both
-- versions: 14 15 16 17
-- outcome: green
-- last: what the master plants is planted by itself
-- says: sessions that begin in another role than the one that logs in: .*dba
-- as: superuser in postgres
ALTER ROLE dba SET role = 'shop_owner';
ALTER ROLE dba IN DATABASE shop SET role = 'shop_owner';
