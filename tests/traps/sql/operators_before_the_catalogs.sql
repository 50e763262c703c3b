-- trap: sessions of a database find an owner's operators before PostgreSQL's: what the proof asks itself is not theirs to answer
-- versions: 14 15 16 17
-- outcome: green
-- says: to read is not tried: oc\.fails \(22012 DivisionByZero\)
-- alone: the operators are in the way of what others plant
-- as: shop_owner in shop
CREATE SCHEMA oc;
CREATE FUNCTION oc.same(a oid, b int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION oc.same(a name, b name) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OPERATOR oc.= (leftarg = oid, rightarg = int, function = oc.same);
CREATE OPERATOR oc.= (leftarg = name, rightarg = name, function = oc.same);
CREATE VIEW oc.fails AS SELECT 1 / (random() * 0)::int AS n WHERE 1 / (random() * 0)::int > 0;
ALTER DATABASE shop SET search_path = oc, pg_catalog, public;
