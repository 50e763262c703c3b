"""Step 2: copy the snapshot into the target Region and account, when it cannot be restored where it is."""

from utils import tags
from utils.errors import IdentifierTaken
from utils.operation import CopyRecord, Operation, StepName
from utils.rds_models import Snapshot
from utils.services import Services
from utils.step import StepResult, StepStatus


def copy_snapshot(operation: Operation, services: Services) -> StepResult:
    """Start the copy; a copy that an earlier call started is taken as ours."""
    if not operation.plan.copy_needed:
        return StepResult(status=StepStatus.READY, details={"skipped": operation.plan.copy_reason})
    copy_id = operation.identifiers.copy_id
    if operation.copied is not None and operation.copied.finished_at is not None:
        return StepResult(status=StepStatus.READY, details={"copy_arn": operation.copied.arn})
    services.rds_writer.copy_snapshot(
        operation.snapshot.arn,
        copy_id,
        kms_key_id=operation.plan.copy_kms_key_id,
        tags=tags.own_tags(tags.Role.COPY, operation.operation_id, operation.identifiers.target_cluster_id),
    )
    found = services.rds().find_snapshot(copy_id)
    if found is not None:
        check_copy_is_ours(found, operation)
    if operation.copied is None:
        operation.copied = CopyRecord(started_at=services.clock.now(), arn=found.arn if found else None)
    operation.current_step = StepName.COPY_SNAPSHOT
    services.operations.save(operation)
    return StepResult(status=StepStatus.IN_PROGRESS, wait_seconds=15, details={"copy_id": copy_id})


def check_copy_is_ours(found: Snapshot, operation: Operation) -> None:
    """Refuse a snapshot under the copy's name that is not a copy of our source by this operation."""
    if found.source_arn != operation.snapshot.arn or not tags.is_ours(found.tags, operation.operation_id):
        raise IdentifierTaken(
            f"snapshot {found.identifier}, a copy of {found.source_arn or 'nothing'}",
            expected=f"no snapshot of that name, or this operation's copy of {operation.snapshot.arn}",
            action="find out who made it and delete or rename it, then start a new run",
        )
