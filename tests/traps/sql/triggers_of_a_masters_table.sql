-- trap: the master has a table where the owner role may not create, with triggers and checks of its own: they run as who writes, and the table is left as it is
-- versions: 14 15 16 17
-- outcome: green
-- says: can read
-- allowed: app | shop | INSERT INTO tm.noted VALUES (2, 'x')
-- allowed: app | shop | DELETE FROM tm.noted WHERE id = 1
-- as: superuser in shop
CREATE SCHEMA tm;
GRANT USAGE ON SCHEMA tm TO PUBLIC;
GRANT CREATE ON SCHEMA tm TO dba;
-- as: dba in shop
CREATE TABLE tm.noted (id int PRIMARY KEY, t text, parent int REFERENCES tm.noted);
CREATE FUNCTION tm.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_user = 'dba' THEN RAISE EXCEPTION 'ran as the master'; END IF; RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION tm.fits(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$;
ALTER TABLE tm.noted ADD CHECK (tm.fits(t));
INSERT INTO tm.noted VALUES (1, 'x');
CREATE TRIGGER notes BEFORE INSERT OR DELETE ON tm.noted FOR EACH ROW EXECUTE FUNCTION tm.note();
