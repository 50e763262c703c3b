-- trap: a database whose collation was made by another library
-- versions: 15 16 17
-- outcome: green
-- says: databases whose collation has another version now: .*crm \(2\.28\)
-- as: superuser in postgres
SET allow_system_table_mods = on;
UPDATE pg_database SET datcollversion = '2.28' WHERE datname = 'crm';
