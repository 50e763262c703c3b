"""How an operation that ended too early is resumed: by another execution, or by a redrive of the same one."""

from datetime import UTC, datetime

from utils.errors import OperationClosed, OperationInProgress, OperationNotResumable
from utils.operation.model import ExecutionRecord, Operation, OperationStatus, StepName
from utils.operation.records import OperationError
from utils.operation.store import Attempt
from utils.runtime.services import Services
from utils.runtime.target_lock import take_lock


def attempt_at(operation: Operation) -> Attempt:
    """Return who works on the operation now, or did last."""
    return Attempt(execution_arn=operation.execution_arn, redrive_count=operation.redrive_count)


def is_redrive(attempt: Attempt, operation: Operation) -> bool:
    """Tell whether the operation's own execution was redriven since the row was written."""
    return attempt.execution_arn == operation.execution_arn and attempt.redrive_count > operation.redrive_count


def check_worked_on_by(attempt: Attempt, operation: Operation) -> None:
    """Refuse an execution that is not the operation's, or not any more; a step called by hand has none."""
    if attempt.execution_arn and attempt != attempt_at(operation):
        raise OperationClosed(
            f"operation {operation.operation_id}, which execution {operation.execution_arn} "
            f"(redrive {operation.redrive_count}) has taken over",
            field="operation_id",
            expected=f"execution {attempt.execution_arn} (redrive {attempt.redrive_count}) to be the last",
            action="leave it to that execution; this call changed nothing",
        )


def check_resumable(operation: Operation, services: Services) -> None:
    """Refuse an operation that cannot be resumed, or whose execution still runs."""
    if operation.retires is not None:
        raise OperationNotResumable(
            f"operation {operation.operation_id}, "
            + (
                f"the retirement of what {operation.retires} put aside"
                if operation.afterwards is None
                else f"which is to {operation.afterwards.action} the cluster of {operation.retires}"
            ),
            field="resume",
            expected="an operation that restores",
            action="start its state machine again (its message has the command), or do by hand what it was to do; "
            "nothing was changed",
        )
    if operation.bring_back is not None and operation.bring_back.finished_at is not None:
        raise OperationNotResumable(
            f"operation {operation.operation_id}, which brought the old data back",
            field="resume",
            expected="an operation whose target is still to be restored",
            action="start a new run without resume; nothing was changed",
        )
    check_may_go_on(operation)
    ended_well = operation.status is OperationStatus.SUCCEEDED
    if ended_well or operation.request.dry_run:
        raise OperationNotResumable(
            f"operation {operation.operation_id}, {'which succeeded' if ended_well else 'a dry run'}",
            field="resume",
            expected="an operation that failed",
            action="start a new run without resume; nothing was changed",
        )
    if operation.status is OperationStatus.RUNNING and services.executions.is_running(operation.execution_arn):
        raise OperationInProgress(
            f"operation {operation.operation_id}, on which execution {operation.execution_arn} works",
            field="resume",
            expected="an operation whose execution has ended",
            action="wait for that execution or stop it, then resume; nothing was changed",
        )


def is_started_again(attempt: Attempt, operation: Operation) -> bool:
    """Tell whether a new execution goes on with what deletes or stops a cluster, and failed."""
    known = {record.execution_arn for record in operation.executions}
    has_failed = operation.retires is not None and operation.status is OperationStatus.FAILED
    return has_failed and attempt.execution_arn != "" and attempt.execution_arn not in known


def check_may_go_on(operation: Operation) -> None:
    """Refuse a drill that has ended: what it made goes again, and nothing would remove what came after."""
    if operation.retires is None and operation.request.is_drill and not operation.request.dry_run:
        raise OperationNotResumable(
            f"operation {operation.operation_id}, a drill, after which everything is removed",
            field="resume",
            expected="an operation whose cluster stays",
            action="start a new drill; nothing was changed",
        )


def reopen(operation: Operation, attempt: Attempt, services: Services, *, may_take_over: bool = True) -> None:
    """Let `attempt` work on the operation and lock its target again; raises `OperationInProgress`.

    The row goes first: of two attempts at once its version lets one through. What is not finished gets its whole
    time budget again.
    """
    check_may_go_on(operation)
    before = operation.model_copy(deep=True)
    now = datetime.now(UTC)
    if operation.executions and operation.executions[-1].finished_at is None:
        operation.executions[-1].finished_at = now
    operation.executions.append(
        ExecutionRecord(execution_arn=attempt.execution_arn, redrive_count=attempt.redrive_count, started_at=now)
    )
    operation.execution_arn, operation.status = attempt.execution_arn, OperationStatus.RUNNING
    operation.error, operation.finished_at, operation.notified_at = None, None, None
    operation.current_step = StepName.SNAPSHOT_CHECK
    _restart_clocks(operation)
    services.operations.save(operation)
    try:
        lock_again(operation, attempt, services, may_take_over=may_take_over)
    except OperationInProgress:
        before.version = operation.version
        services.operations.save(before)
        raise


def lock_again(operation: Operation, attempt: Attempt, services: Services, *, may_take_over: bool = True) -> None:
    """Lock the target of an operation that has a plan; it may hold the lock already."""
    take_lock(
        operation.operation_id,
        attempt,
        operation.identifiers.target_cluster_id,
        operation.request,
        services,
        may_take_over=may_take_over,
    )


def close(operation: Operation, error: OperationError | None, services: Services) -> None:
    """End the operation, as failed if there is an error; what went wrong stays with the execution's record."""
    now = datetime.now(UTC)
    operation.status = OperationStatus.FAILED if error else OperationStatus.SUCCEEDED
    operation.error, operation.finished_at = error, now
    if operation.executions:
        operation.executions[-1].finished_at, operation.executions[-1].error = now, error
    services.operations.save(operation)


def _restart_clocks(operation: Operation) -> None:
    # Budgets count by RDS's clock, of which nothing is known here: the next look starts them.
    if operation.copied and not operation.copied.finished_at:
        operation.copied = None
    if operation.deletion and not operation.deletion.finished_at:
        operation.deletion.started_at, operation.deletion.final_snapshot_is_fresh = None, False
    if operation.restore and not operation.restore.finished_at:
        operation.restore = None
    if operation.bring_back:
        operation.bring_back.error = None
    if operation.swap and not operation.swap.finished_at:
        operation.swap.started_at = None
    if operation.users and not operation.users.proofs:
        # The secret may hold another password by now: it is set again.
        operation.users.master_reset_at = None
