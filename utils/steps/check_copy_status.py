"""Step 3: look at the copy once."""

from datetime import datetime

from utils.aws.rds_statuses import SNAPSHOT, Verdict
from utils.cluster.ours import check_copy_is_ours
from utils.errors import CopyFailed
from utils.operation.model import CopyRecord, Operation
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled, wait_or_time_out


def check_copy_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, COPY_AGAIN (no room until now), or READY; raises `CopyFailed`, `PhaseTimedOut`."""
    copy_id = operation.identifiers.copy_id
    found = services.rds().find_snapshot(copy_id)
    now = services.clock.now()
    # The row knows of no copy when the execution was redriven here: Copy Snapshot shall see to it.
    is_to_be_asked_for = operation.copied is None or operation.copied.waits_for_room
    record = operation.copy_record(now)
    if found is None:
        return _not_there(record, operation, services, now, is_to_be_asked_for=is_to_be_asked_for)
    check_copy_is_ours(found, operation)
    record.arn, record.percent, record.missing_since = found.arn, found.percent, None
    verdict = SNAPSHOT.judge(found.status, copy_id)
    if verdict is Verdict.FAILED:
        raise CopyFailed(
            f"snapshot copy {copy_id} with status {found.status}",
            expected="status available",
            action="look at the RDS events of the copy, often a KMS key that was disabled; "
            "then resume the operation, which copies again; the old target was not touched",
        )
    if verdict is Verdict.IN_PROGRESS:
        waiting = _wait(record, operation, now, f"snapshot copy {copy_id}", found.percent)
        services.operations.save(operation)
        return waiting
    record.finished_at = record.finished_at or now
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"copy_arn": found.arn})


def _not_there(
    record: CopyRecord, operation: Operation, services: Services, now: datetime, *, is_to_be_asked_for: bool
) -> StepResult:
    """Wait for room, or for what RDS does not show yet."""
    copy_id = operation.identifiers.copy_id
    if is_to_be_asked_for:
        waiting = _wait(record, operation, now, f"the start of snapshot copy {copy_id}")
        services.operations.save(operation)
        return waiting.model_copy(update={"status": StepStatus.COPY_AGAIN})
    record.missing_since = record.missing_since or now
    if has_settled(record.missing_since, now):
        raise CopyFailed(
            f"no snapshot {copy_id}",
            expected="the copy that was started",
            action="find out who deleted it, then resume the operation, which copies again; "
            "the old target was not touched",
        )
    waiting = _wait(record, operation, now, f"snapshot copy {copy_id} to be shown")
    services.operations.save(operation)
    return waiting


def _wait(
    record: CopyRecord, operation: Operation, now: datetime, waiting_for: str, percent: int | None = None
) -> StepResult:
    return wait_or_time_out(
        "copy",
        record.started_at,
        now,
        operation.request.budgets.copy_hours,
        waiting_for=waiting_for,
        percent=percent,
    )
