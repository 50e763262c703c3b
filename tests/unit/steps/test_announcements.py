"""What others are told of an operation: events, metrics, one message; none of it changes how the run ends."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.metrics_log import Measured, measured
from utils.operation.model import OperationStatus
from utils.operation.records import OperationError
from utils.report.summary import summarise
from utils.runtime.announcements import announce_end, announce_refusal, announce_start

Look = Callable[[], list[Measured]]
ERROR = OperationError(name="CopyFailed", message="found it; expected another; what to do: this", step="Copy Snapshot")


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Look:
    """The metrics since the last look."""
    return lambda: measured(capsys.readouterr().out)


def ended(aws: FakeAws, **changes: Any) -> None:
    operation = aws.operation.model_copy(update={"status": OperationStatus.SUCCEEDED} | changes)
    announce_end(operation, summarise(operation).seconds, aws.services)


def test_a_start_is_told_with_what_and_from_where(aws: FakeAws) -> None:
    aws.start()
    [event] = aws.bus.events
    assert (event["Source"], event["DetailType"]) == ("aurora-restore", "Aurora Restore Operation Started")
    assert event["Resources"] == [EXECUTION_ARN]
    detail = event["Detail"]
    assert detail["version"] == "1"
    assert (detail["operation_id"], detail["status"], detail["dry_run"]) == (OPERATION, "RUNNING", False)
    assert (detail["source_cluster_id"], detail["target_cluster_id"]) == ("prod", "staging")
    assert detail["snapshot_age_hours"] == pytest.approx(1.0)
    assert detail["error"] is None


def test_a_second_call_of_the_first_step_tells_nothing_new(aws: FakeAws) -> None:
    aws.start()
    aws.start()
    assert len(aws.bus.events) == 1


def test_a_request_that_was_refused_did_not_start(aws: FakeAws) -> None:
    with pytest.raises(Exception, match="no_such_field"):
        aws.start(no_such_field=1)
    assert aws.bus.events == []


def test_the_age_of_the_data_is_measured_at_the_start(aws: FakeAws, look: Look) -> None:
    aws.start()
    age = [item for item in look() if item.name == "SnapshotAgeHours"]
    assert {frozenset(item.dimensions.items()) for item in age} == {
        frozenset({("service", "aurora-restore")}),
        frozenset({("service", "aurora-restore"), ("target_cluster_id", "staging")}),
    }
    assert [item.value for item in age] == [pytest.approx(1.0)] * 2
    assert {item.operation_id for item in age} == {OPERATION}


def test_a_success_is_told_with_the_endpoint_and_the_durations(restored: FakeAws, look: Look) -> None:
    look()
    ended(restored)
    event = restored.bus.events[-1]
    assert event["DetailType"] == "Aurora Restore Operation Succeeded"
    assert event["Detail"]["status"] == "SUCCEEDED"
    assert event["Detail"]["final_snapshot_arn"]
    assert set(event["Detail"]["seconds"]) == {"copy", "delete"}
    numbers = {item.name: item.value for item in look()}
    assert numbers["RestoreSucceeded"] == 1
    assert numbers["RestoredGiB"] == restored.operation.snapshot.storage_gib


def test_a_failure_is_told_with_its_reason_and_counts_as_none(copied: FakeAws, look: Look) -> None:
    look()
    ended(copied, status=OperationStatus.FAILED, error=ERROR)
    event = copied.bus.events[-1]
    assert (event["DetailType"], event["Detail"]["error"]) == ("Aurora Restore Operation Failed", ERROR.model_dump())
    assert {(item.name, item.value) for item in look()} == {("RestoreSucceeded", 0.0), ("ExposureSeconds", 0.0)}


def test_a_refusal_is_told_without_a_target(aws: FakeAws, look: Look) -> None:
    announce_refusal(OPERATION, EXECUTION_ARN, ERROR, aws.services)
    [event] = aws.bus.events
    assert (event["DetailType"], event["Detail"]["target_cluster_id"]) == ("Aurora Restore Operation Failed", None)
    assert [(item.name, item.value, item.dimensions) for item in look()] == [
        ("RestoreSucceeded", 0.0, {"service": "aurora-restore"})
    ]


def test_a_dry_run_is_told_and_not_measured(aws: FakeAws, look: Look) -> None:
    aws.start(dry_run=True)
    ended(aws)
    assert [event["Detail"]["dry_run"] for event in aws.bus.events] == [True, True]
    assert look() == []


def test_a_step_called_by_hand_is_told_without_an_execution(aws: FakeAws) -> None:
    aws.start()
    announce_start(aws.operation.model_copy(update={"execution_arn": ""}), aws.services)
    assert aws.bus.events[-1]["Resources"] == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalException"])
def test_an_event_that_is_refused_changes_nothing_and_is_in_the_log(
    aws: FakeAws, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    aws.bus.refuses_with = code
    assert aws.start().status == "READY"
    ended(aws)
    assert aws.bus.events == []
    assert [record.getMessage() for record in caplog.records] == ["the event could not be sent"] * 2


def test_an_event_that_the_bus_rejects_changes_nothing(aws: FakeAws) -> None:
    aws.bus.rejects_with = "InternalFailure"
    assert aws.start().status == "READY"
    announce_refusal(OPERATION, EXECUTION_ARN, ERROR, aws.services)


def test_an_event_fits_into_eventbridge(restored: FakeAws) -> None:
    long = ERROR.model_copy(update={"message": "x" * 2000})
    ended(restored, status=OperationStatus.FAILED, error=long)
    assert len(json.dumps(restored.bus.events[-1])) < 256 * 1024 / 10
