"""Step 3: look at the copy once."""

from utils.aws.rds_statuses import SNAPSHOT, Verdict
from utils.cluster.ours import check_copy_is_ours
from utils.cluster.source.new_snapshot import look_at_new_snapshot
from utils.cluster.statuses import judge
from utils.errors import CopyFailed
from utils.operation.model import Operation
from utils.operation.records import CopyRecord
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import Phase, copy_phase


def check_copy_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, COPY_AGAIN (no room until now), or READY; raises `CopyFailed`, `PhaseTimedOut`."""
    if operation.snapshot.is_to_be_taken:
        return look_at_new_snapshot(operation, services)
    copy_id = operation.identifiers.copy_id
    found = services.rds().find_snapshot(copy_id)
    now = services.clock.now()
    # The row of an execution that was redriven here knows of no copy: Copy Snapshot must request it.
    not_requested_yet = operation.copied is None or operation.copied.waits_for_room
    # The wait for a new snapshot has begun the record before there was anything to copy.
    not_requested_yet = not_requested_yet or (operation.snapshot.is_new and not operation.begun.copy_requested)
    phase, record = copy_phase(operation, now), operation.copy_record(now)
    if found is None:
        answer = _request_again(phase, copy_id) if not_requested_yet else _not_shown(phase, record, copy_id)
        services.operations.save(operation)
        return answer
    check_copy_is_ours(found, operation)
    record.arn, record.percent, record.missing_since = found.arn, found.percent, None
    verdict = judge(SNAPSHOT, found.status, copy_id, operation, now)
    if verdict is Verdict.FAILED:
        raise CopyFailed(
            f"snapshot copy {copy_id} with status {found.status}",
            expected="status available",
            action="look at the RDS events of the copy, often a KMS key that was disabled; "
            "then resume the operation, which copies again",
        )
    if verdict is Verdict.IN_PROGRESS:
        waiting = phase.wait(f"snapshot copy {copy_id}", percent=found.percent)
        services.operations.save(operation)
        return waiting
    record.finished_at = record.finished_at or now
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"copy_arn": found.arn})


def _request_again(phase: Phase, copy_id: str) -> StepResult:
    waiting = phase.wait(f"the start of snapshot copy {copy_id}")
    return waiting.model_copy(update={"status": StepStatus.COPY_AGAIN})


def _not_shown(phase: Phase, record: CopyRecord, copy_id: str) -> StepResult:
    return phase.wait_until_shown(
        record,
        f"snapshot copy {copy_id} to be shown",
        otherwise=CopyFailed(
            f"no snapshot {copy_id}",
            expected="the copy that was started",
            action="find out who deleted it, then resume the operation, which copies again",
        ),
    )
