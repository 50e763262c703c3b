"""The live view and the summary."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.pipeline import report
from local_cloud.screen.layout import table
from local_cloud.screen.terminal import Terminal
from restore_command.execution import Progress
from tests.waiting import wait_for


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


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


def test_a_state_that_is_entered_again_and_again_is_one_line_with_all_its_time() -> None:
    text = report.durations(progress("Copy Snapshot", "Wait for Copy", "Check", "Wait for Copy", "Check"))

    assert text.splitlines()[3].split() == ["Wait", "for", "Copy", "2", "2.0"]
    assert len(text.splitlines()) == 5


def test_a_state_in_which_the_execution_ended_takes_no_more_time_afterwards() -> None:
    failed = progress("Snapshot Check")
    failed.apply({"type": "FailStateEntered", "timestamp": START, "stateEnteredEventDetails": {"name": "Failed"}})
    failed.stopped_at = START + timedelta(seconds=1)

    failed.leave_last_state()

    assert failed.visits["Failed"].seconds_so_far == 1.0


def test_without_a_terminal_every_state_is_a_plain_line() -> None:
    stream = io.StringIO()

    def steps() -> Iterator[Progress]:
        yield progress("Snapshot Check")
        yield progress("Snapshot Check", "Copy Snapshot", "Snapshot Check")

    report.show_live(steps(), Terminal(stream))

    lines = [line.split(maxsplit=2)[2] for line in stream.getvalue().splitlines()]
    assert lines == ["Snapshot Check", "Copy Snapshot"]
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_one_line_moves_until_the_step_is_done() -> None:
    stream = Tty()
    terminal = Terminal(stream)

    with terminal.step("deploy"):
        pass
    terminal.close()

    assert "✓" in stream.getvalue()
    assert "\r\x1b[K" in stream.getvalue()


def test_on_a_terminal_the_step_that_lasts_tells_how_far_it_is() -> None:
    stream = Tty()
    terminal = Terminal(stream)
    terminal.begin_quietly("Wait for Copy")
    terminal.detail("Wait for Copy", "62 %")
    wait_for(lambda: "Wait for Copy 62 % 00:00" in stream.getvalue() or None, "the line that moves")
    terminal.close()


def test_a_step_that_fails_looks_different_from_one_that_succeeds() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)

    with pytest.raises(KeyError), terminal.step("deploy"):
        raise KeyError
    with terminal.step("furnish"):
        pass

    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["…", "✗", "…", "✓"]


@pytest.mark.parametrize(
    ("source", "target", "equal"),
    [
        ({"t": 1}, {"t": 1}, True),
        ({"t": 1}, {"t": 2}, False),
        ({"t": 1}, {}, False),
        ({"t": 1}, {"t": 1, "leftover": 1}, False),
        ({}, {}, False),
    ],
)
def test_only_the_same_tables_with_the_same_rows_are_equal(
    source: dict[str, int], target: dict[str, int], equal: bool
) -> None:
    assert report.Comparison(source=source, target=target).is_equal is equal


def test_a_failure_shows_the_errors_name_and_its_message() -> None:
    failed = Progress("op", status="FAILED", error="SnapshotNotFound", cause='{"errorMessage": "no snapshot"}')

    assert report.error_of(failed) == ("SnapshotNotFound", "no snapshot")


def test_numbers_stand_right_and_words_left() -> None:
    assert table(["t", "rows"], [["a", "1,000"], ["bb", "7"]], indent="").splitlines()[2:] == ["a   1,000", "bb      7"]
