"""A person approves a plan before anything is changed: the question, and the answer."""

from datetime import UTC, datetime, timedelta

from utils.errors import ApprovalRejected
from utils.operation.model import Operation
from utils.operation.records import ApprovalRecord
from utils.operation.store import get_operation
from utils.report.approval_message import message_for_approval
from utils.report.changes import changed_so_far, telling
from utils.report.preview import preview_of
from utils.report.summary import summarise
from utils.runtime import resumption
from utils.runtime.contract import Answer, ClosingEvent, StepResult, StepStatus
from utils.runtime.services import Services

# The states of the state machine that are no step.
ASKING, RECORDING = "Ask for Approval", "Record Approval"


def ask_or_record(event: ClosingEvent, services: Services) -> StepResult | None:
    """Ask a person, or write down what was answered; None for an event that ends the operation.

    Raises `ApprovalRejected` for an answer that is none, and whatever keeps the question from being sent: nobody would
    answer it.
    """
    if event.task_token is None and event.answer is None:
        return None
    operation = get_operation(services.operations, event.operation_id)
    if resumption.is_redrive(event.attempt, operation):
        resumption.reopen(operation, event.attempt, services, may_take_over=False)
    resumption.check_worked_on_by(event.attempt, operation)
    if event.task_token is not None:
        return _ask(operation, event.task_token.get_secret_value(), services)
    with telling(lambda: changed_so_far(operation).in_words()):
        return _record(operation, event.answer, services) if event.answer else None


def _ask(operation: Operation, task_token: str, services: Services) -> StepResult:
    approval = operation.request.approval
    now = datetime.now(UTC)
    expires_at = now + timedelta(seconds=approval.seconds if approval else 0)
    operation.approval = ApprovalRecord(asked_at=now, expires_at=expires_at)
    services.operations.save(operation)
    target_id = operation.identifiers.target_cluster_id
    services.approvals.ask(operation.operation_id, task_token, target_id, expires_at)
    beside = services.settings.environment_beside
    services.notifier.publish(message_for_approval(summarise(operation), preview_of(operation), expires_at, beside))
    return StepResult(status=StepStatus.IN_PROGRESS, details={"approval": "asked", "until": expires_at.isoformat()})


def _record(operation: Operation, answer: Answer, services: Services) -> StepResult:
    now = datetime.now(UTC)
    record = operation.approval or ApprovalRecord(asked_at=now, expires_at=now)
    record.approved, record.approver, record.reason, record.answered_at = (
        answer.approved, answer.approver, answer.reason, now,
    )  # fmt: skip
    operation.approval = record
    services.operations.save(operation)
    if not answer.approved:
        raise ApprovalRejected(
            f"an answer of {answer.approver}: {answer.reason or 'no reason given'}",
            expected="an approval of the plan",
            action="start a new run with what was missing; nothing was changed",
        )
    return StepResult(status=StepStatus.READY, details={"approval": "approved", **answer.model_dump()})


def reached(operation: Operation) -> str:
    """Return the step, or the state of the question, that an execution had come to which does not say so itself."""
    approval = operation.approval
    if approval is None or approval.approved:
        return operation.current_step
    return RECORDING if approval.approved is False else ASKING
