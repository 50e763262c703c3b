"""Step 10: the row is closed, the lock given back, people are told; a message that is lost changes none of it."""

import json
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from utils.errors import AwsThrottled, OperationClosed
from utils.operation.model import OperationStatus, StepName
from utils.operation.records import OperationError
from utils.runtime.contract import ClosingEvent, StepResult
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_restore_status import check_restore_status
from utils.steps.sns_notification import sns_notification


def close(aws: FakeAws, error: dict[str, Any] | None = None, failed_step: str = "Copy Snapshot") -> StepResult:
    event = ClosingEvent(
        operation_id=OPERATION, execution_arn=EXECUTION_ARN, error=error, failed_step=failed_step if error else ""
    )
    return sns_notification(event, aws.services)


def the_refusal(aws: FakeAws) -> OperationError:
    """Why the run got no plan."""
    row = aws.operations.find_unplanned(OPERATION)
    assert row is not None
    assert row.error is not None
    return row.error


def lambda_error(name: str, message: str) -> dict[str, Any]:
    """What Step Functions says of a Lambda function that raised."""
    return {"Error": name, "Cause": json.dumps({"errorMessage": message, "errorType": name, "stackTrace": ["secret"]})}


@pytest.fixture
def finished(restored: FakeAws) -> FakeAws:
    """The run, when only its end is left."""
    restored.run(check_restore_status)
    restored.run(archive_snapshot)
    return restored


def test_a_run_that_succeeded_is_closed_and_told(finished: FakeAws) -> None:
    result = close(finished)

    operation = finished.operation
    assert (operation.status, operation.current_step) == (OperationStatus.SUCCEEDED, StepName.SNS_NOTIFICATION)
    assert operation.finished_at is not None
    assert finished.operations.locks == {}
    (message,) = finished.topic.messages
    assert message["Subject"] == "Aurora restore of staging SUCCEEDED"
    for word in (
        "staging-1, staging-2",
        result.details["final_snapshot"],
        *result.details["bring_back"][0].split("\n"),
    ):
        assert word in message["Message"]
    assert (result.details["status"], result.details["notification"]) == ("SUCCEEDED", "sent")
    assert result.details["deleted"] == ["staging", "staging-1", "staging-2"]
    assert set(result.details["seconds"]) == {"copy", "delete", "restore"}


def test_a_run_that_failed_says_which_step_why_and_what_is_left(copied: FakeAws) -> None:
    result = close(
        copied, lambda_error("TargetProtected", "found it; expected another; what to do: this"), "Delete RDS"
    )

    operation = copied.operation
    assert operation.status is OperationStatus.FAILED
    assert operation.error is not None
    assert operation.error.model_dump() == {
        "name": "TargetProtected",
        "message": "found it; expected another; what to do: this",
        "step": "Delete RDS",
    }
    assert copied.operations.locks == {}
    (message,) = copied.topic.messages
    assert message["Subject"] == "Aurora restore of staging FAILED: TargetProtected"
    assert "found it; expected another; what to do: this" in message["Message"]
    assert "at step Delete RDS" in message["Message"]
    assert "Deleted           nothing" in message["Message"]
    assert result.details["message"] == "found it; expected another; what to do: this"


def test_a_run_that_failed_after_the_deletion_tells_where_the_data_is(deleted: FakeAws) -> None:
    close(deleted, lambda_error("RestoreFailed", "found no cluster"), "Check Restore Status")
    assert deleted.operation.deletion is not None
    text = deleted.topic.messages[0]["Message"]
    assert f"Final snapshot    {deleted.operation.deletion.final_snapshot_arn}" in text
    assert "Deleted           staging, staging-1, staging-2" in text


def test_a_refused_request_is_told_without_a_row(aws: FakeAws) -> None:
    result = close(aws, lambda_error("InvalidRequest", "sourc: found an unknown field"), "Snapshot Check")
    assert the_refusal(aws).name == "InvalidRequest"
    assert aws.topic.messages[0]["Subject"] == f"Aurora restore of {OPERATION} FAILED: InvalidRequest"
    assert result.details["message"] == "sourc: found an unknown field"


def test_an_end_without_a_beginning_is_a_failure(aws: FakeAws) -> None:
    close(aws)
    assert the_refusal(aws).name == "OperationNotFound"


def test_a_dry_run_tells_what_it_would_do(aws: FakeAws) -> None:
    aws.start(dry_run=True)
    result = close(aws)
    text = aws.topic.messages[0]["Message"]
    assert text.startswith("Dry run: nothing was changed.\n\nA run would\n   1. take snapshot prod-nightly")
    assert (aws.operation.status, result.details["dry_run"]) == (OperationStatus.SUCCEEDED, True)


@pytest.mark.parametrize(
    "name", ["KeyError", "Lambda.Unknown", "States.Timeout", "json", "logger", "__doc__", "Exception"]
)
def test_the_text_of_an_error_that_is_not_ours_goes_nowhere(copied: FakeAws, name: str) -> None:
    result = close(copied, lambda_error(name, "Planted-Pa55word"))
    assert "Planted" not in json.dumps(result.details) + copied.operation.model_dump_json() + str(copied.topic.messages)
    assert "read the log of the step's function" in result.details["message"]


@pytest.mark.parametrize("more", ["", " for a while", " with the new row"])
def test_an_error_that_used_up_its_tries_does_not_say_that_it_is_tried_again(copied: FakeAws, more: str) -> None:
    said = f"found busy; expected room; what to do: nothing, the step is tried again{more}; else check the network"
    told = close(copied, lambda_error("ResourceBusy", said)).details["message"]
    assert told == (
        "found busy; expected room; what to do: it was tried again until no tries were left: find out what lasts; "
        "else check the network"
    )
    assert told in copied.topic.messages[0]["Message"]
    assert copied.operation.error is not None
    assert copied.operation.error.message == told


@pytest.mark.parametrize("cause", ["found it", "{", '"text"', "[]", "{}", "null"])
def test_a_cause_that_is_not_lambdas_is_told_as_it_is(copied: FakeAws, cause: str) -> None:
    assert close(copied, {"Error": "RestoreFailed", "Cause": cause}).details["message"] == cause


def test_an_error_without_a_cause_is_told_by_its_name(copied: FakeAws) -> None:
    assert close(copied, {"Error": "RestoreFailed"}).details["name"] == "RestoreFailed"


def test_a_long_message_is_cut(copied: FakeAws) -> None:
    assert len(close(copied, lambda_error("RestoreFailed", "x" * 100_000)).details["message"]) == 2000


@pytest.mark.parametrize("code", ["NotFound", "AuthorizationError", "Throttled", "InvalidParameter"])
def test_a_message_that_cannot_be_sent_does_not_undo_a_restore(finished: FakeAws, code: str) -> None:
    finished.topic.refuses_with = code
    result = close(finished)
    assert result.details["notification"].startswith("not sent: ")
    assert finished.operation.status is OperationStatus.SUCCEEDED
    assert finished.operations.locks == {}


def test_a_second_call_tells_the_same_end_again(finished: FakeAws) -> None:
    first = close(finished)
    ended = finished.operation
    assert close(finished) == first
    assert finished.operation == ended
    assert [event["DetailType"] for event in finished.bus.events] == [
        "Aurora Restore Operation Started",
        "Aurora Restore Operation Succeeded",
    ], "others are told once"


def test_a_success_is_not_turned_into_a_failure_afterwards(finished: FakeAws) -> None:
    close(finished)
    close(finished, lambda_error("RestoreFailed", "late"))
    assert finished.operation.status is OperationStatus.SUCCEEDED


def test_a_run_that_did_not_get_to_its_end_is_not_closed_as_a_success(copied: FakeAws) -> None:
    with pytest.raises(OperationClosed):
        close(copied)
    assert copied.operation.status is OperationStatus.RUNNING
    assert copied.topic.messages == []


def test_the_lock_of_another_run_is_not_given_back(finished: FakeAws) -> None:
    (key,) = finished.operations.locks
    lock = finished.operations.locks[key]
    close(finished)
    finished.operations.locks[key] = type(lock)(**{**vars(lock), "holder": "nightly-2"})
    close(finished)
    assert finished.operations.locks[key].holder == "nightly-2"


def test_a_table_that_is_busy_leaves_the_end_for_the_next_try(
    finished: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise AwsThrottled("throttled", expected="room", action="nothing")

    with monkeypatch.context() as patched:
        patched.setattr(finished.operations, "release_lock", busy)
        with pytest.raises(AwsThrottled):
            close(finished)
    close(finished)
    assert finished.operations.locks == {}
    assert len(finished.topic.messages) == 1
    assert [event["DetailType"].rpartition(" ")[2] for event in finished.bus.events] == ["Started", "Succeeded"]
