"""What is waited for before a restored cluster is stopped or deleted: its run, its hours, its target's lock."""

import math
from datetime import UTC, datetime

from utils.cluster.statuses import first_seen
from utils.errors import OperationInProgress
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import AfterwardsRecord
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.resumption import attempt_at, lock_again
from utils.runtime.services import Services
from utils.runtime.waiting import LONGEST_WAIT_SECONDS, has_settled, seconds_until_next_look

_LONGEST_WAIT_STATE = 99_999_999  # seconds; https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html


def not_yet(
    operation: Operation, record: AfterwardsRecord, run: Operation | None, services: Services
) -> StepResult | None:
    """Answer how long to wait; None when it is time, and the target is locked for this operation."""
    if run is not None and run.status is OperationStatus.RUNNING and _goes_on(run, operation, services):
        elapsed = (datetime.now(UTC) - operation.created_at).total_seconds()
        return _wait(seconds_until_next_look(max(elapsed, 0.0)), f"the end of {run.operation_id}")
    now = services.clock.now()
    if record.due_at is not None and now < record.due_at:
        seconds = math.ceil((record.due_at - now).total_seconds())
        return _wait(min(seconds, _LONGEST_WAIT_STATE), f"{record.due_at:%Y-%m-%d %H:%M:%S} UTC")
    try:
        lock_again(operation, attempt_at(operation), services)
    except OperationInProgress as busy:
        return _wait(LONGEST_WAIT_SECONDS, busy.found)
    return None


def _goes_on(run: Operation, operation: Operation, services: Services) -> bool:
    """Tell whether more may come of the run: its execution runs, or has ended so recently that its row lags behind."""
    if services.executions.is_running(run.execution_arn):
        return True
    now, what = services.clock.now(), f"the end of {run.execution_arn} without a word in its row"
    is_late = has_settled(first_seen(what, operation, now), now)
    services.operations.save(operation)
    return not is_late


def _wait(seconds: int, waiting_for: str) -> StepResult:
    return StepResult(status=StepStatus.IN_PROGRESS, wait_seconds=max(seconds, 1), details={"waiting_for": waiting_for})
