from datetime import UTC, datetime, timedelta

import pytest

from utils.errors import CopyFailed, PhaseTimedOut
from utils.operation.records import CopyRecord
from utils.runtime.contract import StepStatus
from utils.runtime.waiting import Phase

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def copy_after(passed: timedelta) -> Phase:
    return Phase(name="copy", started_at=START, now=START + passed, budget_hours=12)


def test_within_the_budget_the_phase_goes_on() -> None:
    result = copy_after(timedelta(hours=1)).wait("the copy", percent=40)
    assert (result.status, result.wait_seconds) == (StepStatus.IN_PROGRESS, 72)
    assert result.details == {"waiting_for": "the copy", "percent": 40}


def test_the_budget_is_used_to_its_last_second() -> None:
    copy_after(timedelta(hours=12)).wait("the copy")


def test_past_the_budget_the_run_stops_and_says_which_to_raise() -> None:
    with pytest.raises(PhaseTimedOut) as stopped:
        copy_after(timedelta(hours=12, seconds=1)).wait("the copy")
    assert stopped.value.field == "budgets.copy_hours"
    assert "found copy still waiting for the copy after 12.0 hours" in str(stopped.value)


def test_a_clock_that_went_back_is_the_phases_start() -> None:
    result = copy_after(timedelta(hours=-1)).wait("the copy")
    assert result.wait_seconds == 15


def test_what_rds_does_not_show_is_waited_for_until_its_answers_have_settled() -> None:
    copy, lost = CopyRecord(started_at=START), CopyFailed("no copy", expected="one", action="look")

    first = copy_after(timedelta(minutes=5)).wait_until_shown(copy, "the copy to be shown", otherwise=lost)
    assert (first.status, first.details) == (StepStatus.IN_PROGRESS, {"waiting_for": "the copy to be shown"})
    assert copy.missing_since == START + timedelta(minutes=5)

    copy_after(timedelta(minutes=15)).wait_until_shown(copy, "the copy to be shown", otherwise=lost)
    with pytest.raises(CopyFailed):
        copy_after(timedelta(minutes=15, seconds=1)).wait_until_shown(copy, "the copy to be shown", otherwise=lost)
