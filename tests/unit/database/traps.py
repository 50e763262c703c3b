"""A snapshot full of traps, made by a superuser and by a dozen roles."""

import os
from collections.abc import Iterator
from contextlib import closing

from psycopg2.sql import SQL, Composable, Identifier, Literal

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import MASTER, PASSWORDS, Restored, restore

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
SCHEMAS, TABLES = (50, 100) if DEEP else (4, 3)
OWNERS = [
    "owner_0",
    "Owner One",
    'owner "2"',
    "owner's",
    "100%s owner",
    "Ünï cödé 所有者",
    "owner;--",
    "{owner}",
    "OWNER",
    "owner\\9",
]
ODD_DATABASE = 'Odd "db" %s ü; --'
_ODD_QUOTED = '"' + ODD_DATABASE.replace('"', '""') + '"'
DATABASES = ["crm", "postgres", "shop", ODD_DATABASE]
PLANTED = "Planted-Trap-Pa55"

ROLES = f"""
    CREATE ROLE app LOGIN CREATEDB CREATEROLE NOINHERIT CONNECTION LIMIT 0 PASSWORD '{PLANTED}'
        VALID UNTIL '2001-01-01';
    CREATE ROLE reader LOGIN CREATEDB;
    CREATE ROLE devops LOGIN;
    CREATE ROLE grp;
    GRANT grp TO app WITH ADMIN OPTION;
    GRANT rds_superuser, pg_monitor TO app;
    GRANT "OWNER", owner_0 TO reader WITH ADMIN OPTION;
    CREATE ROLE rds_backdoor LOGIN PASSWORD '{PLANTED}' IN ROLE rds_superuser;
    CREATE ROLE aurora_restore_owner LOGIN CREATEROLE CREATEDB PASSWORD '{PLANTED}' IN ROLE rds_superuser, grp;
    ALTER ROLE aurora_restore_owner SET search_path = evil;
    GRANT aurora_restore_owner TO app, "Owner One" WITH ADMIN OPTION;
    GRANT devops TO "owner;--", grp;
    CREATE ROLE role_maker CREATEROLE;
    CREATE ROLE under_superuser IN ROLE rds_superuser;
    CREATE ROLE of_under_superuser IN ROLE under_superuser;
    ALTER ROLE app SET search_path = evil;
    ALTER ROLE reader SET default_transaction_read_only = off
"""
# What the master of Aurora could not do, but AWS, an upgrade or an older master could.
ROLES_BY_SUPERUSER = """
    SET allow_system_table_mods = on;
    ALTER ROLE devops BYPASSRLS;
    ALTER ROLE role_maker BYPASSRLS;
    ALTER ROLE reader SET log_statement = 'none';
    GRANT pg_write_all_data TO reader;
    CREATE ROLE rdstopmgr LOGIN;
    UPDATE pg_database SET datallowconn = false WHERE datname = 'closed'
"""
DATABASE_SETTINGS = f"""
    ALTER DATABASE shop OWNER TO app;
    ALTER DATABASE closed OWNER TO reader;
    ALTER DATABASE {_ODD_QUOTED} OWNER TO "OWNER";
    GRANT CREATE ON DATABASE shop TO "OWNER", "{{owner}}";
    ALTER ROLE app IN DATABASE shop SET work_mem = '64kB';
    REVOKE CONNECT ON DATABASE crm FROM PUBLIC;
    GRANT CREATE ON DATABASE crm TO reader
"""
BULK = """
    DO $$
    DECLARE owners text[] := {owners}; owner text; place text;
    BEGIN
        FOR s IN 1 .. {schemas} LOOP
            owner := owners[1 + s % array_length(owners, 1)];
            place := format('Schema %s "%%s"', s);
            EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', place, owner);
            FOR t IN 1 .. {tables} LOOP
                EXECUTE format('CREATE TABLE %I.%I (id serial, n int)', place, 'Table ''' || t || '''');
                EXECUTE format('ALTER TABLE %I.%I OWNER TO %I', place, 'Table ''' || t || '''',
                    owners[1 + (s + t) % array_length(owners, 1)]);
            END LOOP;
            -- A lock for each table of 50 schemas is more than a small server has room for.
            COMMIT;
        END LOOP;
    END $$
"""
# Rights, ownerships and ways out, the same in every database.
TRAPS = f"""
    SET allow_system_table_mods = on;
    CREATE SCHEMA aws_internal;
    CREATE TABLE aws_internal.state (id int);
    CREATE TABLE aws_internal.of_a_customer (id int);
    ALTER TABLE aws_internal.of_a_customer OWNER TO owner_0;
    CREATE SCHEMA app AUTHORIZATION app;
    CREATE TABLE app.carts (id serial PRIMARY KEY, owner name);
    ALTER TABLE app.carts OWNER TO app;
    CREATE FUNCTION app.add() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO app.carts DEFAULT VALUES';
    ALTER FUNCTION app.add() OWNER TO app;
    CREATE FUNCTION app.plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
    ALTER FUNCTION app.plain() OWNER TO "OWNER";
    REVOKE ALL ON FUNCTION app.plain() FROM PUBLIC;
    CREATE TYPE app.mood AS ENUM ('good');
    ALTER TYPE app.mood OWNER TO "OWNER";
    REVOKE ALL ON TYPE app.mood FROM PUBLIC;
    ALTER TABLE app.carts ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON app.carts TO app USING (owner = current_user) WITH CHECK (true);
    GRANT ALL ON app.carts TO reader WITH GRANT OPTION;
    GRANT UPDATE (owner) ON app.carts TO reader, PUBLIC;
    GRANT ALL ON SCHEMA app TO reader;
    SET ROLE reader;
    GRANT DELETE, TRUNCATE ON app.carts TO devops, PUBLIC;
    RESET ROLE;
    CREATE SCHEMA hidden AUTHORIZATION owner_0;
    CREATE TABLE hidden.secrets (id serial);
    ALTER TABLE hidden.secrets OWNER TO "OWNER";
    CREATE FUNCTION hidden.plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
    REVOKE ALL ON FUNCTION hidden.plain() FROM PUBLIC;
    ALTER FUNCTION hidden.plain() OWNER TO owner_0;
    CREATE FUNCTION hidden.of_app() RETURNS int LANGUAGE sql AS 'SELECT 1';
    ALTER FUNCTION hidden.of_app() OWNER TO app;
    REVOKE ALL ON SCHEMA hidden FROM owner_0;
    CREATE TABLE public.everybodys (id int);
    ALTER TABLE public.everybodys OWNER TO "Owner One";
    GRANT ALL ON public.everybodys TO PUBLIC;
    GRANT USAGE ON SEQUENCE app.carts_id_seq TO PUBLIC;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT CREATE ON SCHEMA public TO reader, app;
    ALTER DEFAULT PRIVILEGES FOR ROLE "OWNER" GRANT ALL ON TABLES TO reader, grp, PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE "OWNER" IN SCHEMA app GRANT ALL ON SEQUENCES TO reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE owner_0 REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT ALL ON TABLES TO grp;
    ALTER DEFAULT PRIVILEGES FOR ROLE dba GRANT INSERT ON TABLES TO reader;
    SELECT lo_create(4711);
    ALTER LARGE OBJECT 4711 OWNER TO owner_0;
    SELECT lo_create(4712);
    ALTER LARGE OBJECT 4712 OWNER TO app;
    GRANT ALL ON LARGE OBJECT 4711, 4712 TO PUBLIC, reader;
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER legacy FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
    GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO owner_0;
    ALTER SERVER legacy OWNER TO owner_0;
    GRANT USAGE ON FOREIGN SERVER legacy TO app;
    CREATE USER MAPPING FOR app SERVER legacy OPTIONS (user 'prod', password '{PLANTED}');
    CREATE USER MAPPING FOR PUBLIC SERVER legacy OPTIONS (user 'prod', password '{PLANTED}');
    GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO dba;
    CREATE SERVER of_an_owner FOREIGN DATA WRAPPER postgres_fdw;
    ALTER SERVER of_an_owner OWNER TO "{{owner}}";
    GRANT USAGE ON FOREIGN SERVER of_an_owner TO "OWNER";
    CREATE SCHEMA of_roles AUTHORIZATION role_maker;
    CREATE TABLE of_roles.of_role_maker (id serial);
    ALTER TABLE of_roles.of_role_maker OWNER TO role_maker;
    CREATE TABLE of_roles.of_under_superuser (id serial);
    ALTER TABLE of_roles.of_under_superuser OWNER TO of_under_superuser;
    CREATE TABLE of_roles.of_our_role (id serial);
    ALTER TABLE of_roles.of_our_role OWNER TO aurora_restore_owner;
    CREATE SCHEMA masters AUTHORIZATION dba;
    SET ROLE dba;
    CREATE TABLE masters."Odd ""Table"" %" (id serial, n int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id);
    CREATE TABLE masters.part PARTITION OF masters."Odd ""Table"" %" FOR VALUES FROM (0) TO (9);
    CREATE VIEW masters.seen AS SELECT id FROM masters.part;
    CREATE MATERIALIZED VIEW masters.counted AS SELECT count(*) FROM masters.seen;
    CREATE SEQUENCE masters.number;
    CREATE TYPE masters.mood AS ENUM ('good');
    CREATE TYPE masters.pair AS (a int, b int);
    CREATE TYPE masters.span AS RANGE (subtype = int);
    CREATE DOMAIN masters.positive AS int CHECK (VALUE > 0);
    CREATE FUNCTION masters.plain(VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE masters.act(INOUT n int) LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE masters.longest(text) (sfunc = textcat, stype = text);
    CREATE OPERATOR masters.=== (leftarg = int, rightarg = int, function = int4eq);
    CREATE COLLATION masters.plain_order FROM "C";
    CREATE STATISTICS masters.both ON id, n FROM masters.part;
    CREATE TEXT SEARCH CONFIGURATION masters.words (COPY = simple);
    CREATE FUNCTION masters.as_master() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
    SELECT lo_create(4713);
    RESET ROLE;
    CREATE FOREIGN TABLE app.remote (id int) SERVER legacy;
    ALTER FOREIGN TABLE app.remote OWNER TO owner_0;
    CREATE EXTENSION dblink;
    UPDATE pg_extension SET extowner = 'dba'::regrole WHERE extname = 'dblink';
    CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
    ALTER FUNCTION public.watch() OWNER TO dba;
    CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();
    CREATE FUNCTION public.tell() RETURNS event_trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM dblink_exec(''host=10.0.0.1'', ''SELECT 1''); END';
    CREATE EVENT TRIGGER tell ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION public.tell();
    UPDATE pg_event_trigger SET evtowner = 'dba'::regrole WHERE evtname = 'tell'
"""
SUBSCRIPTION = f"""
    SET allow_system_table_mods = on;
    CREATE SUBSCRIPTION from_production CONNECTION 'host=127.0.0.1 port=1 dbname=x user=x password={PLANTED}'
        PUBLICATION p WITH (connect = false);
    UPDATE pg_subscription SET subowner = 'dba'::regrole
"""


def make_traps(farm: PostgresFarm, major: int) -> Volume:
    """Make the data of a production in which everything is odd."""
    volume = farm.new_volume(f"traps-{major}")
    server = farm.new_server(volume, major, f"traps-{major}", None)
    server.initialise(farm.empty_database(major), ProductionMaster(MASTER, PASSWORDS[MASTER], "crm"))
    server.start(MASTER)
    production = Restored(farm, server, farm._log_dir / "none")
    for owner in OWNERS:
        create = SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(owner), Literal(PLANTED))
        _run(production, MASTER, "postgres", create)
    _run(production, MASTER, "postgres", ROLES)
    for database in ("shop", "closed", ODD_DATABASE):
        _run(production, MASTER, "postgres", SQL("CREATE DATABASE {}").format(Identifier(database)))
    _run(production, ADMIN, "postgres", DATABASE_SETTINGS)
    bulk = _bulk()
    for database in DATABASES:
        # The master of RDS can revoke CREATE on public in PostgreSQL 14, too.
        _run(production, ADMIN, database, "ALTER SCHEMA public OWNER TO dba")
        if database == "crm":
            _run(production, ADMIN, database, "ALTER SCHEMA public OWNER TO reader")
        if database != "postgres":
            _run(production, ADMIN, database, bulk)
        _run(production, ADMIN, database, TRAPS)
    _run(production, ADMIN, "shop", SUBSCRIPTION)
    if major < 16:
        _run(production, ADMIN, "postgres", 'GRANT dba TO "OWNER"')
    _run(production, ADMIN, "postgres", ROLES_BY_SUPERUSER)
    _run(production, ADMIN, "postgres", "ALTER SYSTEM SET log_statement = 'all'")
    server.stop()
    return volume


def restore_traps(farm: PostgresFarm, volume: Volume, major: int, name: str) -> Iterator[Restored]:
    """Start a server on a copy of the traps, and remove it afterwards."""
    yield from restore(farm, volume, name, major)


def _bulk() -> SQL:
    array = "ARRAY[" + ", ".join("'" + owner.replace("'", "''") + "'" for owner in OWNERS) + "]"
    filled = BULK.replace("{schemas}", str(SCHEMAS)).replace("{tables}", str(TABLES)).replace("{owners}", array)
    return SQL(filled)


def _run(production: Restored, user: str, database: str, statements: str | Composable) -> None:
    with closing(production.connect(user, database)) as connection, connection.cursor() as cursor:
        for statement in statements.split(";\n") if isinstance(statements, str) else [statements]:
            cursor.execute(statement)
