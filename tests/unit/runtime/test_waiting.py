from datetime import UTC, datetime, timedelta

import pytest

from utils.errors import PhaseTimedOut
from utils.runtime.contract import StepStatus
from utils.runtime.waiting import wait_or_time_out

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_within_the_budget_the_phase_goes_on() -> None:
    result = wait_or_time_out("copy", START, START + timedelta(hours=1), 12, waiting_for="the copy", percent=40)
    assert (result.status, result.wait_seconds) == (StepStatus.IN_PROGRESS, 72)
    assert result.details == {"waiting_for": "the copy", "percent": 40}


def test_the_budget_is_used_to_its_last_second() -> None:
    wait_or_time_out("copy", START, START + timedelta(hours=12), 12, waiting_for="the copy")


def test_past_the_budget_the_run_stops_and_says_which_to_raise() -> None:
    with pytest.raises(PhaseTimedOut) as stopped:
        wait_or_time_out("copy", START, START + timedelta(hours=12, seconds=1), 12, waiting_for="the copy")
    assert stopped.value.field == "budgets.copy_hours"
    assert "found copy still waiting for the copy after 12.0 hours" in str(stopped.value)


def test_a_clock_that_went_back_is_the_phases_start() -> None:
    result = wait_or_time_out("copy", START, START - timedelta(hours=1), 12, waiting_for="the copy")
    assert result.wait_seconds == 15
