-- trap: the master has tables where the owner role may not create, and a foreign key changes their rows: a trigger of the master's that calls others, a partition key, a trigger of a partition that is another's
-- versions: 14 15 16 17
-- outcome: refused
-- says: fk\.child \(calls fk\.on_delete\(\) of dba\)
-- says: fk\.parted \(calls fk_code\.calm\(integer\) of shop_owner\)
-- says: fk_code\.leaf \(calls fk_code\.on_delete\(\) of shop_owner\)
-- as: superuser in shop
CREATE SCHEMA fk;
GRANT USAGE ON SCHEMA fk TO PUBLIC;
GRANT CREATE ON SCHEMA fk TO dba;
-- as: shop_owner in shop
CREATE SCHEMA fk_code;
GRANT USAGE ON SCHEMA fk_code TO PUBLIC;
CREATE FUNCTION fk_code.plant() RETURNS void LANGUAGE plpgsql AS
    'BEGIN IF current_user = ''dba'' THEN CREATE ROLE fk_backdoor LOGIN; END IF; END';
CREATE FUNCTION fk_code.calm(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM fk_code.plant(); RETURN n; END';
CREATE FUNCTION fk_code.on_delete() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM fk_code.plant(); RETURN OLD; END';
CREATE TABLE fk_code.parent (id int PRIMARY KEY);
GRANT REFERENCES ON fk_code.parent TO dba;
INSERT INTO fk_code.parent VALUES (1), (2), (3);
CREATE TABLE fk_code.leaf (id int);
CREATE TRIGGER waits BEFORE DELETE ON fk_code.leaf FOR EACH ROW EXECUTE FUNCTION fk_code.on_delete();
-- as: dba in shop
CREATE TABLE fk.child (id int REFERENCES fk_code.parent ON DELETE CASCADE);
INSERT INTO fk.child VALUES (1);
CREATE FUNCTION fk.on_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM fk_code.plant(); RETURN OLD; END';
CREATE TRIGGER waits BEFORE DELETE ON fk.child FOR EACH ROW EXECUTE FUNCTION fk.on_delete();
CREATE TABLE fk.parted (id int REFERENCES fk_code.parent ON UPDATE CASCADE) PARTITION BY LIST (fk_code.calm(id));
CREATE TABLE fk.part PARTITION OF fk.parted FOR VALUES IN (2, 20);
CREATE TABLE fk.spread (id int REFERENCES fk_code.parent ON DELETE CASCADE) PARTITION BY LIST (id);
-- as: superuser in shop
ALTER TABLE fk.spread ATTACH PARTITION fk_code.leaf FOR VALUES IN (3);
