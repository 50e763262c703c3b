"""Very much of something: the outcome is right, or an error says what is too much. The deep profile has real sizes."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.judge import who_can_log_in, wrong_rights
from tests.unit.database.production import MASTER, USERS, Restored, create_login, restore
from tests.unit.database.traps import DEEP

LARGE_OBJECTS, PARTITIONS, LOGINS = (100_000, 5_000, 6_000) if DEEP else (1_500, 300, 500)
FOR_EACH = "DO $$ BEGIN FOR n IN {first} .. {last} LOOP {work}; END LOOP; END $$"
PARTITION = "EXECUTE format('CREATE TABLE ev_%s PARTITION OF ev FOR VALUES FROM (%s) TO (%s)', n, n, n + 1)"
LOGIN = "EXECUTE format('CREATE ROLE tenant_%s LOGIN', lpad(n::text, 53, '0'))"


def many(restored: Restored, user: str, work: str, count: int) -> None:
    """Do something many times, not too much in a transaction."""
    with closing(restored.connect(user, "shop")) as connection, connection.cursor() as cursor:
        for first in range(1, count + 1, 500):
            cursor.execute(FOR_EACH.format(first=first, last=min(first + 499, count), work=work))


@pytest.fixture
def restored(farm: PostgresFarm, production: Volume, request: pytest.FixtureRequest) -> Iterator[Restored]:
    yield from restore(farm, production, f"bounds-{abs(hash(request.node.name))}")


def set_up_twice(restored: Restored) -> None:
    for which in ("first", "second"):
        began = time.monotonic()
        outcome = restored.set_up()
        logging.info("%s set-up: %.1f s", which, time.monotonic() - began)
        assert {"app", "reader", "devops"} == set(outcome.proofs)
    assert who_can_log_in(restored) == {"app", "reader", "devops"}


def test_very_many_large_objects_of_a_user_go_to_the_owner_role_and_stay_readable(restored: Restored) -> None:
    create_login(restored, "app")
    many(restored, "app", "PERFORM lo_from_bytea(0, 'x')", LARGE_OBJECTS)
    set_up_twice(restored)
    owners = "SELECT lomowner::regrole::text, count(*) FROM pg_largeobject_metadata GROUP BY 1"
    assert restored.run(ADMIN, "shop", owners) == [("aurora_restore_owner", LARGE_OBJECTS)]
    last = restored.run(ADMIN, "shop", "SELECT max(oid) FROM pg_largeobject_metadata")[0][0]
    assert restored.is_allowed("app", "shop", f"SELECT lo_put({last}, 0, 'y')")
    assert restored.is_allowed("reader", "shop", f"SELECT lo_get({last})")
    assert not restored.is_allowed("reader", "shop", f"SELECT lo_put({last}, 0, 'z')")


def test_very_many_partitions_have_their_rights_and_their_table_is_not_tried(restored: Restored) -> None:
    made = "CREATE TABLE ev (id int PRIMARY KEY, n int, m int) PARTITION BY RANGE (id)"
    restored.run("shop_owner", "shop", f"{made}; CREATE INDEX ON ev (n); CREATE INDEX ON ev (m)")
    many(restored, "shop_owner", PARTITION, PARTITIONS)
    set_up_twice(restored)
    assert wrong_rights(restored, ["shop"], USERS) == []
    assert restored.is_allowed("app", "shop", "INSERT INTO ev (id) VALUES (7)")
    assert restored.run("reader", "shop", f"SELECT count(*) FROM ev WHERE id = {PARTITIONS}") == [(0,)]


def test_very_many_logins_are_shut_out(restored: Restored) -> None:
    many(restored, MASTER, LOGIN, LOGINS)
    assert len(who_can_log_in(restored)) > LOGINS
    set_up_twice(restored)
