"""What is waited for before a restored cluster is stopped or deleted: its run, its hours, its target's lock."""

import math
from datetime import UTC, datetime

from utils.errors import OperationInProgress
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import Operation, OperationStatus
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.resumption import attempt_at, lock_again
from utils.runtime.services import Services
from utils.runtime.waiting import LONGEST_WAIT_SECONDS, has_settled, seconds_until_next_look

_LONGEST_WAIT_STATE = 99_999_999  # seconds; https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html


def not_yet(
    operation: Operation, record: AfterwardsRecord, run: Operation | None, services: Services
) -> StepResult | None:
    """Answer how long to wait; None when it is time, and the target is locked for this operation."""
    if run is not None and run.status is OperationStatus.RUNNING and _goes_on(run, operation, record, services):
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


def _goes_on(run: Operation, operation: Operation, record: AfterwardsRecord, services: Services) -> bool:
    """Tell whether more may come of the run: its execution runs, or has ended so recently that its row lags behind."""
    if services.executions.is_running(run.execution_arn):
        record.unclosed_since = None
        return True
    now = services.clock.now()
    record.unclosed_since = record.unclosed_since or now
    services.operations.save(operation)
    return not has_settled(record.unclosed_since, now)


def _wait(seconds: int, waiting_for: str) -> StepResult:
    return StepResult(status=StepStatus.IN_PROGRESS, wait_seconds=max(seconds, 1), details={"waiting_for": waiting_for})
