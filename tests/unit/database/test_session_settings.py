"""What production set for the sessions of a role or a database does not reach the set-up's own."""

from pathlib import Path

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.production import LOGINS, MASTER, USERS, Restored
from tests.unit.database.versions import MAJOR
from utils.database.access.script_login import ScriptWork
from utils.database.server.connection import Login
from utils.database.server.statements import rows
from utils.database.setup import set_up_users

TRANSACTION_TIMEOUT_CAME_WITH = 17


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
    ):
        restored.run(ADMIN, "postgres", f"ALTER DATABASE shop SET {setting}")
    with restored.master.in_database("shop") as connection:
        assert rows(connection, "nap", "SELECT pg_sleep(0.6) IS NULL, current_setting('row_security')") == [
            (False, "on")
        ]
        assert rows(connection, "isolation", "SHOW transaction_isolation") == [("read committed",)]
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
