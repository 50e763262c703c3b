"""Names in other encodings: right, or an error of our own that names the database and the reason."""

from contextlib import closing

import pytest
from pydantic import SecretStr

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.judge import wrong_rights
from tests.unit.database.production import LOGINS, MASTER, USERS, Restored, add_western
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.setup import set_up_users
from utils.errors import DatabaseChangeRefused

SQL_ASCII = "CREATE DATABASE old TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
BY_OWNERS = """
    CREATE TABLE of_owner (id int PRIMARY KEY);
    ALTER TABLE of_owner OWNER TO shop_owner;
    CREATE TABLE "Größe" (id int PRIMARY KEY);
    ALTER TABLE "Größe" OWNER TO dba
"""


def run_bytes(restored: Restored, statement: bytes) -> None:
    with closing(restored.connect(ADMIN, "old")) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_kept_login_whose_name_a_database_has_no_letters_for_is_kept(planted: Restored) -> None:
    add_western(planted)
    planted.run(MASTER, "postgres", "CREATE ROLE \"所有者\" LOGIN PASSWORD 'Kept-Pa55word'")
    outcome = set_up_users(planted.master, USERS, keep_logins=["所有者"])
    assert outcome.kept == ["所有者"]
    assert planted.can_log_in("所有者", "western", "Kept-Pa55word")


def test_names_that_are_no_utf_8_are_named_with_their_database(planted: Restored) -> None:
    planted.run(ADMIN, "postgres", SQL_ASCII)
    run_bytes(planted, b'CREATE TABLE "caf\xe9" (id int)')
    run_bytes(planted, b'ALTER TABLE "caf\xe9" OWNER TO dba')
    with pytest.raises(DatabaseChangeRefused, match="in database old: invalid byte sequence") as refused:
        planted.set_up()
    assert "rename that role, schema, table or routine in the source" in str(refused.value)
    run_bytes(planted, b'CREATE ROLE "Jos\xe9"')
    with pytest.raises(DatabaseChangeRefused, match=r"found b'Jos\\xe9' in the answer to the .* in database postgres"):
        planted.set_up()


def test_settings_that_are_no_utf_8_stop_no_run(planted: Restored) -> None:
    add_western(planted)
    planted.run(MASTER, "western", "CREATE ROLE app; ALTER ROLE app SET search_path = 'Größe'")
    planted.run(ADMIN, "western", 'ALTER DATABASE western SET "app.é" = 1')
    outcome = planted.set_up()
    settings = "SELECT count(*) FROM pg_db_role_setting WHERE setrole = 'app'::regrole"
    assert planted.run(ADMIN, "postgres", settings) == [(0,)]
    line = "for a person: not looked at: settings of roles and databases, by name: a name that is no UTF-8"
    assert line in map(str, outcome.health)


def test_owners_whose_names_a_database_has_no_letters_for_are_owners_like_any_other(planted: Restored) -> None:
    add_western(planted)
    planted.run(ADMIN, "western", BY_OWNERS)
    planted.run(MASTER, "postgres", 'CREATE ROLE "所有者"; CREATE ROLE "Müller" CREATEROLE')
    planted.run(ADMIN, "shop", 'CREATE SCHEMA jp AUTHORIZATION "所有者"; CREATE SCHEMA de AUTHORIZATION "Müller"')
    planted.run(ADMIN, "shop", 'CREATE TABLE jp.t (id int); ALTER TABLE jp.t OWNER TO "所有者"')
    planted.run(ADMIN, "shop", 'CREATE TABLE de.t (id int); ALTER TABLE de.t OWNER TO "Müller"')
    outcome = planted.set_up()
    assert outcome.shut_out == sorted(LOGINS)
    assert wrong_rights(planted, ["shop"], USERS) == []
    assert planted.is_allowed("app", "western", 'DELETE FROM "Größe"')
    assert not planted.is_allowed("reader", "western", "DELETE FROM of_owner")
    assert planted.is_allowed("devops", "western", "ALTER TABLE of_owner ADD COLUMN n int")


def test_a_user_whose_name_a_database_reads_otherwise_is_named(planted: Restored) -> None:
    add_western(planted)
    users = [DatabaseUser(profile=Profile.READONLY, name="Jörg", password=SecretStr("Joerg-Pa55word"))]
    with pytest.raises(DatabaseChangeRefused, match="no user Jörg as database western reads names") as refused:
        set_up_users(planted.master, users)
    assert "ASCII letters in app-credentials" in str(refused.value)
