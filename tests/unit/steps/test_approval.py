"""A run that needs approval waits for a person before anything is changed, and ends where there is none."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.stories import ended
from utils.errors import ApprovalRejected, AwsThrottled, OperationClosed
from utils.evidence.compiling import evidence_of
from utils.operation.model import OperationStatus
from utils.report.advice import Advice, advice_after
from utils.runtime.contract import ClosingEvent, StepResult, StepStatus
from utils.runtime.services import Services
from utils.steps.sns_notification import sns_notification

ASKED = {"approval": {"timeout_hours": 2}}
YES = {"approved": True, "approver": "arn:aws:sts::123456789012:assumed-role/approver/eve", "reason": "checked"}


@pytest.fixture
def waiting(aws: FakeAws) -> FakeAws:
    """A run whose plan is made and that asks."""
    aws.has_old_target()
    aws.start(**ASKED)
    asks(aws)
    return aws


def asks(aws: FakeAws, **other: Any) -> StepResult:
    return call(aws.services, **{"task_token": "token-1"} | other)


def call(services: Services, **event: Any) -> StepResult:
    whole = {"operation_id": OPERATION, "execution_arn": EXECUTION_ARN} | event
    return sns_notification(ClosingEvent.model_validate(whole), services)


def test_a_request_with_approval_says_how_long_a_person_may_take(aws: FakeAws) -> None:
    aws.has_old_target()
    assert aws.start(**ASKED).details["approval_seconds"] == 7200


def test_a_request_without_it_asks_nobody(aws: FakeAws) -> None:
    aws.has_old_target()
    assert aws.start().details["approval_seconds"] == 0


def test_the_stack_can_ask_in_every_run_and_a_dry_run_asks_nobody(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.services = aws.services_with(REQUIRE_APPROVAL="true")
    assert aws.start(dry_run=True, **ASKED).details["approval_seconds"] == 0
    aws.operations.rows.clear()
    assert aws.start().details["approval_seconds"] == 24 * 3600
    aws.operations.rows.clear()
    assert aws.start(**ASKED).details["approval_seconds"] == 7200


def test_the_lock_outlasts_the_wait(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.start()
    [without] = aws.operations.locks.values()
    aws.operations.rows.clear()
    aws.start(**ASKED)
    [with_it] = aws.operations.locks.values()
    longer = (with_it.expires_at - with_it.acquired_at) - (without.expires_at - without.acquired_at)
    assert longer == timedelta(hours=2)


def test_people_get_the_plan_and_both_commands_and_the_token_goes_to_the_approvers_table_only(waiting: FakeAws) -> None:
    (message,) = waiting.topic.messages
    assert message["Subject"] == "Aurora restore WAITS FOR APPROVAL: staging"
    for words in (
        "A run would", "delete", "Nothing was changed.",
        f"./restore.sh approve {OPERATION} --reason", f"./restore.sh reject {OPERATION} --reason",
    ):  # fmt: skip
        assert words in message["Message"], words
    token, target, expires_at = waiting.approvals.questions[OPERATION]
    record = waiting.operation.approval
    assert record is not None
    assert (token, target, expires_at) == ("token-1", "staging", record.expires_at)
    kept = (waiting.operations.rows, waiting.audit.rows, waiting.topic.messages, waiting.bus.events)
    assert "token-1" not in str(kept)
    assert "token-1" not in repr(ClosingEvent(operation_id=OPERATION, task_token="token-1"))
    assert waiting.west.changes == []


def test_a_question_that_cannot_be_sent_is_not_waited_for(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.start(**ASKED)
    aws.topic.refuses_with = "ThrottledException"
    with pytest.raises(AwsThrottled):
        asks(aws)


@pytest.mark.parametrize(
    ("answer", "state"), [(None, "Ask for Approval"), (False, "Record Approval"), (True, "Snapshot Check")]
)
def test_an_end_that_no_step_could_close_says_whether_a_person_was_asked(
    waiting: FakeAws, answer: bool | None, state: str
) -> None:
    if answer is not None:
        with contextlib.suppress(ApprovalRejected):
            call(waiting.services, answer=YES | {"approved": answer})
    ended(waiting, "ABORTED")
    assert waiting.operation.error is not None
    assert waiting.operation.error.step == state


def test_an_approval_is_written_down_with_who_and_why_and_asked_for_once(waiting: FakeAws) -> None:
    result = call(waiting.services, answer=YES)

    assert result.status is StepStatus.READY
    record = waiting.operation.approval
    assert record is not None
    assert (record.approved, record.approver, record.reason) == (True, YES["approver"], "checked")
    assert waiting.operation.status is OperationStatus.RUNNING
    assert waiting.start(**ASKED).details["approval_seconds"] == 0
    evidence = evidence_of(waiting.operation, waiting.audit.trail(OPERATION), waiting.operation.updated_at)
    assert evidence.approval is not None
    assert (evidence.approval.approver, evidence.approval.approved) == (YES["approver"], True)
    assert "CloudTrail" in evidence.approval.proof
    assert [phase.name for phase in evidence.timeline if phase.approval_seconds >= 0][-1] == "approval"


def test_a_rejection_ends_the_run_with_the_reason_and_nothing_changed(waiting: FakeAws) -> None:
    no = {**YES, "approved": False, "reason": "not tonight"}

    with pytest.raises(ApprovalRejected, match=r"eve: not tonight.*nothing was changed") as caught:
        call(waiting.services, answer=no)

    assert str(caught.value).count("nothing was changed") == 1, "it is said once"
    record = waiting.operation.approval
    assert record is not None
    assert record.approved is False
    assert advice_after("ApprovalRejected", waiting.operation) is Advice.NEW_RUN
    assert advice_after("ApprovalTimedOut", waiting.operation) is Advice.RESUME
    call(waiting.services, error={"Error": "ApprovalRejected", "Cause": "{}"}, failed_step="Record Approval")
    assert waiting.operations.locks == {}
    assert waiting.west.changes == []


def test_an_answer_for_an_execution_that_does_not_work_on_it_any_more_is_refused(waiting: FakeAws) -> None:
    with pytest.raises(OperationClosed):
        call(waiting.services, execution_arn=f"{EXECUTION_ARN}-other", answer=YES)
    assert waiting.operation.approval is not None
    assert waiting.operation.approval.approved is None


@pytest.mark.parametrize("answer", [{}, {"approved": True}, {**YES, "more": 1}, "yes"])
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match="answer"):
        ClosingEvent.model_validate({"operation_id": OPERATION, "answer": answer})
