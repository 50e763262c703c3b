"""The hours within which a run may start."""

import json
from datetime import UTC, datetime

import pytest

from tests.fakes.aws import OPERATION, FakeAws
from tests.unit.metrics_log import measured
from utils.errors import InvalidRequest, OperationInProgress, OutsideStartWindow
from utils.request.start_window import StartWindow, check_start_window
from utils.runtime.contract import StartEvent
from utils.steps.snapshot_check import snapshot_check

NIGHT = StartWindow(opens="22:00", closes="06:00", time_zone="Europe/Berlin")
MORNING = StartWindow(opens="03:00", closes="05:30")


def closed_now() -> dict[str, str]:
    """A window that opens in an hour, for an hour."""
    hour = datetime.now(UTC).hour
    return {"opens": f"{(hour + 2) % 24:02}:00", "closes": f"{(hour + 3) % 24:02}:00"}


@pytest.mark.parametrize(
    ("window", "at", "is_open"),
    [
        (MORNING, "2026-11-22T02:59", False),
        (MORNING, "2026-11-22T03:00", True),
        (MORNING, "2026-11-22T05:29", True),
        (MORNING, "2026-11-22T05:30", False),
        (NIGHT, "2026-11-22T20:59", False),  # 21:59 in winter
        (NIGHT, "2026-11-22T21:00", True),
        (NIGHT, "2026-11-22T23:30", True),  # 00:30 of the next day
        (NIGHT, "2026-11-22T04:59", True),
        (NIGHT, "2026-11-22T05:00", False),
        (NIGHT, "2026-07-22T19:59", False),
        (NIGHT, "2026-07-22T20:00", True),  # 22:00 in summer
    ],
)
def test_a_window_is_open_from_its_first_minute_to_the_last_before_it_closes(
    window: StartWindow, at: str, is_open: bool
) -> None:
    assert window.is_open(datetime.fromisoformat(at).replace(tzinfo=UTC)) is is_open


def test_a_start_outside_is_refused_with_the_time_there() -> None:
    noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    with pytest.raises(OutsideStartWindow, match="from 22:00 to 06:00 Europe/Berlin, where it is 13:00 now") as raised:
        check_start_window(NIGHT, noon)
    assert '"start_window": null' in str(raised.value)
    check_start_window(None, noon)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"opens": "22:00", "closes": "22:00"}, "opens and closes at different times"),
        ({"opens": "24:00", "closes": "06:00"}, "start_window.opens"),
        ({"opens": "9:00", "closes": "06:00"}, "start_window.opens"),
        ({"opens": "22:00", "closes": "06:00", "time_zone": "Berlin"}, "a time zone such as UTC or Europe/Berlin"),
        ({"opens": "22:00", "closes": "06:00", "time_zone": "../etc"}, "a time zone such as UTC or Europe/Berlin"),
        ({"opens": "22:00", "closes": "06:00", "time_zone": "Europe"}, "a time zone such as UTC or Europe/Berlin"),
        ({"opens": "22:00", "closes": "06:00", "time_zone": "E" * 5000}, "a time zone such as UTC or Europe/Berlin"),
        ({"opens": "22:00", "closes": "06:00", "time_zone": "U\0TC"}, "a time zone such as UTC or Europe/Berlin"),
        ({"opens": "22:00", "closes": "06:00", "timezone": "UTC"}, "'time_zone' perhaps"),
    ],
)
def test_a_window_that_is_none_is_refused(aws: FakeAws, window: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        aws.start(start_window=window)


def test_a_run_outside_its_window_does_not_start(aws: FakeAws) -> None:
    with pytest.raises(OutsideStartWindow):
        aws.start(start_window=closed_now())
    assert aws.operations.locks == {}
    assert (aws.west.changes, aws.bus.events) == ([], [])


def test_a_dry_run_outside_the_window_says_when_it_is(aws: FakeAws) -> None:
    aws.start(start_window=closed_now(), dry_run=True)
    assert aws.operation.plan.actions[0].startswith(f"start only from {closed_now()['opens']} to ")


def test_a_person_starts_outside_the_stacks_window(aws: FakeAws) -> None:
    services = aws.services_with(REQUEST_DEFAULTS=json.dumps({"start_window": closed_now()}))
    event = StartEvent(operation_id=OPERATION, request={})
    with pytest.raises(OutsideStartWindow):
        snapshot_check(event, services)
    event = StartEvent(operation_id=OPERATION, request={"start_window": None})
    assert snapshot_check(event, services).status == "READY"


def test_a_run_that_finds_the_target_locked_measures_that_lock(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.start()
    aws.executions.running.add(aws.operation.execution_arn)
    capsys.readouterr()
    with pytest.raises(OperationInProgress):
        snapshot_check(StartEvent(operation_id="other", request={}), aws.services)
    ages = [item for item in measured(capsys.readouterr().out) if item.name == "LockAgeHours"]
    assert [item.operation_id for item in ages] == ["other", "other"]
    assert all(0 <= item.value < 1 for item in ages)
