"""The set-up of the users as a whole, on servers as they come out of a snapshot."""

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from pydantic import SecretStr

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import LOGINS, MASTER, PASSWORDS, USERS, Restored, create_login, restore
from tests.unit.database.versions import MAJOR
from utils.database.access.script_login import ScriptWork
from utils.database.proof import by_statement
from utils.database.proof.trial import TimeForTrials
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.server import connection as connections
from utils.database.server.connection import DatabaseServer, Login, Master, connected
from utils.database.setup import SetupOutcome, password_of, set_up_users
from utils.errors import (
    DatabaseChangeRefused,
    DatabaseLoginRefused,
    DatabaseUnavailable,
    SecretInvalid,
    UsersNotProven,
)

MANY_TABLES_OF_APP = """
    DO $$
    BEGIN
        FOR n IN 1 .. 800 LOOP
            EXECUTE format('CREATE TABLE many.%I (id serial PRIMARY KEY)', 'Table {' || n || '} %s');
            EXECUTE format('ALTER TABLE many.%I OWNER TO app', 'Table {' || n || '} %s');
            COMMIT;
        END LOOP;
    END $$
"""

# What AWS, and so a superuser, owns in a customer's database: an extension, one of its tables, something of its own.
OF_AWS = """
    CREATE EXTENSION pg_stat_statements;
    CREATE TABLE public.spatial_ref_sys (id int);
    GRANT SELECT ON public.spatial_ref_sys TO PUBLIC;
    CREATE SCHEMA aws_internal;
    CREATE TABLE aws_internal.state (id int)
"""
# Tables that a statement with WHERE false would already disturb: by a trigger, and by a rule.
NO_DELETES = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''never''; END';
    CREATE TRIGGER refuse BEFORE DELETE ON customers FOR EACH STATEMENT EXECUTE FUNCTION refuse();
    CREATE RULE ignore AS ON DELETE TO sales.orders_1 DO INSTEAD NOTHING
"""
PROBES = "SELECT relname FROM pg_class WHERE relname LIKE 'aurora_restore_probe%'"
# Up to PostgreSQL 15 a membership has no options.
OPTIONS = " WITH INHERIT TRUE, SET FALSE" if MAJOR >= 16 else ""
NOWHERE = DatabaseServer(host="127.0.0.1", port=1)


def prove(restored: Restored, name: str) -> list[str]:
    user = next(user for user in USERS if user.name == name)
    ((master,),) = restored.run(MASTER, "shop", "SELECT oid FROM pg_roles WHERE rolname = current_user")
    return by_statement.prove(restored.address, ["shop"], user, password_of(user), [master])


def test_the_outcome_tells_what_was_done_and_proven(restored: Restored) -> None:
    outcome = restored.set_up()
    assert outcome.databases == ["crm", "postgres", "shop"]
    assert outcome.shut_out == sorted(LOGINS)
    assert (
        outcome.proofs["app"][2] == "shop: logs in, can read, can write, cannot alter, cannot create tables (5 tables)"
    )
    assert (
        outcome.proofs["reader"][2]
        == "shop: logs in, can read, cannot write, cannot alter, cannot create tables (5 tables)"
    )
    assert outcome.proofs["devops"][0] == "crm: logs in, can read, can write, can alter, can create tables (1 tables)"


def test_a_proof_leaves_nothing_behind(done: Restored) -> None:
    prove(done, "devops")
    prove(done, "app")
    assert done.run(MASTER, "shop", PROBES) == []


def test_a_second_run_proves_the_same_and_no_run_logs_a_password(restored: Restored) -> None:
    first, second = restored.set_up(), restored.set_up()
    assert (second.proofs, second.databases, second.shut_out) == (first.proofs, first.databases, [])

    log = restored.log.read_text()
    assert "ALTER ROLE" in log, "the server logs every statement"
    assert "SCRAM-SHA-256$" in log
    for password in PASSWORDS.values():
        assert password not in log


def test_users_of_the_same_names_that_came_along_are_taken_over(restored: Restored) -> None:
    create_login(restored, "reader", "CREATEDB CREATEROLE VALID UNTIL '2020-01-01'")
    restored.run(
        MASTER, "postgres", "ALTER ROLE reader PASSWORD 'Prods-old-Pa55'; ALTER ROLE reader SET work_mem = '64kB'"
    )

    outcome = restored.set_up()

    assert "reader" not in outcome.shut_out
    assert not restored.can_log_in("reader", "shop", "Prods-old-Pa55")
    query = "SELECT rolcreatedb, rolcreaterole, rolconfig FROM pg_roles WHERE rolname = 'reader'"
    assert restored.run(MASTER, "shop", query) == [(False, False, ["default_transaction_read_only=on"])]


def test_more_tables_of_the_application_than_the_server_has_locks_for_are_taken_over(restored: Restored) -> None:
    restored.run(ADMIN, "postgres", "ALTER SYSTEM SET max_locks_per_transaction = 10")
    restored.server.restart(MASTER)
    restored.run(MASTER, "postgres", "CREATE ROLE app")
    restored.run(ADMIN, "shop", "CREATE SCHEMA many AUTHORIZATION app")
    restored.run(ADMIN, "shop", MANY_TABLES_OF_APP)
    with pytest.raises(psycopg2.errors.OutOfMemory):
        restored.run(ADMIN, "shop", "REASSIGN OWNED BY app TO dba")
    restored.set_up()
    owners = (
        "SELECT relowner::regrole::text, count(*) FROM pg_class WHERE relnamespace = 'many'::regnamespace GROUP BY 1"
    )
    assert restored.run(ADMIN, "shop", owners) == [(OWNER_ROLE, 2400)]


def test_until_the_data_is_ready_not_even_a_user_of_our_names_gets_in_with_productions_password(
    restored: Restored,
) -> None:
    create_login(restored, "reader", "CREATEDB")
    restored.run(MASTER, "postgres", "ALTER ROLE reader PASSWORD 'Prods-old-Pa55'")
    assert restored.can_log_in("reader", "postgres", "Prods-old-Pa55")
    got_in: list[str] = []

    def look(_: Login) -> None:
        logins = {"reader": "Prods-old-Pa55"} | {name: PASSWORDS[name] for name in LOGINS}
        got_in.extend(name for name, password in logins.items() if restored.can_log_in(name, "postgres", password))

    set_up_users(restored.master, USERS, before_opening=ScriptWork(databases=["shop"], run=look))
    assert got_in == []


def test_the_master_logs_in_once_to_a_database_in_which_much_is_done(
    restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins: Counter[tuple[str, str]] = Counter()
    opened = connections._opened

    def counted(server: DatabaseServer, database: str, user: str, *more: Any) -> Any:
        logins[user, database] += 1
        return opened(server, database, user, *more)

    monkeypatch.setattr(connections, "_opened", counted)
    restored.set_up()
    assert {database: logins[MASTER, database] for database in ("shop", "crm")} == {"shop": 1, "crm": 1}
    # Before it is known that there is room, for the lock, and to be kept.
    assert logins[MASTER, "postgres"] <= 6


def test_a_script_of_the_masters_may_rename_a_database(restored: Restored) -> None:
    def rename(_: Login) -> None:
        with restored.master.in_database("postgres") as connection:
            connection.cursor().execute("ALTER DATABASE crm RENAME TO crm_of_dev")

    work = ScriptWork(databases=["shop"], as_master=True, run=rename)
    outcome = set_up_users(restored.master, USERS, before_opening=work)
    assert outcome.databases == ["crm_of_dev", "postgres", "shop"]
    assert restored.run("app", "crm_of_dev", "SELECT * FROM leads") == []


def test_sessions_of_productions_logins_are_ended(restored: Restored) -> None:
    with closing(restored.connect("api", "shop")) as session, session.cursor() as cursor:
        restored.set_up()
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")


@pytest.fixture(scope="module")
def odd(farm: PostgresFarm, production: Volume) -> Iterator[tuple[Restored, SetupOutcome]]:
    """A server with databases that are unlike the others, and the outcome of its set-up."""
    for server in restore(farm, production, "odd"):
        create_login(server, "reader", "CONNECTION LIMIT 0")
        create_login(server, "admin", "CREATEROLE")
        create_login(server, "service", by="admin")
        server.run("shop_owner", "shop", "GRANT CREATE, USAGE ON SCHEMA hr TO service")
        server.run("service", "shop", "CREATE TABLE hr.of_service (id int)")
        server.run(ADMIN, "shop", OF_AWS)
        server.run("shop_owner", "shop", NO_DELETES)
        server.run(
            "shop_owner", "shop", "GRANT CREATE ON SCHEMA public TO PUBLIC; REVOKE ALL ON DATABASE shop FROM PUBLIC"
        )
        server.run(MASTER, "crm", "DROP SCHEMA public CASCADE; CREATE SCHEMA own; CREATE TABLE own.leads (id int)")
        server.run(MASTER, "crm", "ALTER DATABASE crm SET default_transaction_read_only = on")
        yield server, server.set_up()


def test_a_database_that_is_closed_to_everybody_but_its_owner_is_set_up(odd: tuple[Restored, SetupOutcome]) -> None:
    restored, _ = odd
    assert restored.is_allowed("app", "shop", "SELECT * FROM customers")


def test_roles_that_another_administrator_made_are_shut_out_and_their_tables_granted(
    odd: tuple[Restored, SetupOutcome],
) -> None:
    restored, outcome = odd
    assert {"admin", "service"} <= set(outcome.shut_out)
    assert restored.is_allowed("app", "shop", "DELETE FROM hr.of_service")


def test_tables_that_forbid_deletes_are_proven_without_one(odd: tuple[Restored, SetupOutcome]) -> None:
    restored, outcome = odd
    assert outcome.proofs["app"][2].startswith("shop: logs in, can read, can write, cannot alter, cannot create tables")
    assert restored.is_allowed("app", "shop", "INSERT INTO customers (name) VALUES ('Barbara')")


def test_a_user_that_came_along_without_connections_gets_them(odd: tuple[Restored, SetupOutcome]) -> None:
    restored, _ = odd
    assert restored.can_log_in("reader", "shop")


def test_old_rights_of_everybody_to_create_in_public_are_taken(odd: tuple[Restored, SetupOutcome]) -> None:
    restored, _ = odd
    assert not restored.is_allowed("app", "shop", "CREATE TABLE mine (id int)")


def test_a_database_without_the_schema_public_is_set_up(odd: tuple[Restored, SetupOutcome]) -> None:
    _, outcome = odd
    assert outcome.proofs["reader"][0] == "crm: logs in, can read, cannot write, cannot alter (1 tables)"


def test_what_belongs_to_aws_in_a_database_is_left_to_aws(odd: tuple[Restored, SetupOutcome]) -> None:
    restored, _ = odd
    assert restored.is_allowed("app", "shop", "SELECT * FROM spatial_ref_sys")
    assert not restored.is_allowed("app", "shop", "SELECT pg_stat_statements_reset()")
    assert not restored.is_allowed("devops", "shop", "SELECT * FROM aws_internal.state")


def test_names_that_need_quotes_are_quoted(restored: Restored) -> None:
    name = """Ann's "own" user; --"""
    users = [DatabaseUser(profile=Profile.APPLICATION, name=name, password=SecretStr("Quoted-Pa55word"))]
    restored.run(MASTER, "postgres", """CREATE DATABASE "it's; odd" """)
    outcome = set_up_users(restored.master, users)
    assert len(outcome.proofs[name]) == 4
    assert restored.can_log_in(name, "it's; odd", "Quoted-Pa55word")


@pytest.mark.parametrize("name", [MASTER, "rdsadmin", "RDS_user", "rds_superuser", "pg_monitor", OWNER_ROLE])
def test_a_reserved_user_name_is_refused_before_anybody_connects(name: str) -> None:
    users = [*USERS[:2], DatabaseUser(profile=Profile.DEVOPS, name=name, password=SecretStr("Devops-Pa55word"))]
    with pytest.raises(SecretInvalid) as refused:
        set_up_users(Master(server=NOWHERE, name=MASTER, password=SecretStr("Planted-Pa55")), users)
    assert refused.value.field == "app-credentials, devops user, username"


def test_a_wrong_master_password_is_a_refused_login_without_the_password(done: Restored) -> None:
    wrong = Master(server=done.address, name=MASTER, password=SecretStr("Wrong-Pa55word"))
    with pytest.raises(DatabaseLoginRefused, match="password authentication failed") as refused:
        set_up_users(wrong, USERS)
    assert "Wrong-Pa55" not in "".join([repr(refused.value), *traceback.format_exception(refused.value)])


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(DatabaseUnavailable, match="no login to database postgres as dba"):
        set_up_users(Master(server=NOWHERE, name=MASTER, password=SecretStr("Planted-Pa55")), USERS)


def test_a_login_that_is_shut_out_is_a_refused_login(done: Restored) -> None:
    with (
        pytest.raises(DatabaseLoginRefused),
        connected(done.address, "shop", "api", SecretStr(PASSWORDS["api"])),
    ):
        pass


def test_a_lock_that_somebody_holds_is_tried_again(restored: Restored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.database.server.connection._SESSION_LIMITS", "-c lock_timeout=100")
    with closing(restored.connect(ADMIN, "shop")) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable, match="55P03 from PostgreSQL"):
            restored.set_up()
    restored.set_up()


def _stop_and_ask(restored: Restored, cursor: Cursor) -> None:
    restored.server.stop()
    cursor.execute("SELECT 1")


def test_a_server_that_stops_in_between_is_tried_again(restored: Restored) -> None:
    with (
        pytest.raises(DatabaseUnavailable),
        connected(restored.address, "shop", MASTER, SecretStr(PASSWORDS[MASTER])) as connection,
        connection.cursor() as cursor,
    ):
        _stop_and_ask(restored, cursor)


def test_a_refused_change_is_told_by_postgresqls_message_only(done: Restored) -> None:
    statement = "ALTER ROLE rds_superuser PASSWORD 'Planted-Pa55'"
    with (
        pytest.raises(DatabaseChangeRefused, match="42501 from PostgreSQL") as refused,
        connected(done.address, "shop", "app", SecretStr(PASSWORDS["app"])) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert "Planted" not in "".join([repr(refused.value), *traceback.format_exception(refused.value)][0])


@pytest.mark.parametrize(
    ("right", "user", "words"),
    [
        ("DELETE ON customers", "app", "app in database shop that cannot write"),
        ("SELECT ON hr.salaries", "app", "app in database shop that cannot read"),
        ("USAGE ON SCHEMA sales", "reader", "reader in database shop that cannot read"),
    ],
)
def test_a_missing_right_is_not_proven(done: Restored, right: str, user: str, words: str) -> None:
    with (
        done.changed(f"REVOKE {right} FROM {user}", f"GRANT {right} TO {user}"),
        pytest.raises(UsersNotProven, match=words),
    ):
        prove(done, user)
    prove(done, user)


def test_a_devops_user_who_does_not_act_for_an_owner_is_not_proven(done: Restored) -> None:
    with (
        done.changed("REVOKE shop_owner FROM devops", f"GRANT shop_owner TO devops{OPTIONS}"),
        pytest.raises(UsersNotProven, match="devops in database shop that cannot alter"),
    ):
        prove(done, "devops")
    prove(done, "devops")


@pytest.mark.parametrize(
    ("right", "receiver", "user", "words"),
    [
        ("DELETE ON customers", "reader", "reader", "that can write"),
        ("INSERT ON customers", "PUBLIC", "reader", r"that can write public\.customers"),
        ("UPDATE (name) ON customers", "reader", "reader", r"that can write public\.customers"),
        ("TRUNCATE ON sales.orders", "PUBLIC", "reader", r"that can write sales\.orders"),
        ("shop_owner", "reader", "reader", "that can write"),
        ("CREATE ON SCHEMA public", "PUBLIC", "reader", "that can create tables"),
        ("CREATE ON SCHEMA public", "app", "app", "that can create tables"),
    ],
)
def test_a_right_too_much_is_not_proven(done: Restored, right: str, receiver: str, user: str, words: str) -> None:
    with (
        done.changed(f"GRANT {right} TO {receiver}", f"REVOKE {right} FROM {receiver}"),
        pytest.raises(UsersNotProven, match=words),
    ):
        prove(done, user)
    prove(done, user)


def test_a_proof_names_the_statement(done: Restored) -> None:
    with (
        done.changed("GRANT DELETE ON customers TO reader", "REVOKE DELETE ON customers FROM reader"),
        pytest.raises(UsersNotProven, match=r'profile readonly, which cannot: .*"public"\."customers"'),
    ):
        prove(done, "reader")


def test_rights_on_what_comes_later_are_proven(done: Restored) -> None:
    by_statement.prove_later(done.master, ["shop"], USERS, TimeForTrials())
    default = "ALTER DEFAULT PRIVILEGES FOR ROLE dba {} ON TABLES {} app"
    with (
        done.changed(default.format("REVOKE DELETE", "FROM"), default.format("GRANT DELETE", "TO")),
        pytest.raises(UsersNotProven, match="user app in database shop that cannot write"),
    ):
        by_statement.prove_later(done.master, ["shop"], USERS, TimeForTrials())
    assert done.run(MASTER, "shop", PROBES) == []
