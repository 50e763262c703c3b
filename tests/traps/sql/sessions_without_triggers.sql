-- trap: sessions of a database fire no triggers and check no foreign keys
-- versions: 14 15 16 17
-- outcome: green
-- says: for a person: sessions that fire no triggers and check no foreign keys: RESET session_replication_role: .*st_replica \(replica\)
-- as: superuser in postgres
CREATE DATABASE st_replica OWNER shop_owner;
-- as: superuser in postgres
ALTER DATABASE st_replica SET session_replication_role = replica;
-- as: shop_owner in st_replica
CREATE TABLE public.st_table (id int);
