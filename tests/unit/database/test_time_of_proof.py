"""The trials of the proof share a time; what it is not enough for is named, and judged by the catalog."""

import itertools
import re

import pytest

from tests.unit.database.production import USERS, Restored
from utils.database.proof.by_statement import prove, prove_later
from utils.database.proof.trial import TimeForTrials
from utils.database.setup import password_of
from utils.errors import UsersNotProven

READER = USERS[1]
NO_TIME = TimeForTrials(seconds=0)
A_VIEW_THAT_SLEEPS = "CREATE VIEW aaa_sleeps AS SELECT pg_sleep(60) IS NULL AS no; GRANT SELECT ON aaa_sleeps TO reader"

ENDS_ITS_SESSION = """
    CREATE VIEW aaa_ends AS SELECT pg_terminate_backend(pg_backend_pid()) AS no; GRANT SELECT ON aaa_ends TO reader
"""


def proof_of_reader(restored: Restored, time_for_trials: TimeForTrials) -> str:
    secret = password_of(READER)
    (line,) = prove(restored.address, ["shop"], READER, secret, [], time_for_trials=time_for_trials)
    return line


def test_without_any_time_nothing_is_tried_and_nothing_is_claimed_to_be(done: Restored) -> None:
    line = proof_of_reader(done, NO_TIME)
    assert re.match(r"shop: logs in \(\d+ tables, 0 of them tried\); not tried, out of time, but by the word of ", line)
    assert "the catalog: read Odd " in line
    # Tables of other tests stand beside these, and a list is cut: one by its name, the others by their number.
    assert re.search(r", read (hr\.salaries|hr\.later_by_\w+), ", line)
    assert prove_later(done.master, ["shop"], USERS, NO_TIME) == {"shop": "out of time"}


def test_tables_to_come_that_could_not_be_tried_are_named_with_why(done: Restored) -> None:
    secret = password_of(READER)
    (line,) = prove(done.address, ["shop"], READER, secret, [], {"shop": "out of time"}, NO_TIME)
    assert line.endswith("; not tried: tables that are created later (out of time)")
    assert "created later" not in proof_of_reader(done, NO_TIME)


def test_a_right_too_much_is_found_without_any_time_as_well(done: Restored) -> None:
    with (
        done.changed("GRANT CREATE ON SCHEMA public TO reader", "REVOKE CREATE ON SCHEMA public FROM reader"),
        pytest.raises(UsersNotProven, match="reader in database shop that can create tables"),
    ):
        proof_of_reader(done, NO_TIME)


def test_what_was_tried_before_the_time_was_up_is_told_apart(done: Restored) -> None:
    ticks = itertools.count(step=10)
    line = proof_of_reader(done, TimeForTrials(seconds=35, clock=lambda: float(next(ticks))))
    assert re.match(r"shop: logs in, can read \(\d+ tables, 3 of them tried\); not tried, out of time, ", line)


def test_a_statement_has_no_longer_than_what_is_left_for_all(done: Restored) -> None:
    with done.changed(A_VIEW_THAT_SLEEPS, "DROP VIEW aaa_sleeps"):
        line = proof_of_reader(done, TimeForTrials(seconds=1, clock=lambda: 0.0))
    assert "to read is not tried: public.aaa_sleeps (57014 QueryCanceled)" in line


def test_a_view_that_ends_its_session_ends_no_proof_and_is_told(done: Restored) -> None:
    with done.changed(ENDS_ITS_SESSION, "DROP VIEW aaa_ends"):
        line = proof_of_reader(done, TimeForTrials())
    assert "to read is not tried: public.aaa_ends (ends its session)" in line
    assert "cannot create tables" in line, "the rest is tried"
