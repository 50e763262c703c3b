-- trap: the master has a table where the owner role may not create, and others' code is behind it: in a check of a domain of its index, in a cast of a foreign key
-- versions: 14 15 16 17
-- outcome: refused
-- says: ic\.config \(calls ic_code\.fits\(text\) of shop_owner\), ic\.config \(calls ic_code\.to_int\(ic_code\.number\) of shop_owner\)
-- as: superuser in shop
CREATE SCHEMA ic;
GRANT USAGE ON SCHEMA ic TO PUBLIC;
GRANT CREATE ON SCHEMA ic TO dba;
-- as: shop_owner in shop
CREATE SCHEMA ic_code;
GRANT USAGE ON SCHEMA ic_code TO PUBLIC;
CREATE FUNCTION ic_code.plant() RETURNS void LANGUAGE plpgsql AS
    'BEGIN IF current_user = ''dba'' THEN CREATE ROLE ic_backdoor LOGIN; END IF; END';
CREATE FUNCTION ic_code.fits(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM ic_code.plant(); RETURN true; END';
CREATE DOMAIN ic_code.fitting AS text CHECK (ic_code.fits(VALUE));
CREATE TYPE ic_code.number AS ENUM ('1');
CREATE FUNCTION ic_code.to_int(n ic_code.number) RETURNS int LANGUAGE plpgsql AS
    'BEGIN PERFORM ic_code.plant(); RETURN 1; END';
CREATE CAST (ic_code.number AS int) WITH FUNCTION ic_code.to_int(ic_code.number) AS IMPLICIT;
-- as: dba in shop
CREATE TABLE ic.config (id int PRIMARY KEY, t text);
GRANT REFERENCES ON ic.config TO shop_owner;
CREATE INDEX ON ic.config ((t::ic_code.fitting));
-- as: shop_owner in shop
CREATE TABLE ic_code.refers (n ic_code.number REFERENCES ic.config);
