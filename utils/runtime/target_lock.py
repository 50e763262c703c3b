"""One operation per target: the lock is taken here, also from an operation whose execution has ended."""

from datetime import UTC, datetime, timedelta

from utils.errors import OperationInProgress
from utils.operation.store import Attempt, TargetLock
from utils.report.metrics import measure_lock
from utils.request.model import BRING_BACK, SWAP, RestoreRequest
from utils.runtime.services import Services

_BEYOND_THE_BUDGETS = timedelta(hours=2)


def take_lock(
    operation_id: str,
    attempt: Attempt,
    target_cluster_id: str,
    request: RestoreRequest,
    services: Services,
    *,
    may_take_over: bool = True,
) -> None:
    """Lock the target for longer than the budgets and the wait for approval; raises `OperationInProgress`.

    Taking over from an operation that has ended needs the right to look at executions, which not every step has.
    """
    region = services.settings.target_region
    now = datetime.now(UTC)
    wanted = TargetLock(
        holder=operation_id,
        execution_arn=attempt.execution_arn,
        redrive_count=attempt.redrive_count,
        acquired_at=now,
        expires_at=now + timedelta(hours=_longest_hours(request)) + _BEYOND_THE_BUDGETS,
    )
    lock = services.operations.acquire_lock(region, target_cluster_id, wanted)
    if lock.holder != operation_id and may_take_over and not services.executions.is_running(lock.execution_arn):
        lock = services.operations.acquire_lock(region, target_cluster_id, wanted, instead_of=lock.holder)
    if lock.holder != operation_id:
        measure_lock(lock.acquired_at, operation_id=operation_id, target_cluster_id=target_cluster_id)
        raise OperationInProgress(
            f"operation {lock.holder} on {target_cluster_id} since {lock.acquired_at:%Y-%m-%d %H:%M:%S} UTC",
            field="target.cluster_id",
            expected="no other operation on this target",
            action=f"wait for it or stop its execution {lock.execution_arn}; nothing was changed",
        )


def _longest_hours(request: RestoreRequest) -> float:
    """Return the sum of what the phases may take: a lock that lapses under a run would let another one in beside it."""
    budgets, approval = request.budgets, request.approval
    # The users have as long as the restore, from the master's new password on.
    hours = budgets.copy_hours + budgets.delete_hours + 2 * budgets.restore_hours
    if approval is not None:
        hours += approval.timeout_hours
    if request.strategy == SWAP:
        hours += 2 * budgets.restore_hours  # the exchange of names, and the way back
    if request.on_failure == BRING_BACK:
        hours += budgets.delete_hours + budgets.restore_hours
    return hours
