-- trap: a partitioned table with a foreign partition: to read it would call out
-- versions: 14 15 16 17
-- outcome: green
-- says: not tried: .*public\.fp_events \(has a foreign partition\)
-- as: superuser in shop
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER fp_archive FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
CREATE TABLE fp_events (id int) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE fp_events_0 PARTITION OF fp_events FOR VALUES FROM (0) TO (10) SERVER fp_archive;
ALTER SERVER fp_archive OWNER TO dba;
ALTER TABLE fp_events OWNER TO dba;
ALTER TABLE fp_events_0 OWNER TO dba;
