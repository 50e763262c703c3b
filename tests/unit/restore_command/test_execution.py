"""The states of an execution, from the events of its history."""

from datetime import UTC, datetime, timedelta
from typing import Any

from restore_command.execution import Progress

START = datetime(2026, 1, 1, tzinfo=UTC)


def events(*names: str) -> list[dict[str, Any]]:
    """Enter and leave states, one second each."""
    found: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        kind = "Wait" if name.startswith("Wait") else "Task"
        at = START + timedelta(seconds=number)
        found.append({"type": f"{kind}StateEntered", "timestamp": at, "stateEnteredEventDetails": {"name": name}})
        end = at + timedelta(seconds=1)
        found.append({"type": f"{kind}StateExited", "timestamp": end, "stateExitedEventDetails": {"name": name}})
    return found


def progress(*names: str) -> Progress:
    made = Progress("op")
    for event in events(*names):
        made.apply(event)
    return made


def test_a_state_that_is_entered_again_and_again_is_one_visit_with_all_its_time() -> None:
    visits = progress("Copy Snapshot", "Wait for Copy", "Check", "Wait for Copy", "Check").visits

    assert list(visits) == ["Copy Snapshot", "Wait for Copy", "Check"]
    assert (visits["Wait for Copy"].times, visits["Wait for Copy"].seconds_so_far) == (2, 2.0)


def test_a_state_in_which_the_execution_ended_takes_no_more_time_afterwards() -> None:
    failed = progress("Snapshot Check")
    failed.apply({"type": "FailStateEntered", "timestamp": START, "stateEnteredEventDetails": {"name": "Failed"}})
    failed.stopped_at = START + timedelta(seconds=1)

    failed.leave_last_state()

    assert failed.visits["Failed"].seconds_so_far == 1.0
