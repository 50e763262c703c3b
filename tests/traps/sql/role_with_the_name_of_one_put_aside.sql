-- trap: production has a role by the name that the set-up gives to what it puts aside, which logs in, makes roles, and owns code
-- versions: 14 15 16 17
-- outcome: green
-- says: CREATEROLE
-- refused: app | shop | SELECT pn.sudo('CREATE ROLE pn_backdoor LOGIN')
-- refused: devops | shop | SELECT pn.sudo('CREATE ROLE pn_backdoor LOGIN')
-- refused: app | shop | DELETE FROM pn.parent
-- alone: a role of that name counts as put aside in what others compare
-- as: dba in postgres
CREATE ROLE pn_maker LOGIN CREATEROLE;
-- as: superuser in shop
GRANT CREATE ON DATABASE shop TO pn_maker;
DO $$ BEGIN
    EXECUTE format('ALTER ROLE pn_maker RENAME TO %I', 'of_production_' || 'pn_maker'::regrole::oid);
    EXECUTE format('SET ROLE %I', (SELECT rolname FROM pg_roles WHERE rolname = 'of_production_' || oid));
    CREATE SCHEMA pn;
    CREATE FUNCTION pn.sudo(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE t; END';
    CREATE FUNCTION pn.on_delete() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN CREATE ROLE pn_backdoor LOGIN; RETURN OLD; END';
    CREATE TABLE pn.parent (id int PRIMARY KEY);
    CREATE TABLE pn.child (id int PRIMARY KEY REFERENCES pn.parent ON DELETE CASCADE);
    INSERT INTO pn.parent VALUES (1);
    INSERT INTO pn.child VALUES (1);
    CREATE TRIGGER waits BEFORE DELETE ON pn.child FOR EACH ROW EXECUTE FUNCTION pn.on_delete();
END $$;
