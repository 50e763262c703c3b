"""Step 10: close the operation row, release the lock, tell people."""

import json
from datetime import UTC, datetime
from typing import Any

from utils import errors
from utils.announcements import announce_end, announce_refusal, notify
from utils.errors import AuroraRestoreError, OperationClosed
from utils.messages import message_for_failure, message_for_success
from utils.operation import Operation, OperationError, OperationStatus, StepName
from utils.services import Services
from utils.step import ClosingEvent, StepResult, StepStatus
from utils.summary import summarise

_LONGEST_MESSAGE = 2000


def sns_notification(event: ClosingEvent, services: Services) -> StepResult:
    """End the operation as SUCCEEDED, or with `error` as FAILED; a message that cannot be sent changes neither."""
    operation = services.operations.find(event.operation_id)
    if operation is None:
        error = _error(event) or _not_found()
        services.operations.record_refusal(event.operation_id, event.execution_arn, error, datetime.now(UTC))
        announce_refusal(event.operation_id, event.execution_arn, error, services)
        sent = notify(message_for_failure(event.operation_id, event.execution_arn, error, {}), services)
        return _failure(error, None, sent)
    ends_now = operation.finished_at is None
    if ends_now:
        _close(operation, _error(event), services)
    summary = summarise(operation)
    try:
        services.operations.release_lock(
            services.settings.target_region, operation.identifiers.target_cluster_id, operation.operation_id
        )
    finally:
        # A lock that cannot be released now is tried again, by a call that finds the operation closed.
        if ends_now:
            announce_end(operation, summary["seconds"], services)
    return _tell(operation, summary, services)


def _close(operation: Operation, error: OperationError | None, services: Services) -> None:
    if error is None and operation.archive is None and not operation.request.dry_run:
        raise OperationClosed(
            f"operation {operation.operation_id} at {operation.current_step.value}",
            field="operation_id",
            expected="one that went through Archive Snapshot, or an error to close it with",
            action="leave closing to the state machine; it was not closed",
        )
    operation.status = OperationStatus.FAILED if error else OperationStatus.SUCCEEDED
    operation.error, operation.finished_at = error, datetime.now(UTC)
    operation.current_step = StepName.SNS_NOTIFICATION
    services.operations.save(operation)


def _tell(operation: Operation, summary: dict[str, Any], services: Services) -> StepResult:
    if operation.error is None:
        sent = notify(message_for_success(summary), services)
        return StepResult(status=StepStatus.READY, details=summary | {"notification": sent})
    message = message_for_failure(operation.operation_id, operation.execution_arn, operation.error, summary)
    return _failure(operation.error, operation.identifiers.target_cluster_id, notify(message, services))


def _failure(error: OperationError, target_cluster_id: str | None, sent: str) -> StepResult:
    details = {"status": OperationStatus.FAILED.value, "target_cluster_id": target_cluster_id, "notification": sent}
    return StepResult(status=StepStatus.READY, details=error.model_dump() | details)


def _not_found() -> OperationError:
    return OperationError(name="OperationNotFound", message="no operation row at the end of the run", step="")


def _error(event: ClosingEvent) -> OperationError | None:
    if event.error is None:
        return None
    name, cause = str(event.error.get("Error", "Unknown")), str(event.error.get("Cause", ""))
    return OperationError(name=name, message=_message(name, cause), step=event.failed_step)


def _message(name: str, cause: str) -> str:
    known = getattr(errors, name, None)
    if not (isinstance(known, type) and issubclass(known, AuroraRestoreError)):
        # The text of an error that is not ours may hold anything; the function's log has it.
        return f"{name}, an error the pipeline does not know; what to do: read the log of the step's function"
    try:
        return str(json.loads(cause)["errorMessage"])[:_LONGEST_MESSAGE]
    except (json.JSONDecodeError, KeyError, TypeError):
        return cause[:_LONGEST_MESSAGE]
