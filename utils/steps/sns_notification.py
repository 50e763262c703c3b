"""Step 10: close the operation row, release the lock, tell people.

The state machine calls it as its last step. EventBridge calls it when an execution ended without success: what the last
step did is left as it is, what it could not do (the execution was stopped, or timed out) is done now.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from utils.aws.notifier import Notification
from utils.cluster.afterwards.beginning import end_what_never_began
from utils.cluster.retirement import end_retirement
from utils.cluster.target_record import remember_success
from utils.errors import AwsUnavailable, OperationClosed
from utils.operation.model import Operation, StepName
from utils.operation.records import OperationError
from utils.operation.retirement import restores
from utils.operation.store import UnplannedOperation
from utils.report.advice import advice_after
from utils.report.changes import with_what_came_after
from utils.report.messages import message_for_failure, message_for_success
from utils.report.retirement import message_for_afterwards, message_for_retirement, message_for_undo
from utils.report.summary import summarise
from utils.runtime import resumption
from utils.runtime.announcements import SENT, announce_end, notify
from utils.runtime.approval import ask_or_record, reached
from utils.runtime.contract import ClosingEvent, StepResult, StepStatus
from utils.runtime.evidence import ask_for_evidence
from utils.runtime.known_source import remember_source
from utils.runtime.services import Services
from utils.runtime.unplanned_end import UnplannedEnd, details_of, error_of

_LATE_WORD = StepResult(status=StepStatus.READY)  # of an execution that was redriven since: the redrive goes on with it


def sns_notification(event: ClosingEvent, services: Services) -> StepResult:
    """End the operation as SUCCEEDED, or with `error` as FAILED; a message that cannot be sent changes neither.

    Raises `AwsUnavailable` when EventBridge called and nobody could be told: Lambda makes such a call twice more, then
    it is a dead letter, of which an alarm tells.
    """
    about_approval = ask_or_record(event, services)
    if about_approval is not None:
        return about_approval
    operation = services.operations.find(event.operation_id)
    if operation is None or (event.execution_arn and event.execution_arn != operation.execution_arn):
        return _end_unplanned(event, services)
    if event.execution_arn and event.redrive_count < operation.redrive_count:
        return _LATE_WORD
    is_redrive = resumption.is_redrive(event.attempt, operation)
    if is_redrive and event.error is None:
        resumption.reopen(operation, event.attempt, services, may_take_over=False)
    return _end(_PlannedEnd(row=operation, event=event, services=services, is_redrive=is_redrive))


def _end_unplanned(event: ClosingEvent, services: Services) -> StepResult:
    """End an execution that has no operation: its request was refused, or the operation it named is not its own."""
    # The name of the execution, which is not the operation's when that was to be resumed.
    name = event.execution_arn.rpartition(":")[2] or event.operation_id
    row = services.operations.find_unplanned(name)
    if row is None and event.has_ended and (event.error is None or services.operations.find(name) is not None):
        # Another execution went on with what began as this one, or it only changed what becomes of a cluster.
        return StepResult(status=StepStatus.READY)
    row = row or UnplannedOperation(
        operation_id=name,
        execution_arn=event.execution_arn,
        redrive_count=event.redrive_count,
        created_at=datetime.now(UTC),
    )
    if event.redrive_count < row.redrive_count:
        return _LATE_WORD
    return _end(UnplannedEnd(row=row, event=event, services=services))


@dataclass(frozen=True, kw_only=True)
class _PlannedEnd:
    """The end of an operation that has a plan."""

    row: Operation
    event: ClosingEvent
    services: Services
    is_redrive: bool

    @property
    def error(self) -> OperationError | None:
        own = None if self.event.has_ended else error_of(self.event, self.event.failed_step)
        # A redrive that was not let in leaves the row as it was, and says why.
        first, second = (own, self.row.error) if self.is_redrive else (self.row.error, own)
        return first or second

    def close(self) -> None:
        error = with_what_came_after(error_of(self.event, reached(self.row)), self.row)
        if error is None and self.row.archive is None and not self.row.request.dry_run and restores(self.row):
            raise OperationClosed(
                f"operation {self.row.operation_id} at {self.row.current_step.value}",
                field="operation_id",
                expected="one that went through Archive Snapshot, or an error to close it with",
                action="leave closing to the state machine; it was not closed",
            )
        is_drill = self.row.request.is_drill
        if error is None and not self.row.request.dry_run and not self.row.retires and not is_drill:
            remember_success(self.row, self.services)
        if error is None and self.row.undoes is not None:
            end_retirement(self.row.undoes, self.services)
        if error is not None and self.row.request.afterwards is not None:
            end_what_never_began(self.row, self.services)
        # First of all: a call that is made again finds the row closed.
        remember_source(self.row, error, self.services)
        self.row.evidence = None  # what an earlier end left says nothing of this one
        self.row.current_step = StepName.SNS_NOTIFICATION
        resumption.close(self.row, error, self.services)

    def release_lock(self) -> None:
        self.services.operations.release_lock(
            self.services.settings.target_region,
            self.row.identifiers.target_cluster_id,
            self.row.operation_id,
            self.event.attempt if self.event.execution_arn else None,
        )

    def announce(self) -> None:
        if restores(self.row):
            announce_end(self.row, summarise(self.row).seconds, self.services)

    def ask_for_evidence(self) -> bool:
        return self.row.retires is None and ask_for_evidence(self.row, self.services)

    @property
    def lacks_evidence(self) -> bool:
        return self.row.evidence is not None and self.row.evidence.error is not None

    def message(self) -> Notification:
        if self.row.afterwards is not None:
            return message_for_afterwards(self.row, self.row.afterwards, self.error)
        if self.row.retires is not None:
            return message_for_retirement(summarise(self.row), self.row.execution_arn, self.error)
        if self.row.undoes is not None and self.error is None:
            return message_for_undo(summarise(self.row), self.row.undoes)
        if self.error is None:
            return message_for_success(summarise(self.row))
        advice = advice_after(self.error.name, self.row)
        return message_for_failure(
            self.row.operation_id, self.row.execution_arn, self.error, summarise(self.row), advice
        )

    def details(self) -> dict[str, Any]:
        if self.error is None:
            return summarise(self.row).as_json()
        return details_of(self.error, self.row.identifiers.target_cluster_id)

    def save(self) -> None:
        self.services.operations.save(self.row)


def _end(end: _PlannedEnd | UnplannedEnd) -> StepResult:
    """Close the row, give its lock back, tell of it: each once, whichever call comes first."""
    row = end.row
    is_done = end.event.has_ended and row.finished_at is not None and row.notified_at is not None
    ends_now = row.finished_at is None
    if ends_now:
        end.close()
    try:
        end.release_lock()
    finally:
        # A lock that cannot be released now is tried again, by a call that finds the row closed.
        if ends_now:
            end.announce()
    if is_done and not end.lacks_evidence:
        return StepResult(status=StepStatus.READY)
    is_new = end.ask_for_evidence()
    if end.event.has_ended and ends_now and end.lacks_evidence:
        end.save()
        raise _not_told(end, "its evidence could not be written")
    sent = SENT if row.notified_at and end.error == row.error else notify(end.message(), end.services)
    if sent == SENT and row.notified_at is None:
        row.notified_at, is_new = datetime.now(UTC), True
    if is_new:
        end.save()
    if end.event.has_ended and sent != SENT:
        raise _not_told(end, f"message {sent}")
    return StepResult(status=StepStatus.READY, details=end.details() | {"notification": sent})


def _not_told(end: _PlannedEnd | UnplannedEnd, why: str) -> AwsUnavailable:
    return AwsUnavailable(
        f"the end of operation {end.row.operation_id} as not told: {why}",
        expected="its message sent, and its evidence written",
        action="nothing, the operation is closed, and Lambda tries twice more to tell of it",
    )
