"""EventBridge says that an execution has ended: what the last step could not do is done, and what it did is left."""

import json
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.stories import LOCK, ended
from utils import errors
from utils.operation.model import OperationStatus, StepName
from utils.runtime.contract import ClosingEvent, StartEvent, StepEvent, StepResult, StepStatus
from utils.runtime.step import on_operation
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_restore_status import check_restore_status
from utils.steps.delete_rds import delete_rds
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

SECOND_ARN = EXECUTION_ARN.replace(OPERATION, "repair-1")


def last_step(aws: FakeAws, error: str = "", arn: str = EXECUTION_ARN, **other: Any) -> StepResult:
    """Let the state machine's last step do it."""
    output = {"Error": error, "Cause": f"found {error}"} if error else None
    event = ClosingEvent(operation_id=OPERATION, execution_arn=arn, error=output, failed_step="Delete RDS", **other)
    return sns_notification(event, aws.services)


def redriven(aws: FakeAws, redrive_count: int = 1) -> None:
    """Let a step run in a redrive of the execution."""
    event = StepEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, redrive_count=redrive_count)
    on_operation(StepName.DELETE_RDS, event, aws.services, lambda *_: StepResult(status=StepStatus.READY))


@pytest.mark.parametrize(
    ("status", "name", "words"),
    [
        ("ABORTED", "ExecutionStopped", "an execution that was stopped"),
        ("TIMED_OUT", "ExecutionTimedOut", "took longer than the state machine may"),
    ],
)
def test_what_no_step_could_close_is_closed(copied: FakeAws, status: str, name: str, words: str) -> None:
    copied.run(delete_rds)

    ended(copied, status)

    operation = copied.operation
    assert operation.status is OperationStatus.FAILED
    assert operation.error is not None
    assert (operation.error.name, operation.error.step) == (name, "Delete RDS")
    assert copied.operations.locks == {}
    (message,) = copied.topic.messages
    assert message["Subject"] == f"Aurora restore of staging FAILED: {name}"
    assert words in message["Message"]
    assert '{"resume": "nightly-1"}' in message["Message"]


def test_a_failure_that_no_step_caught_is_closed_under_its_name(copied: FakeAws) -> None:
    ended(copied, "FAILED", error="States.DataLimitExceeded", cause="Planted-Pa55word")
    assert copied.operation.error is not None
    assert copied.operation.error.name == "States.DataLimitExceeded"
    assert "Planted" not in copied.operation.model_dump_json() + str(copied.topic.messages)


def test_a_failure_without_a_name_is_closed(copied: FakeAws) -> None:
    ended(copied, "FAILED")
    assert copied.operation.error is not None
    assert copied.operation.error.name == "States.Runtime"


def test_what_the_person_wrote_who_stopped_it_goes_nowhere(copied: FakeAws) -> None:
    ended(copied, "ABORTED", error="Planted-Pa55word", cause="Planted-Pa55word")
    assert "Planted" not in copied.operation.model_dump_json() + str(copied.topic.messages)


def test_what_the_last_step_closed_and_told_is_left(copied: FakeAws) -> None:
    last_step(copied, "TargetProtected")
    before = copied.operation

    ended(copied, "FAILED", error="TargetProtected", cause="found it")

    assert copied.operation == before
    assert len(copied.topic.messages) == 1


def test_what_the_last_step_closed_but_could_not_tell_is_told(copied: FakeAws) -> None:
    copied.topic.refuses_with = "Throttled"
    last_step(copied, "TargetProtected")
    copied.topic.refuses_with = None
    for _ in range(2):
        ended(copied, "FAILED", error="TargetProtected")
    (message,) = copied.topic.messages
    assert message["Subject"].endswith("FAILED: TargetProtected")


def test_word_that_comes_twice_is_told_once(copied: FakeAws) -> None:
    assert ended(copied).details["name"] == "ExecutionStopped"
    assert ended(copied).details == {}
    assert len(copied.topic.messages) == 1


def test_a_run_that_was_stopped_after_its_success_stays_one(restored: FakeAws) -> None:
    restored.run(check_restore_status)
    restored.run(archive_snapshot)
    last_step(restored)
    ended(restored)
    assert restored.operation.status is OperationStatus.SUCCEEDED
    assert len(restored.topic.messages) == 1


def test_a_run_that_was_stopped_before_it_had_a_plan_gives_its_lock_back(aws: FakeAws) -> None:
    aws.west.fail("describe_db_clusters", "Throttling")
    with pytest.raises(errors.AwsThrottled):
        aws.start()
    assert aws.operations.locks[LOCK].holder == OPERATION

    ended(aws)

    assert aws.operations.locks == {}
    row = aws.operations.find_unplanned(OPERATION)
    assert row is not None
    assert row.error is not None
    assert (row.error.name, row.error.step) == ("ExecutionStopped", "Snapshot Check")
    assert len(aws.topic.messages) == 1


def test_when_the_tries_of_the_first_step_are_used_up_the_last_one_gives_the_lock_back(aws: FakeAws) -> None:
    aws.west.fail("describe_db_clusters", "Throttling")
    with pytest.raises(errors.AwsThrottled):
        aws.start()
    last_step(aws, "AwsThrottled")
    assert aws.operations.locks == {}
    ended(aws, "FAILED", error="AwsThrottled")
    assert len(aws.topic.messages) == 1


def test_an_execution_that_was_stopped_before_its_first_step_is_told(aws: FakeAws) -> None:
    ended(aws)
    assert aws.topic.messages[0]["Subject"] == "Aurora restore of nightly-1 FAILED: ExecutionStopped"


def refused_as_second(aws: FakeAws) -> None:
    aws.executions.running.add(EXECUTION_ARN)
    event = StartEvent(operation_id="repair-1", execution_arn=SECOND_ARN, request={})
    with pytest.raises(errors.OperationInProgress):
        snapshot_check(event, aws.services)


def test_a_refused_run_does_not_give_the_lock_of_the_other_back(copied: FakeAws) -> None:
    refused_as_second(copied)
    ended(copied, "FAILED", arn=SECOND_ARN, error="OperationInProgress")
    assert copied.operations.locks[LOCK].holder == OPERATION
    assert copied.operation.status is OperationStatus.RUNNING


RESUME = json.dumps({"resume": OPERATION})


def resume(aws: FakeAws, arn: str = SECOND_ARN) -> None:
    event = StartEvent(operation_id="repair-1", execution_arn=arn, request={"resume": OPERATION})
    snapshot_check(event, aws.services)


def test_a_resuming_execution_that_was_stopped_closes_the_operation_it_went_on_with(copied: FakeAws) -> None:
    ended(copied)
    resume(copied)
    ended(copied, "ABORTED", arn=SECOND_ARN, input=RESUME)
    operation = copied.operation
    assert operation.status is OperationStatus.FAILED
    assert [record.error.name for record in operation.executions if record.error] == ["ExecutionStopped"] * 2
    assert copied.operations.locks == {}
    assert len(copied.topic.messages) == 2


def test_a_refused_resumption_leaves_the_operation_alone(copied: FakeAws) -> None:
    copied.executions.running.add(EXECUTION_ARN)
    with pytest.raises(errors.OperationInProgress):
        resume(copied)
    ended(copied, "FAILED", arn=SECOND_ARN, input=RESUME, error="OperationInProgress", cause="found it")
    assert copied.operation.status is OperationStatus.RUNNING
    assert copied.operations.locks[LOCK].holder == OPERATION
    assert copied.topic.messages[0]["Subject"] == "Aurora restore of repair-1 FAILED: OperationInProgress"


def test_late_word_of_the_first_execution_does_not_close_the_second(copied: FakeAws) -> None:
    resume(copied)
    ended(copied)
    assert copied.operation.status is OperationStatus.RUNNING
    assert copied.operations.locks[LOCK].execution_arn == SECOND_ARN
    assert copied.topic.messages == []


def test_the_last_step_of_an_execution_that_was_replaced_closes_nothing(copied: FakeAws) -> None:
    resume(copied)
    result = last_step(copied, "OperationClosed")
    assert result.details["name"] == "OperationClosed"
    assert copied.operation.status is OperationStatus.RUNNING


def test_late_word_of_the_time_before_a_redrive_does_not_close_it(copied: FakeAws) -> None:
    ended(copied)
    redriven(copied)
    assert ended(copied).details == {}
    assert copied.operation.status is OperationStatus.RUNNING
    assert copied.operations.locks[LOCK].redrive_count == 1


def test_a_redrive_that_is_stopped_again_is_closed_again(copied: FakeAws) -> None:
    ended(copied)
    redriven(copied)
    ended(copied, redriveCount=1)
    assert copied.operation.status is OperationStatus.FAILED
    assert copied.operations.locks == {}
    assert len(copied.topic.messages) == 2


def test_a_redrive_of_the_last_step_makes_a_success_of_it(restored: FakeAws) -> None:
    restored.run(check_restore_status)
    restored.run(archive_snapshot)
    ended(restored)
    last_step(restored, redrive_count=1)
    assert restored.operation.status is OperationStatus.SUCCEEDED
    assert restored.operations.locks == {}


def test_a_redrive_that_may_not_go_on_says_why(copied: FakeAws) -> None:
    ended(copied)
    result = last_step(copied, "OperationInProgress", redrive_count=1)
    assert (result.details["name"], result.details["message"]) == ("OperationInProgress", "found OperationInProgress")
    assert copied.operation.error is not None
    assert copied.operation.error.name == "ExecutionStopped"
    assert len(copied.topic.messages) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"resume": 7}', '{"resume": "a b"}', None])
def test_an_input_that_names_no_operation_leaves_the_execution_its_own(copied: FakeAws, text: str | None) -> None:
    ended(copied, input=text)
    assert copied.operation.status is OperationStatus.FAILED


def test_another_event_is_refused() -> None:
    with pytest.raises(ValueError, match="operation_id"):
        ClosingEvent.model_validate({"detail-type": "RDS DB Cluster Event", "detail": {}})


def test_a_run_that_restored_but_could_not_be_closed_is_closed_as_a_success(restored: FakeAws) -> None:
    restored.run(archive_snapshot)
    ended(restored, "SUCCEEDED")
    assert restored.operation.status is OperationStatus.SUCCEEDED
    assert restored.operation.finished_at is not None
    assert LOCK not in restored.operations.locks


def test_a_success_that_was_closed_is_told_once(restored: FakeAws) -> None:
    restored.run(archive_snapshot)
    last_step(restored)
    ended(restored, "SUCCEEDED")
    assert len(restored.topic.messages) == 1


def test_a_message_that_aws_did_not_take_is_tried_again_by_lambda(copied: FakeAws) -> None:
    copied.topic.refuses_with = "Throttled"
    for _ in range(2):
        with pytest.raises(errors.AwsUnavailable, match="not told: message not sent: AwsThrottled"):
            ended(copied)
    assert copied.operation.status is OperationStatus.FAILED
    assert copied.operations.locks == {}

    copied.topic.refuses_with = None
    ended(copied)

    assert len(copied.topic.messages) == 1
