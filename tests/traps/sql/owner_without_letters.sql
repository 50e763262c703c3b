-- trap: a LATIN1 database, and an owner elsewhere whose name it has no letters for
-- versions: 14 15 16 17
-- outcome: green
-- says: ow_western: logs in
-- as: superuser in postgres
CREATE DATABASE ow_western OWNER dba TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
-- as: superuser in ow_western
ALTER SCHEMA public OWNER TO dba;
-- as: dba in postgres
SET ROLE NONE;
CREATE ROLE "所有者";
-- as: superuser in shop
CREATE SCHEMA ow_owned AUTHORIZATION "所有者";
