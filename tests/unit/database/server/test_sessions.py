"""A kept session serves one transaction after the other, and none finds anything of the one before it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg2.sql import SQL
from pydantic import SecretStr

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.shop_server import MASTER, PASSWORD
from tests.waiting import wait_for
from utils.database.server.connection import DatabaseServer, Master
from utils.database.server.statements import execute, rows
from utils.errors import DatabaseChangeRefused

CHANGES = """
    SET work_mem = '3MB'; SET statement_timeout = 55555; CREATE TEMPORARY TABLE left_over (n int);
    SELECT pg_advisory_lock(4711); DECLARE of_it CURSOR WITH HOLD FOR SELECT 1; PREPARE it AS SELECT 1
"""
LEFT = """
    SELECT current_setting('work_mem'), current_setting('statement_timeout'), to_regclass('pg_temp.left_over')::text,
        (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
        (SELECT count(*) FROM pg_cursors WHERE name = 'of_it'), (SELECT count(*) FROM pg_prepared_statements)
"""
ALIVE = "SELECT 1 FROM pg_stat_get_activity(NULL) WHERE pid = ANY(%s)"


@pytest.fixture
def master(running: DatabaseServer) -> Iterator[Master]:
    """The master, who keeps a session in the first database."""
    with Master(server=running, name=MASTER, password=SecretStr(PASSWORD)).keeping_sessions() as keeping:
        yield keeping


def pid_in(master: Master, database: str = "postgres") -> int:
    with master.in_database(database) as connection:
        return connection.info.backend_pid


def run_in_first(master: Master, statement: str) -> None:
    with master.in_database("postgres") as connection:
        execute(connection, SQL(statement))


def test_transactions_in_the_first_database_have_one_session_and_others_one_each(master: Master) -> None:
    assert pid_in(master) == pid_in(master)
    assert pid_in(master, "shop") != pid_in(master, "shop")
    with master.in_database("postgres") as connection:
        assert pid_in(master) != connection.info.backend_pid, "while it is in use"


def test_sessions_are_kept_in_databases_without_a_limit_of_connections(master: Master) -> None:
    for limit, is_kept in (("5", False), ("-1", True)):
        with master.in_database("postgres") as connection:
            execute(connection, SQL(f"ALTER DATABASE shop CONNECTION LIMIT {limit}"))
            master.keep_in(connection, ["shop"])
        assert (pid_in(master, "shop") == pid_in(master, "shop")) is is_kept


def test_a_master_with_a_limit_of_its_own_keeps_no_more_sessions(master: Master, farm: PostgresFarm) -> None:
    superuser = replace(master, name=ADMIN, password=SecretStr(farm._admin.password), kept=None)
    for limit, is_kept in (("9", False), ("-1", True)):
        with superuser.in_database("postgres") as connection:
            execute(connection, SQL(f"ALTER ROLE {MASTER} CONNECTION LIMIT {limit}"))
        with master.in_database("postgres") as connection:
            master.keep_in(connection, ["shop"])
        assert (pid_in(master, "shop") == pid_in(master, "shop")) is is_kept


def test_nothing_of_a_transaction_is_left_in_the_session(master: Master) -> None:
    with master.in_database("postgres") as connection:
        at_first = rows(connection, "look", LEFT)
        execute(connection, SQL(CHANGES))
        pid = connection.info.backend_pid
        (before,), (after,) = at_first, rows(connection, "look", LEFT)
        assert [column for column, was in enumerate(before) if after[column] == was] == []
    with master.in_database("postgres") as connection:
        assert connection.info.backend_pid == pid
        assert rows(connection, "look", LEFT) == at_first
        assert not connection.autocommit


def test_what_is_done_is_committed_and_an_error_takes_it_back_and_ends_the_session(master: Master) -> None:
    pid = pid_in(master)
    with pytest.raises(DatabaseChangeRefused):
        run_in_first(master, "CREATE ROLE not_kept; SELECT nonsense")
    run_in_first(master, "CREATE ROLE kept")
    assert pid_in(master) != pid
    query = "SELECT rolname FROM pg_roles WHERE rolname IN ('kept', 'not_kept')"
    with master.in_database("shop") as connection:
        assert rows(connection, "look", query) == [("kept",)]
        execute(connection, SQL("DROP ROLE kept"))


def test_a_session_that_somebody_has_ended_is_replaced(master: Master) -> None:
    pid = pid_in(master)
    with master.in_database("shop") as connection:
        rows(connection, "end", "SELECT pg_terminate_backend(%s, 5000)", (pid,))
    assert pid_in(master) != pid


def test_at_the_end_none_is_left(running: DatabaseServer) -> None:
    master = Master(server=running, name=MASTER, password=SecretStr(PASSWORD))
    with master.keeping_sessions() as keeping:
        with keeping.in_database("postgres") as connection:
            keeping.keep_in(connection, ["shop"])
        pids = [pid_in(keeping), pid_in(keeping, "shop")]
    with master.in_database("template1") as connection:
        wait_for(lambda: not rows(connection, "look", ALIVE, (pids,)), "the end of the sessions", seconds=20.0)
