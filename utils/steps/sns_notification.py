"""Step 10: close the operation row, release the lock, tell people.

The state machine calls it as its last step. EventBridge calls it when an execution ended without success: what the last
step did is left as it is, what it could not do (the execution was stopped, or timed out) is done now.
"""

import json
from datetime import UTC, datetime
from typing import Any

from utils import errors
from utils.errors import AuroraRestoreError, OperationClosed, OperationRowConflict
from utils.operation.model import Operation, OperationError, OperationStatus, StepName
from utils.operation.store import UnplannedOperation
from utils.report.messages import message_for_failure, message_for_success
from utils.report.summary import Summary, summarise
from utils.runtime import resumption
from utils.runtime.announcements import SENT, announce_end, announce_refusal, notify
from utils.runtime.contract import ClosingEvent, StepResult, StepStatus
from utils.runtime.services import Services

_LONGEST_MESSAGE = 2000


def sns_notification(event: ClosingEvent, services: Services) -> StepResult:
    """End the operation as SUCCEEDED, or with `error` as FAILED; a message that cannot be sent changes neither."""
    operation = services.operations.find(event.operation_id)
    if operation is None or (event.execution_arn and event.execution_arn != operation.execution_arn):
        return _end_unplanned(event, services)
    if event.execution_arn and event.redrive_count < operation.redrive_count:
        return StepResult(status=StepStatus.READY)  # late word: a redrive goes on with it
    is_redrive = resumption.is_redrive(event.attempt, operation)
    if is_redrive and event.error is None:
        resumption.reopen(operation, event.attempt, services, may_take_over=False)
    is_done = event.has_ended and operation.finished_at is not None and operation.notified_at is not None
    ends_now = operation.finished_at is None
    if ends_now:
        _close(operation, _error(event, operation.current_step), services)
    summary = summarise(operation)
    try:
        services.operations.release_lock(
            services.settings.target_region,
            operation.identifiers.target_cluster_id,
            operation.operation_id,
            event.attempt if event.execution_arn else None,
        )
    finally:
        # A lock that cannot be released now is tried again, by a call that finds the operation closed.
        if ends_now:
            announce_end(operation, summary.seconds, services)
    if is_done:
        return StepResult(status=StepStatus.READY)
    own = None if event.has_ended else _error(event, event.failed_step)
    # A redrive that was not let in leaves the row as it was, and says why.
    error = (own or operation.error) if is_redrive else (operation.error or own)
    return _tell(operation, summary, error, services)


def _close(operation: Operation, error: OperationError | None, services: Services) -> None:
    if error is None and operation.archive is None and not operation.request.dry_run:
        raise OperationClosed(
            f"operation {operation.operation_id} at {operation.current_step.value}",
            field="operation_id",
            expected="one that went through Archive Snapshot, or an error to close it with",
            action="leave closing to the state machine; it was not closed",
        )
    operation.current_step = StepName.SNS_NOTIFICATION
    resumption.close(operation, error, services)


def _tell(operation: Operation, summary: Summary, error: OperationError | None, services: Services) -> StepResult:
    """Publish the end once: a second call, or EventBridge's after the last step's, finds it told."""
    if error is None:
        details, message = summary.as_json(), message_for_success(summary)
    else:
        details = _details(error, operation.identifiers.target_cluster_id)
        message = message_for_failure(operation.operation_id, operation.execution_arn, error, summary)
    sent = SENT if operation.notified_at and error == operation.error else notify(message, services)
    if sent == SENT and operation.notified_at is None:
        operation.notified_at = datetime.now(UTC)
        services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details=details | {"notification": sent})


def _end_unplanned(event: ClosingEvent, services: Services) -> StepResult:
    """End an execution that has no operation: its request was refused, or the operation it named is not its own."""
    # The name of the execution, which is not the operation's when that was to be resumed.
    name = event.execution_arn.rpartition(":")[2] or event.operation_id
    error = _error(event, event.failed_step or StepName.SNAPSHOT_CHECK) or _not_found()
    row = services.operations.find_unplanned(name)
    if row is None and event.has_ended and services.operations.find(name) is not None:
        return StepResult(status=StepStatus.READY)  # another execution went on with what began as this one
    row = row or UnplannedOperation(
        operation_id=name,
        execution_arn=event.execution_arn,
        redrive_count=event.redrive_count,
        created_at=datetime.now(UTC),
    )
    if event.redrive_count < row.redrive_count:
        return StepResult(status=StepStatus.READY)  # late word: a redrive goes on with it
    is_done = event.has_ended and row.error is not None and row.notified_at is not None
    ends_now = row.error is None
    if row.error is None:
        row.error, row.finished_at = error, datetime.now(UTC)
        _save_end(row, services)
    try:
        if row.target_cluster_id is not None:
            region = services.settings.target_region
            services.operations.release_lock(region, row.target_cluster_id, name, event.attempt)
    finally:
        if ends_now:
            announce_refusal(name, event.execution_arn, row.error, services)
    if is_done:
        return StepResult(status=StepStatus.READY)
    sent = SENT
    if row.notified_at is None:
        sent = notify(message_for_failure(name, event.execution_arn, row.error, None), services)
    if sent == SENT and row.notified_at is None:
        row.notified_at = datetime.now(UTC)
        services.operations.save_unplanned(row)
    return StepResult(status=StepStatus.READY, details=_details(row.error, None) | {"notification": sent})


def _save_end(row: UnplannedOperation, services: Services) -> None:
    """Have this call made again if the execution's first step, which may outlive it, wrote its plan meanwhile."""
    if services.operations.save_unplanned(row):
        return
    operation = services.operations.find(row.operation_id)
    if operation is not None and operation.execution_arn == row.execution_arn:
        raise OperationRowConflict(
            f"a plan of operation {row.operation_id} that was written this moment",
            expected="none, as a moment ago",
            action="nothing, the step is tried again with the new row",
        )


def _details(error: OperationError, target_cluster_id: str | None) -> dict[str, Any]:
    status = {"status": OperationStatus.FAILED.value, "target_cluster_id": target_cluster_id}
    return error.model_dump() | status


def _not_found() -> OperationError:
    return OperationError(name="OperationNotFound", message="no operation row at the end of the run", step="")


def _error(event: ClosingEvent, step: str) -> OperationError | None:
    if event.error is None:
        return None
    name, cause = str(event.error.get("Error", "Unknown")), str(event.error.get("Cause", ""))
    return OperationError(name=name, message=_message(name, cause), step=event.failed_step or step)


def _message(name: str, cause: str) -> str:
    known = getattr(errors, name, None)
    if not (isinstance(known, type) and issubclass(known, AuroraRestoreError)):
        # The text of an error that is not ours may hold anything; the function's log has it.
        return f"{name}, an error the pipeline does not know; what to do: read the log of the step's function"
    try:
        return str(json.loads(cause)["errorMessage"])[:_LONGEST_MESSAGE]
    except (json.JSONDecodeError, KeyError, TypeError):
        return cause[:_LONGEST_MESSAGE]
