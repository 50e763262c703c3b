-- trap: an owner was granted everything on a table of the master's, and on all that the master creates: who acts for that owner could put triggers there
-- versions: 14 15 16 17
-- outcome: green
-- says: can read
-- allowed: devops | shop | INSERT INTO tm.config VALUES (1); DELETE FROM tm.config
-- refused: devops | shop | CREATE TRIGGER runs BEFORE INSERT ON tm.config FOR EACH ROW EXECUTE FUNCTION tm_code.runs()
-- refused: devops | shop | CREATE TABLE public.refers (id int REFERENCES tm.config)
-- refused: app | shop | CREATE TRIGGER runs BEFORE INSERT ON tm.config FOR EACH ROW EXECUTE FUNCTION tm_code.runs()
-- as: superuser in shop
CREATE SCHEMA tm;
GRANT USAGE ON SCHEMA tm TO PUBLIC;
GRANT CREATE ON SCHEMA tm TO dba;
-- as: dba in shop
CREATE TABLE tm.config (id int PRIMARY KEY);
GRANT ALL ON tm.config TO shop_owner;
GRANT REFERENCES (id) ON tm.config TO analyst;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO shop_owner;
-- as: shop_owner in shop
CREATE SCHEMA tm_code;
CREATE FUNCTION tm_code.runs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
