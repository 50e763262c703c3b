"""How often a phase is looked at: seldom enough for the history, often enough to end on time."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.runtime.waiting import seconds_until_next_look

HOUR = 3600.0
# A state machine's history ends at 25,000 events; one look and its wait take 9 of them (aws_facts §4), and a run has
# three phases.
MOST_LOOKS_OF_A_PHASE = 25_000 // 9 // 3


def looks_until(end: float, percent: Callable[[float], int | None]) -> tuple[int, float]:
    """Walk through a phase of `end` seconds; return the number of looks and by how much the last one was late."""
    now, looks = 15.0, 1
    while now < end:
        now += seconds_until_next_look(now, percent(now))
        looks += 1
    return looks, now - end


def unknown(_: float) -> None:
    return None


def test_thirty_hours_take_fewer_than_400_looks() -> None:
    assert looks_until(30 * HOUR, unknown)[0] < 400


def test_thirty_hours_with_progress_take_fewer_than_450_looks() -> None:
    assert looks_until(30 * HOUR, lambda now: int(100 * now / (30 * HOUR)))[0] < 450


@settings(max_examples=300)
@given(end=st.floats(min_value=HOUR, max_value=120 * HOUR), tells=st.booleans())
def test_a_long_phase_is_never_noticed_more_than_two_percent_late(end: float, tells: bool) -> None:
    _, late = looks_until(end, (lambda now: int(100 * now / end)) if tells else unknown)
    assert late <= 0.02 * end + 1


@pytest.mark.parametrize("percent", [0, 1, 50, 99, 100])
def test_progress_that_stands_still_does_not_fill_the_history(percent: int) -> None:
    assert looks_until(120 * HOUR, lambda _: percent)[0] < MOST_LOOKS_OF_A_PHASE


def test_near_its_end_a_phase_is_looked_at_more_often() -> None:
    assert seconds_until_next_look(10 * HOUR, 99) < seconds_until_next_look(10 * HOUR, 50)


@given(st.floats(min_value=0, max_value=1e9), st.none() | st.integers(min_value=-5, max_value=105))
def test_every_wait_is_between_a_quarter_minute_and_a_quarter_hour(elapsed: float, percent: int | None) -> None:
    assert 15 <= seconds_until_next_look(elapsed, percent) <= 900
