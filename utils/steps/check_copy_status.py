"""Step 3: look at the copy once."""

from utils.errors import CopyFailed
from utils.operation import CopyRecord, Operation, StepName
from utils.phases import wait_or_time_out
from utils.rds_statuses import SNAPSHOT, Verdict
from utils.services import Services
from utils.step import StepResult, StepStatus
from utils.steps.copy_snapshot import check_copy_is_ours


def check_copy_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, or READY when the copy is available; raises `CopyFailed`, `PhaseTimedOut`."""
    copy_id = operation.identifiers.copy_id
    found = services.rds().find_snapshot(copy_id)
    now = services.clock.now()
    record = operation.copied or CopyRecord(started_at=now)
    operation.copied, operation.current_step = record, StepName.CHECK_COPY_STATUS
    if found is None:
        raise CopyFailed(
            f"no snapshot {copy_id}",
            expected="the copy that was started",
            action="find out who deleted it, then start a new run; the old target was not touched",
        )
    check_copy_is_ours(found, operation)
    record.arn, record.percent = found.arn, found.percent
    verdict = SNAPSHOT.judge(found.status, copy_id)
    if verdict is Verdict.FAILED:
        raise CopyFailed(
            f"snapshot copy {copy_id} with status {found.status}",
            expected="status available",
            action="look at the RDS events of the copy, often a KMS key that was disabled; "
            "then start a new run; the old target was not touched",
        )
    if verdict is Verdict.IN_PROGRESS:
        waiting = wait_or_time_out(
            "copy",
            record.started_at,
            now,
            operation.request.budgets.copy_hours,
            waiting_for=f"snapshot copy {copy_id}",
            percent=found.percent,
        )
        services.operations.save(operation)
        return waiting
    record.finished_at = record.finished_at or now
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"copy_arn": found.arn})
