"""What would stop a set-up for good is put right, or said at once by name, with the way out."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.judge import who_can_log_in
from tests.unit.database.production import LOGINS, MASTER, USERS, Restored, add_western, restore
from utils.database.health.way_in import find_way_in
from utils.database.setup import set_up_users
from utils.errors import DatabaseChangeRefused
from utils.operation.model import HealthRecord

LOGIN_TRIGGER = """
    CREATE FUNCTION public.deny() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN IF session_user <> 'rdsadmin' THEN RAISE 'not from here'; END IF; END $$;
    CREATE EVENT TRIGGER deny_logins ON login EXECUTE FUNCTION public.deny()
"""


@pytest.fixture(scope="module")
def untouched(farm: PostgresFarm, snapshot: tuple[Volume, int]) -> Iterator[Restored]:
    """A server on which no set-up gets far enough to change anything."""
    volume, major = snapshot
    yield from restore(farm, volume, f"untouched-{major}", major)


def test_a_renamed_first_database_with_one_session_and_prepared_transactions_stop_no_set_up(planted: Restored) -> None:
    restored = planted
    prepare_transactions(restored)
    restored.run(ADMIN, "shop", "ALTER DATABASE postgres RENAME TO main; ALTER DATABASE main CONNECTION LIMIT 1")

    outcome = restored.set_up_with_retries()

    assert outcome.databases == ["crm", "main", "shop", "western"]
    assert restored.run(MASTER, "shop", "SELECT gid FROM pg_prepared_xacts") == []
    assert restored.run("app", "shop", "SELECT name FROM customers ORDER BY 1") == [("Ada",), ("Grace",)]
    assert not restored.can_log_in("api", "shop")


def test_publications_go_from_a_database_that_takes_one_session(restored: Restored) -> None:
    restored.run("shop_owner", "shop", "CREATE PUBLICATION cdc; CREATE PUBLICATION cdc_too")
    restored.run(ADMIN, "shop", "ALTER DATABASE shop CONNECTION LIMIT 1")
    outcome = restored.set_up_with_retries(seconds=10.0)
    assert outcome.databases == ["crm", "postgres", "shop"]
    assert restored.run(ADMIN, "shop", "SELECT pubname FROM pg_publication") == []


TWINS = """
    CREATE FUNCTION {0}.twin(n int) RETURNS int LANGUAGE sql {1} AS 'SELECT 1';
    CREATE PROCEDURE {0}.twin(OUT n int) LANGUAGE sql {1} AS 'SELECT 1';
    CREATE FUNCTION {0}.first("char"[], VARIADIC int[]) RETURNS "char"[] LANGUAGE sql {1} AS 'SELECT $1';
    CREATE AGGREGATE {0}.first_of(VARIADIC int[]) (sfunc = {0}.first, stype = "char"[])
"""


def test_a_function_and_a_procedure_that_differ_in_an_out_argument_stop_no_set_up(planted: Restored) -> None:
    planted.run(
        "shop_owner", "shop", f"CREATE SCHEMA ours; CREATE SCHEMA masters; GRANT ALL ON SCHEMA masters TO {MASTER}"
    )
    planted.run("shop_owner", "shop", TWINS.format("ours", ""))
    planted.run(MASTER, "shop", TWINS.format("masters", "SECURITY DEFINER"))

    planted.set_up()

    routines = """
        SELECT pronamespace::regnamespace || '.' || proname || ' ' || prokind::text, pg_get_userbyid(proowner)
        FROM pg_proc WHERE pronamespace IN ('ours'::regnamespace, 'masters'::regnamespace)
            AND has_function_privilege('app', oid, 'EXECUTE') ORDER BY 1
    """
    owners = {"masters": "aurora_restore_owner", "ours": "shop_owner"}
    assert planted.run(ADMIN, "shop", routines) == [
        (f"{schema}.{routine}", owner)
        for schema, owner in owners.items()
        for routine in ("first f", "first_of a", "twin f", "twin p")
    ]


def test_prepared_transactions_are_rolled_back_and_told_by_name_whatever_its_encoding(planted: Restored) -> None:
    # With all of its sessions: what an attempt has ended, the next one does not find.
    prepare_transactions(planted)
    (ended,) = [str(found) for found in planted.set_up().health if "prepared transactions, rolled back" in str(found)]
    assert ended.startswith("closed: ")
    for name in ("xa-1 of shop_owner in shop", "xa-2 of dba in crm", r"\xe9 of shop_owner in western"):
        assert name in ended


def prepare_transactions(restored: Restored) -> None:
    """Leave one in each of three databases, the last with a name that is no UTF-8."""
    restored.allow_prepared_transactions()
    restored.run(
        "shop_owner", "shop", "BEGIN; UPDATE customers SET name = 'x'; LOCK customers; PREPARE TRANSACTION 'xa-1'"
    )
    restored.run(MASTER, "crm", "BEGIN; LOCK leads; PREPARE TRANSACTION 'xa-2'")
    add_western(restored)
    restored.run("shop_owner", "western", "BEGIN; PREPARE TRANSACTION 'é'")


def test_a_first_database_whose_only_session_is_taken_is_given_room_and_not_passed_over(untouched: Restored) -> None:
    untouched.run(ADMIN, "shop", f"ALTER DATABASE postgres OWNER TO {MASTER}")
    with closing(untouched.connect("shop_owner", "postgres")):
        untouched.run(ADMIN, "shop", "ALTER DATABASE postgres CONNECTION LIMIT 1")
        master, found = find_way_in(untouched.master)
    assert master.first_database == "postgres"
    assert list(map(str, found)) == ["mended: CONNECTION LIMIT 1 of the database: postgres"]


def test_a_limit_that_the_master_may_not_raise_is_named_before_anything_is_changed(
    untouched: Restored, snapshot: tuple[Volume, int]
) -> None:
    if snapshot[1] < 16:
        pytest.skip("up to PostgreSQL 15 the master raises it: the trap kit has that")
    untouched.run(ADMIN, "postgres", "ALTER ROLE dba CONNECTION LIMIT 1")
    with pytest.raises(DatabaseChangeRefused, match="master user dba with CONNECTION LIMIT 1") as refused:
        untouched.set_up_with_retries()
    assert "ALTER ROLE dba CONNECTION LIMIT -1" in str(refused.value)
    untouched.run(ADMIN, "postgres", "ALTER ROLE dba CONNECTION LIMIT -1")
    assert set(LOGINS) <= who_can_log_in(untouched)


def test_a_trigger_that_keeps_logins_out_is_named_with_its_routine_and_the_way_out(
    untouched: Restored, snapshot: tuple[Volume, int]
) -> None:
    if snapshot[1] < 17:
        pytest.skip("login triggers came with PostgreSQL 17")
    untouched.run(ADMIN, "postgres", LOGIN_TRIGGER)
    with pytest.raises(DatabaseChangeRefused) as refused:
        untouched.set_up()
    text = str(refused.value)
    assert re.search(r"refused by a trigger ON login: not from here \(by (public\.)?deny\(\)\)", text), text
    assert "event_triggers to 0 in the target's cluster parameter group" in text
    untouched.run(ADMIN, "postgres", "DROP EVENT TRIGGER deny_logins; DROP FUNCTION deny()")


def test_a_prepared_transaction_that_holds_the_lock_of_the_set_up_keeps_nobody_from_it(planted: Restored) -> None:
    planted.allow_prepared_transactions()
    # No session has the lock then that could be ended.
    held = "BEGIN; SELECT pg_advisory_xact_lock(4702394921427289); PREPARE TRANSACTION 'xa'"
    planted.run("shop_owner", "postgres", held)
    planted.set_up()
    assert planted.run(MASTER, "postgres", "SELECT gid FROM pg_prepared_xacts") == []
    assert not planted.can_log_in("api", "shop")


def test_a_prepared_transaction_of_a_superuser_is_named_and_those_that_were_ended_are_told(untouched: Restored) -> None:
    untouched.allow_prepared_transactions()
    untouched.run(MASTER, "shop", "BEGIN; PREPARE TRANSACTION 'ours'")
    told: list[HealthRecord] = []
    untouched.run(ADMIN, "shop", "BEGIN; LOCK customers; PREPARE TRANSACTION 'of-aws'")
    with pytest.raises(DatabaseChangeRefused, match="prepared transaction 'of-aws' of rdsadmin in database shop"):
        set_up_users(untouched.master, USERS, put_right=told.extend)
    assert "closed: prepared transactions, rolled back: ours of dba in shop" in map(str, told)
