-- trap: the master may have one session at a time
-- versions: 14 15 16 17
-- outcome: 14 15 green, 16 17 refused
-- says: CONNECTION LIMIT 1
-- as: superuser in postgres
ALTER ROLE dba CONNECTION LIMIT 1;
