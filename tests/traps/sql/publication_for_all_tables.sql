-- trap: a publication for all tables, as Debezium and DMS make it, and tables without a key
-- versions: 14 15 16 17
-- outcome: green
-- says: publications that the master may not drop: .*dbz_publication
-- allowed: app | shop | INSERT INTO tp_nokey VALUES (1)
-- as: shop_owner in shop
CREATE TABLE tp_nokey (id int);
-- as: superuser in shop
CREATE PUBLICATION dbz_publication FOR ALL TABLES;
