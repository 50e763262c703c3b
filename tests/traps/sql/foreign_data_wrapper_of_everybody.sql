-- trap: everybody may make foreign servers, a way out that the master may not close
-- versions: 14 15 16 17
-- outcome: refused
-- says: ways out that the master may not close: shop: everybody's right to make foreign servers with postgres_fdw
-- as: superuser in shop
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO PUBLIC;
