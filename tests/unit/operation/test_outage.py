"""How long a name did not answer is told from looks that are some time apart, with how wrong that may be."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from utils.operation.records import OutageRecord

BEGAN = datetime(2026, 11, 26, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def by_rds(seconds: float) -> datetime:
    """RDS dates its answers in whole seconds."""
    return at(int(seconds))


def test_the_outage_is_the_middle_of_what_two_looks_at_each_end_leave_possible() -> None:
    outage = OutageRecord()
    outage.note_answer(at(0), at(0))
    outage.note_silence(at(4), at(5))
    outage.note_silence(at(25), at(26))
    outage.note_answer(at(29), at(30))
    assert (outage.least_seconds, outage.most_seconds) == (20 - 1, 30 + 1), "a second each for RDS's clock"
    assert (outage.seconds, outage.uncertainty_seconds) == (25, 6)


def test_while_it_always_answers_there_is_no_outage() -> None:
    outage = OutageRecord()
    for second in range(0, 50, 5):
        outage.note_answer(at(second), at(second + 1))
    assert (outage.seconds, outage.uncertainty_seconds) == (0, 0)


def test_two_outages_add_up() -> None:
    outage = OutageRecord()
    for second in (0, 100):
        outage.note_answer(at(second), at(second))
        outage.note_silence(at(second + 1), at(second + 1))
        outage.note_silence(at(second + 19), at(second + 19))
        outage.note_answer(at(second + 20), at(second + 20))
    assert (outage.least_seconds, outage.most_seconds) == (2 * 17, 2 * 21)


def test_a_restart_that_no_look_has_met_took_no_longer_than_the_longest_time_between_two_answers() -> None:
    outage = OutageRecord()
    outage.note_restart(at(0))
    outage.note_answer(at(7), at(8))
    outage.note_answer(at(10), at(11))
    outage.end_restart()
    assert (outage.least_seconds, outage.most_seconds) == (0, 8 + 1)


def test_a_restart_that_a_look_has_met_is_counted_once() -> None:
    outage = OutageRecord()
    outage.note_restart(at(0))
    outage.note_answer(at(7), at(8))
    outage.note_silence(at(10), at(10))
    outage.note_answer(at(12), at(12))
    outage.end_restart()
    assert (outage.least_seconds, outage.most_seconds) == (0, 5 + 1)


moments = st.floats(min_value=0, max_value=60)
looks = st.lists(st.tuples(moments, moments, moments).map(sorted), max_size=12)


@given(gone_at=moments, back_at=moments, looks=looks)
def test_the_true_outage_is_never_further_away_than_told(
    gone_at: float, back_at: float, looks: list[list[float]]
) -> None:
    gone_at, back_at = sorted((gone_at, back_at))
    outage = OutageRecord()
    outage.note_restart(by_rds(0))
    for began, asked, ended in _one_after_the_other(sorted(looks)):
        note = outage.note_silence if gone_at <= asked < back_at else outage.note_answer
        note(by_rds(began), by_rds(ended))
    outage.note_answer(by_rds(61), by_rds(62))
    outage.end_restart()
    assert abs(outage.seconds - (back_at - gone_at)) <= outage.uncertainty_seconds


def _one_after_the_other(looks: list[list[float]]) -> list[list[float]]:
    """Leave out a look that begins before the one before it is over."""
    kept: list[list[float]] = []
    for look in looks:
        if not kept or look[0] >= kept[-1][-1]:
            kept.append(look)
    return kept
