-- trap: a range type whose function runs with its owner's rights, and PostgreSQL asks nobody for the right to run it
-- versions: 14 15 16 17
-- outcome: green
-- says: can read
-- refused: reader | shop | CREATE TEMP TABLE x (r ft.texts); CREATE INDEX ON x USING gist (r); INSERT INTO x SELECT ft.texts('a', 'b' || n) FROM generate_series(1, 2000) AS n
-- as: shop_owner in shop
CREATE SCHEMA ft;
CREATE TABLE ft.changed (id int);
CREATE FUNCTION ft.empties() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM ft.changed; END';
CREATE FUNCTION ft.difference(a text, b text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS
    'BEGIN PERFORM ft.empties(); RETURN 1; END';
CREATE TYPE ft.texts AS RANGE (subtype = text, subtype_diff = ft.difference);
