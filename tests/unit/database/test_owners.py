"""Devops users alter what the application is made of; nothing of the application runs as the master."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.judge import who_can_log_in
from tests.unit.database.production import MASTER, PASSWORDS, USERS, Restored, create_login
from tests.unit.database.traps import DEEP
from tests.unit.database.versions import ALL, DEFAULT, skip_unless_installed
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.setup import SetupOutcome, set_up_users
from utils.errors import DatabaseChangeRefused

ROLES = """
    CREATE ROLE app LOGIN;
    CREATE ROLE builder LOGIN;
    CREATE ROLE strong_owner CREATEROLE;
    CREATE ROLE weakened CREATEROLE
"""
# What the master may not take from an owner.
BY_SUPERUSER = "ALTER ROLE strong_owner BYPASSRLS"
# The application's login made tables and a routine that runs what it is given; the master made the rest.
SHOP = """
    GRANT CREATE ON DATABASE shop TO builder;
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int);
    CREATE FUNCTION shop.attack(what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE what; END';
    ALTER SCHEMA shop OWNER TO app; ALTER TABLE shop.orders OWNER TO app;
    ALTER FUNCTION shop.attack(text) OWNER TO app;
    CREATE SCHEMA built AUTHORIZATION builder;
    CREATE TABLE built.bricks (id int); ALTER TABLE built.bricks OWNER TO builder;
    CREATE SCHEMA strong AUTHORIZATION strong_owner;
    CREATE TABLE strong.things (id int); ALTER TABLE strong.things OWNER TO strong_owner;
    CREATE SCHEMA weakened AUTHORIZATION weakened;
    CREATE TABLE weakened.things (id int); ALTER TABLE weakened.things OWNER TO weakened;
    CREATE SCHEMA masters AUTHORIZATION dba;
    SET ROLE dba;
    CREATE TABLE masters.leads (id int);
    CREATE VIEW masters.seen AS SELECT id FROM masters.leads;
    CREATE MATERIALIZED VIEW masters.counted AS SELECT count(*) FROM masters.seen;
    CREATE FUNCTION masters.plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION masters.as_master() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
    CREATE FUNCTION masters.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
    RESET ROLE;
    CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION masters.watch()
"""
OF_DEVOPS = [
    "ALTER TABLE shop.orders ADD COLUMN note text",
    "ALTER TABLE masters.leads ADD COLUMN note text",
    "ALTER TABLE built.bricks ADD COLUMN note text",
    "CREATE INDEX ON built.bricks (id)",
    # Its owner makes no roles any more.
    "ALTER TABLE weakened.things ADD COLUMN note text",
    "CREATE OR REPLACE VIEW masters.seen AS SELECT id, 1 AS one FROM masters.leads",
    "REFRESH MATERIALIZED VIEW masters.counted",
    "CREATE OR REPLACE FUNCTION masters.plain() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    # It runs as the weak owner now.
    "CREATE OR REPLACE FUNCTION masters.as_master() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 2'",
    "CREATE TABLE shop.of_devops (id int); ALTER TABLE shop.of_devops OWNER TO aurora_restore_owner; "
    "DROP TABLE shop.of_devops",
    "ALTER TABLE masters.leads RENAME TO old_leads; ALTER TABLE masters.old_leads RENAME TO leads",
]
NOT_OF_DEVOPS = [
    "ALTER TABLE strong.things ADD COLUMN note text",
    "CREATE OR REPLACE FUNCTION masters.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "CREATE SCHEMA mine",
    "ALTER DATABASE shop SET work_mem = '1MB'",
    "ALTER DATABASE built OWNER TO devops",
    "SET ROLE strong_owner",
    "ALTER TABLE shop.orders OWNER TO dba",
]
NOT_OF_THE_APPLICATIONS_ROUTINE = [
    "CREATE ROLE friend",
    "SELECT rolpassword FROM pg_authid",
    "GRANT rds_superuser TO app",
    "ALTER ROLE dba PASSWORD 'Planted-Pa55'",
    "CREATE SCHEMA mine",
    "ALTER TABLE strong.things ADD COLUMN note text",
    "SET ROLE dba",
]


@dataclass
class Shop:
    """The shop's server after the set-up, and what the set-up told."""

    server: Restored
    outcome: SetupOutcome


@pytest.fixture(scope="module", params=ALL if DEEP else DEFAULT)
def shop(farm: PostgresFarm, request: pytest.FixtureRequest) -> Iterator[Shop]:
    skip_unless_installed(request.param)
    name = f"owners-{request.param}"
    server = farm.new_server(farm.new_volume(name), request.param, name, None)
    server.initialise(farm.empty_database(request.param), ProductionMaster(MASTER, PASSWORDS[MASTER], "shop"))
    server.start(MASTER)
    restored = Restored(farm, server, farm._log_dir / f"{name}.log")
    restored.run(MASTER, "postgres", ROLES)
    restored.run(MASTER, "postgres", "CREATE DATABASE built")
    restored.run(ADMIN, "postgres", "ALTER DATABASE built OWNER TO builder")
    restored.run(ADMIN, "shop", f"{SHOP}; {BY_SUPERUSER}")
    yield Shop(restored, restored.set_up())
    farm.remove_server(server)


@pytest.mark.parametrize("statement", OF_DEVOPS)
def test_devops_alters_what_the_application_and_the_master_made(shop: Shop, statement: str) -> None:
    assert shop.server.is_allowed("devops", "shop", statement)


@pytest.mark.parametrize("statement", NOT_OF_DEVOPS)
def test_devops_changes_nothing_that_runs_as_the_master_or_is_larger_than_a_schema(shop: Shop, statement: str) -> None:
    assert not shop.server.is_allowed("devops", "shop", statement)


@pytest.mark.parametrize("user", ["app", "reader"])
@pytest.mark.parametrize("table", ["shop.orders", "masters.leads", "built.bricks"])
def test_the_others_alter_and_drop_nothing(shop: Shop, user: str, table: str) -> None:
    assert not shop.server.is_allowed(user, "shop", f"ALTER TABLE {table} ADD COLUMN mine int")
    assert not shop.server.is_allowed(user, "shop", f"DROP TABLE {table}")


def test_the_applications_routine_still_works_with_the_applications_rights(shop: Shop) -> None:
    for table in ("shop.orders", "masters.leads", "built.bricks", "strong.things"):
        assert shop.server.is_allowed("app", "shop", f"SELECT shop.attack('INSERT INTO {table} VALUES (1)')")


@pytest.mark.parametrize("statement", NOT_OF_THE_APPLICATIONS_ROUTINE)
def test_the_applications_routine_does_not_run_as_the_master(shop: Shop, statement: str) -> None:
    attack = "SELECT shop.attack('" + statement.replace("'", "''") + "')"
    assert not shop.server.is_allowed("app", "shop", attack)


def test_what_the_owner_role_creates_later_is_open_to_the_users(shop: Shop) -> None:
    shop.server.run("devops", "shop", f"SET ROLE {OWNER_ROLE}; CREATE TABLE shop.later (id int)")
    assert shop.server.is_allowed("app", "shop", "INSERT INTO shop.later VALUES (1)")
    assert shop.server.is_allowed("reader", "shop", "SELECT * FROM shop.later")
    assert not shop.server.is_allowed("app", "shop", "DROP TABLE shop.later")


def test_the_proof_tells_whose_objects_devops_cannot_alter(shop: Shop) -> None:
    assert shop.outcome.proofs["devops"][2] == (
        "shop: logs in, can read, can write, can alter, can create tables (5 tables); "
        "cannot alter what strong_owner owns, which has more rights than devops may get"
    )


def test_a_login_that_is_kept_still_connects_to_the_database_that_it_owned_but_is_no_owner_role(
    restored: Restored,
) -> None:
    restored.run(MASTER, "postgres", f"CREATE ROLE {OWNER_ROLE}; GRANT {OWNER_ROLE} TO shop_owner")
    restored.run(ADMIN, "shop", "REVOKE ALL ON DATABASE shop FROM PUBLIC")
    set_up_users(restored.master, USERS, keep_logins=["shop_owner"])
    assert restored.can_log_in("shop_owner", "shop")
    assert restored.is_allowed("shop_owner", "shop", "ALTER TABLE customers ADD COLUMN note text")
    assert not restored.is_allowed("shop_owner", "shop", f"SET ROLE {OWNER_ROLE}")


def test_a_role_of_its_name_that_cannot_be_put_right_stops_the_run(restored: Restored) -> None:
    create_login(restored, "reader")
    restored.run(ADMIN, "postgres", f"CREATE ROLE {OWNER_ROLE} SUPERUSER")
    with pytest.raises(
        DatabaseChangeRefused, match=f"role {OWNER_ROLE} that came with the snapshot, a superuser"
    ) as no:
        restored.set_up()
    assert "rename that role in the source" in str(no.value)
    assert who_can_log_in(restored) == set()
