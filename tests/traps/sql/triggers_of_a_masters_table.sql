-- trap: the master has a table where the owner role may not create, with triggers and checks of its own: they run as who writes, and the table is left as it is
-- versions: 14 15 16 17
-- outcome: green
-- says: can read
-- allowed: app | shop | INSERT INTO noting.noted VALUES (2, 'x')
-- allowed: app | shop | DELETE FROM noting.noted WHERE id = 1
-- as: superuser in shop
CREATE SCHEMA noting;
GRANT USAGE ON SCHEMA noting TO PUBLIC;
GRANT CREATE ON SCHEMA noting TO dba;
-- as: dba in shop
CREATE TABLE noting.noted (id int PRIMARY KEY, t text, parent int REFERENCES noting.noted);
CREATE FUNCTION noting.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_user = 'dba' THEN RAISE EXCEPTION 'ran as the master'; END IF; RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION noting.fits(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$;
ALTER TABLE noting.noted ADD CHECK (noting.fits(t));
INSERT INTO noting.noted VALUES (1, 'x');
CREATE TRIGGER notes BEFORE INSERT OR DELETE ON noting.noted FOR EACH ROW EXECUTE FUNCTION noting.note();
