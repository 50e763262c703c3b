-- trap: a database whose owner has taken the right to connect from itself, and given a role of a user's name everything
-- versions: 14 15 16 17
-- outcome: green
-- says: dc_closed: logs in, can read, cannot write
-- alone: it has a role of a user's name
-- refused: reader | dc_closed | INSERT INTO public.dc_table VALUES (1)
-- refused: reader | dc_closed | CREATE SCHEMA dc_schema
-- as: dba in postgres
CREATE ROLE reader;
-- as: superuser in postgres
CREATE DATABASE dc_closed OWNER shop_owner;
-- as: shop_owner in dc_closed
CREATE TABLE public.dc_table (id int);
GRANT ALL ON public.dc_table TO PUBLIC, reader;
REVOKE ALL ON DATABASE dc_closed FROM PUBLIC, shop_owner;
GRANT ALL ON DATABASE dc_closed TO reader;
