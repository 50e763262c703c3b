"""What production set for the sessions of a role or a database does not reach the set-up's own."""

from pathlib import Path

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.production import LOGINS, MASTER, USERS, Restored
from tests.unit.database.versions import MAJOR
from utils.database.access.script_login import ScriptWork
from utils.database.health.way_in import find_way_in
from utils.database.server.connection import Login
from utils.database.server.statements import rows
from utils.database.setup import set_up_users
from utils.errors import DatabaseChangeRefused

TRANSACTION_TIMEOUT_CAME_WITH = 17
RIGHTS_TO_PARAMETERS_CAME_WITH = 15


def test_default_roles_of_the_masters_sessions_change_nothing(restored: Restored) -> None:
    whose = ("ROLE dba", "DATABASE postgres", "ROLE dba IN DATABASE shop")
    restored.run(ADMIN, "postgres", ";".join(f"ALTER {each} SET role = 'shop_owner'" for each in whose))
    assert restored.set_up().shut_out == sorted(LOGINS)
    owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'customers'"
    assert restored.run(MASTER, "crm", "SELECT current_user") == [("shop_owner",)], "the settings are in force"
    assert restored.run(ADMIN, "shop", owner) == [("shop_owner",)]
    # Up to PostgreSQL 15 a member may always be what it is a member of, and devops is one of shop_owner.
    for user in ("app", "reader", "devops"):
        assert restored.run(user, "postgres", "SELECT current_user") == [(user,)]


def test_settings_of_a_database_end_no_statement_and_change_no_name(restored: Restored) -> None:
    restored.run(ADMIN, "shop", "ALTER SCHEMA public OWNER TO dba")
    for setting in (
        "transaction_timeout = '300ms'" if MAJOR >= TRANSACTION_TIMEOUT_CAME_WITH else "lock_timeout = '300ms'",
        "quote_all_identifiers = on",
        "default_transaction_isolation = serializable",
        "default_transaction_deferrable = on",
        "row_security = off",
        "standard_conforming_strings = off",
        "synchronous_commit = off",
    ):
        restored.run(ADMIN, "postgres", f"ALTER DATABASE shop SET {setting}")
    with restored.master.in_database("shop") as connection:
        assert rows(connection, "nap", "SELECT pg_sleep(0.6) IS NULL, current_setting('row_security')") == [
            (False, "on")
        ]
        assert rows(connection, "isolation", "SHOW transaction_isolation") == [("read committed",)]
        assert rows(connection, "durability", "SHOW synchronous_commit") == [("on",)]
    restored.set_up()
    owner = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'"
    assert restored.run(ADMIN, "shop", owner) == [(f'"{MASTER}"',)], "told apart by name, quoted or not"


def test_a_home_that_nobody_may_read_keeps_no_session_from_the_database(
    done: Restored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A link to itself is unreadable to the superuser as well.
    (tmp_path / "home").symlink_to(tmp_path / "home")
    monkeypatch.setenv("PGSSLCERT", str(tmp_path / "home" / ".postgresql" / "postgresql.crt"))
    with done.master.in_database("shop") as connection:
        assert rows(connection, "answer", "SELECT 1") == [(1,)]


# Texts of a date name a time zone by letters: to PostgreSQL IST is Israel's, not India's, and CST Chicago's.
@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "Asia/Shanghai"])
def test_a_scripts_login_is_valid_for_minutes_whatever_dates_look_like(restored: Restored, timezone: str) -> None:
    for setting in ("datestyle = 'SQL, DMY'", f"timezone = '{timezone}'"):
        restored.run(ADMIN, "postgres", f"ALTER DATABASE postgres SET {setting}")
    valid = []

    def look(login: Login) -> None:
        left = "SELECT extract(epoch FROM rolvaliduntil - now())::float FROM pg_roles WHERE rolname = current_user"
        with login.in_database("shop") as connection:
            valid.append(rows(connection, "look", left)[0][0])

    set_up_users(restored.master, USERS, before_opening=ScriptWork(databases=["shop"], run=look))
    assert len(valid) == 1
    assert 19 * 60 < valid[0] <= 20 * 60


def test_no_relation_is_read_for_hints_to_the_masters_statements(restored: Restored) -> None:
    # pg_hint_plan's library reads hint_plan.hints, whatever that is and whosever, as who runs a statement. Where it is
    # loaded the database's owner may ask for that; here it is not, and a setting of no library's takes a superuser.
    restored.run(ADMIN, "shop", "ALTER DATABASE shop SET pg_hint_plan.enable_hint_table = on")
    assert restored.run(MASTER, "shop", "SHOW pg_hint_plan.enable_hint_table") == [("on",)], "the setting is in force"
    with restored.master.in_database("shop") as connection:
        assert rows(connection, "setting", "SHOW pg_hint_plan.enable_hint_table") == [("off",)]


def test_a_temporary_table_stands_in_for_nothing_of_the_catalog(restored: Restored) -> None:
    with restored.master.in_database("shop") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE pg_roles (rolname name)")
        assert rows(connection, "look at roles", "SELECT count(*) > 1 FROM pg_roles") == [(True,)]


SPILLS = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 200000) AS n ORDER BY n::text DESC) AS sorted"


@pytest.mark.parametrize(
    ("whose", "quoted"),
    [
        ("ROLE dba", 'ROLE "dba"'),
        ("DATABASE shop", 'DATABASE "shop"'),
        ("ROLE dba IN DATABASE shop", 'ROLE "dba" IN DATABASE "shop"'),
        ("ROLE ALL", "ROLE ALL"),
    ],
)
def test_a_limit_of_temporary_files_ends_no_set_up_and_is_named_where_it_is_reached(
    restored: Restored, whose: str, quoted: str
) -> None:
    for setting in ("temp_file_limit = 0", "work_mem = '64kB'"):
        restored.run(ADMIN, "postgres", f"ALTER {whose} SET {setting}")
    told = restored.set_up().proofs["app"][-1]
    limit = "sessions have limits that are not the user's own: temp_file_limit=0"
    assert (limit in told) is (whose in ("DATABASE shop", "ROLE ALL")), told
    # As it is for every user of the shop, whatever the way in is.
    with pytest.raises(DatabaseChangeRefused) as refused, restored.master.in_database("shop") as connection:
        rows(connection, "sort", SPILLS)
    text = str(refused.value)
    assert f"temp_file_limit = 0 (kB) of {quoted}, which the sort in database shop would exceed" in text
    assert f"ALTER {quoted} RESET temp_file_limit in the source" in text


def test_a_limit_of_the_whole_server_is_raised_where_the_server_is_configured(restored: Restored) -> None:
    restored.run(ADMIN, "postgres", "ALTER SYSTEM SET temp_file_limit = 1000")
    restored.server.restart(MASTER)
    restored.run(ADMIN, "postgres", "ALTER DATABASE shop SET work_mem = '64kB'")
    with pytest.raises(DatabaseChangeRefused) as refused, restored.master.in_database("shop") as connection:
        rows(connection, "sort", SPILLS)
    assert "temp_file_limit = 1000 (kB) of the server's configuration" in str(refused.value)
    assert "in its cluster parameter group and resume the operation" in str(refused.value)


def test_what_the_master_may_set_for_itself_it_sets_and_asks_for_nothing_that_production_has_not(
    restored: Restored,
) -> None:
    if MAJOR < RIGHTS_TO_PARAMETERS_CAME_WITH:
        pytest.skip("up to PostgreSQL 14 only a superuser could be let set them")
    before = find_way_in(restored.master)[0].options
    assert "temp_file_limit" not in before
    for name, value in (("temp_file_limit", "0"), ("session_replication_role", "replica")):
        restored.run(ADMIN, "postgres", f"GRANT SET ON PARAMETER {name} TO dba; ALTER ROLE dba SET {name} = {value}")
    master, _ = find_way_in(restored.master)
    with master.in_database("shop") as connection:
        assert rows(connection, "limit", "SHOW temp_file_limit") == [("-1",)]
        assert rows(connection, "triggers", "SHOW session_replication_role") == [("origin",)]
        assert rows(connection, "sort", SPILLS) == [(200_000,)]
