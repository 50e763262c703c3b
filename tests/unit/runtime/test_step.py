"""What every step has in common: a record on entry, on exit and on failure, and a failure that goes on."""

import json
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from utils.errors import (
    AwsThrottled,
    CopyFailed,
    InvalidRequest,
    OperationClosed,
    OperationNotFound,
)
from utils.operation.audit_log import AuditEvent
from utils.operation.model import Operation, OperationStatus, StepName
from utils.runtime import step as module
from utils.runtime.contract import ClosingEvent, StartEvent, StepEvent, StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.step import on_operation, step

CONTEXT = SimpleNamespace(aws_request_id="request-1", invoked_function_arn="arn:aws:lambda:function", function_name="f")
EVENT = {"operation_id": OPERATION, "execution_arn": EXECUTION_ARN}
STOPPED = {
    "detail-type": "Step Functions Execution Status Change",
    "detail": {"name": OPERATION, "executionArn": EXECUTION_ARN, "status": "ABORTED"},
}
DONE = StepResult(status=StepStatus.READY, details={"copy_arn": "arn:copy"})

Run = Callable[[StepEvent, Services], StepResult]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, aws: FakeAws) -> FakeAws:
    monkeypatch.setattr(module, "services", lambda: aws.services)
    return aws


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """The lines that the step's logger writes."""
    stream = StringIO()
    # Powertools keeps one handler for each service name, so each test needs a name of its own.
    made = Logger(service=uuid4().hex, stream=stream)
    monkeypatch.setattr(module, "logger", lambda: made)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def handle(run: Run, event: dict[str, Any] | None = None) -> dict[str, Any]:
    context: Any = CONTEXT
    return step(StepName.COPY_SNAPSHOT)(run)(EVENT if event is None else event, context)


def fail_with(error: Exception) -> Run:
    def run(_: StepEvent, __: Services) -> StepResult:
        raise error

    return run


def our_error() -> CopyFailed:
    return CopyFailed("no copy", expected="a copy", action="look")


def test_a_step_answers_with_json_without_empty_fields(aws: FakeAws) -> None:  # noqa: ARG001
    answer = handle(lambda *_: DONE)
    assert answer == {"status": "READY", "details": {"copy_arn": "arn:copy"}}


def test_a_step_is_recorded_when_it_is_entered_and_left(aws: FakeAws) -> None:
    handle(lambda *_: DONE)
    entered, left = aws.audit.rows
    assert (entered.event, entered.step, entered.actor) == (AuditEvent.ENTERED, "Copy Snapshot", EXECUTION_ARN)
    assert (left.event, left.status, left.details) == (AuditEvent.LEFT, "READY", {"copy_arn": "arn:copy"})
    assert left.at >= entered.at


def test_an_afterthought_is_recorded_only_if_something_was_done(aws: FakeAws) -> None:
    context: Any = CONTEXT
    step(StepName.SNS_NOTIFICATION, ClosingEvent)(lambda *_: StepResult(status=StepStatus.READY))(STOPPED, context)
    assert aws.audit.rows == []
    step(StepName.SNS_NOTIFICATION, ClosingEvent)(lambda *_: DONE)(STOPPED, context)
    entered, left = aws.audit.rows
    assert (entered.event, left.event) == (AuditEvent.ENTERED, AuditEvent.LEFT)
    assert left.at >= entered.at


def test_an_afterthought_that_fails_is_recorded_from_its_beginning(aws: FakeAws) -> None:
    context: Any = CONTEXT
    with pytest.raises(CopyFailed):
        step(StepName.SNS_NOTIFICATION, ClosingEvent)(fail_with(our_error()))(STOPPED, context)
    assert [row.event for row in aws.audit.rows] == [AuditEvent.ENTERED, AuditEvent.FAILED]


def test_the_calls_between_entry_and_exit_are_on_the_row_of_the_exit(aws: FakeAws) -> None:
    call: Any = SimpleNamespace(service_model=SimpleNamespace(service_name="rds"), name="CopyDBClusterSnapshot")
    aws.services.calls.record(model=call)

    def run(_: StepEvent, services: Services) -> StepResult:
        services.calls.record(model=call)
        return DONE

    handle(run)
    assert [row.api_calls for row in aws.audit.rows] == [[], ["rds:CopyDBClusterSnapshot"]]


def test_a_step_invoked_by_hand_is_recorded_under_its_function(aws: FakeAws) -> None:
    handle(lambda *_: DONE, {"operation_id": OPERATION})
    assert {row.actor for row in aws.audit.rows} == {"arn:aws:lambda:function"}


def test_a_failure_is_recorded_with_its_message_and_goes_on(aws: FakeAws) -> None:
    error = our_error()
    with pytest.raises(CopyFailed) as raised:
        handle(fail_with(error))
    assert raised.value is error
    failed = aws.audit.rows[-1]
    assert (failed.event, failed.status, failed.details) == (AuditEvent.FAILED, "CopyFailed", {"message": str(error)})


def test_the_text_of_an_unexpected_error_is_in_no_row_and_no_record_of_ours(
    aws: FakeAws, log: Callable[[], list[dict[str, Any]]]
) -> None:
    with pytest.raises(KeyError):
        handle(fail_with(KeyError("Planted-Pa55word")))
    failed = aws.audit.rows[-1]
    assert (failed.status, failed.details) == ("KeyError", {"message": "an error the pipeline does not know"})
    assert [line["message"]["status"] for line in log()] == ["", "KeyError"]
    assert "Planted" not in str(log())


def test_a_failure_whose_record_is_lost_is_logged_and_still_the_failure(
    aws: FakeAws, log: Callable[[], list[dict[str, Any]]]
) -> None:
    aws.audit.fails_with[AuditEvent.FAILED] = AwsThrottled("throttled", expected="room", action="nothing")
    with pytest.raises(CopyFailed):
        handle(fail_with(our_error()))
    assert log()[-1]["message"] == "the audit row of a failure could not be written"


@pytest.mark.parametrize("event", [AuditEvent.ENTERED, AuditEvent.LEFT])
def test_a_step_that_cannot_be_recorded_is_tried_again(aws: FakeAws, event: AuditEvent) -> None:
    aws.audit.fails_with[event] = AwsThrottled("throttled", expected="room", action="nothing")
    with pytest.raises(AwsThrottled):
        handle(lambda *_: DONE)


def test_every_line_of_the_log_names_operation_step_and_request(
    aws: FakeAws,  # noqa: ARG001
    log: Callable[[], list[dict[str, Any]]],
) -> None:
    with pytest.raises(CopyFailed):
        handle(fail_with(our_error()))
    entered, failed = log()
    for line in (entered, failed):
        assert (line["operation_id"], line["step"], line["request_id"]) == (OPERATION, "Copy Snapshot", "request-1")
    assert (entered["level"], failed["level"], failed["message"]["status"]) == ("INFO", "ERROR", "CopyFailed")


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "operation_id"),
        ({"operation_id": 7}, "operation_id"),
        ({"operation_id": ""}, "operation_id"),
        ({"operation_id": "lock#us-west-2#staging"}, "operation_id"),
        ({"operation_id": "a b"}, "operation_id"),
        ({"operation_id": "a\n"}, "operation_id"),
        ({"operation_id": "x" * 81}, "operation_id"),
        ({"operation_id": OPERATION, "password": "Planted-Pa55word"}, "password"),
        ([], "event"),
    ],
)
def test_an_event_that_does_not_fit_is_refused_by_field(aws: FakeAws, event: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        handle(lambda *_: DONE, event)
    assert refused.value.field == field
    assert "Planted" not in str(refused.value)
    assert aws.audit.rows == []


def test_the_first_step_needs_a_request_and_the_last_an_error_or_none(aws: FakeAws) -> None:  # noqa: ARG001
    context: Any = CONTEXT
    with pytest.raises(InvalidRequest) as refused:
        step(StepName.SNAPSHOT_CHECK, StartEvent)(lambda *_: DONE)(EVENT, context)
    assert refused.value.field == "request"
    with pytest.raises(InvalidRequest):
        step(StepName.SNS_NOTIFICATION, ClosingEvent)(lambda *_: DONE)(EVENT | {"error": "text"}, context)


def act_on(aws: FakeAws) -> StepResult:
    return on_operation(StepName.COPY_SNAPSHOT, StepEvent(operation_id=OPERATION), aws.services, lambda *_: DONE)


def ended(aws: FakeAws, status: OperationStatus) -> None:
    operation = aws.operation
    operation.status = status
    aws.operations.save(operation)


def test_a_step_acts_on_an_operation_that_runs(aws: FakeAws) -> None:
    aws.start()
    assert act_on(aws) == DONE


def test_the_row_says_at_which_step_it_was_written(aws: FakeAws) -> None:
    aws.start()

    def save(operation: Operation, services: Services) -> StepResult:
        services.operations.save(operation)
        return DONE

    for name in (StepName.COPY_SNAPSHOT, StepName.SETUP_DB_USERS):
        on_operation(name, StepEvent(operation_id=OPERATION), aws.services, save)
        assert aws.operation.current_step is name


def test_a_step_of_a_run_that_is_not_there_is_refused(aws: FakeAws) -> None:
    with pytest.raises(OperationNotFound):
        act_on(aws)


def test_nothing_is_left_to_do_for_a_run_that_succeeded(aws: FakeAws) -> None:
    aws.start()
    ended(aws, OperationStatus.SUCCEEDED)
    assert act_on(aws).details == {"operation": "SUCCEEDED, nothing is left to do"}


def test_no_step_acts_on_a_run_that_failed(aws: FakeAws) -> None:
    aws.start()
    ended(aws, OperationStatus.FAILED)
    with pytest.raises(OperationClosed, match="nightly-1 as FAILED"):
        act_on(aws)


@pytest.mark.parametrize("status", [OperationStatus.RUNNING, OperationStatus.SUCCEEDED])
def test_no_step_acts_on_a_dry_run(aws: FakeAws, status: OperationStatus) -> None:
    aws.start(dry_run=True)
    ended(aws, status)
    with pytest.raises(OperationClosed, match="nightly-1 as a dry run"):
        act_on(aws)
