-- trap: tables whose default, check, domain, index, partition key, rule or condition of a trigger calls what only a login of production's may run
-- versions: 14 15 16 17
-- outcome: green
-- says: cannot write where that calls what is not the user's to run: cf\.checked \(calls cf\.fits\(integer\)\), cf\.conditional .*, cf\.defaulted .*, cf\.derived .*, cf\.domained .*, and 3 more
-- as: shop_owner in shop
CREATE SCHEMA cf;
CREATE FUNCTION cf.fits(n int) RETURNS boolean LANGUAGE sql IMMUTABLE SECURITY DEFINER AS 'SELECT true';
REVOKE ALL ON FUNCTION cf.fits(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cf.fits(int) TO api;
CREATE FUNCTION cf.passes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE DOMAIN cf.fitting AS int CHECK (cf.fits(VALUE));
CREATE TABLE cf.checked (n int CHECK (cf.fits(n)));
CREATE TABLE cf.conditional (n int);
CREATE TRIGGER passes BEFORE INSERT ON cf.conditional FOR EACH ROW WHEN (cf.fits(NEW.n)) EXECUTE FUNCTION cf.passes();
CREATE TABLE cf.defaulted (b boolean DEFAULT cf.fits(1));
CREATE TABLE cf.derived (n int, b boolean GENERATED ALWAYS AS (cf.fits(n)) STORED);
CREATE TABLE cf.domained (n cf.fitting);
CREATE TABLE cf.indexed (n int);
CREATE INDEX ON cf.indexed ((cf.fits(n)));
CREATE TABLE cf.partitioned (n int) PARTITION BY LIST ((cf.fits(n)));
CREATE TABLE cf.ruled (n int);
CREATE RULE also AS ON INSERT TO cf.ruled DO ALSO SELECT cf.fits(1);
