"""Step 2: copy the snapshot into the target Region and account, when it cannot be restored where it is."""

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.aws.rds_statuses import SNAPSHOT
from utils.cluster.ours import check_copy_is_ours
from utils.cluster.snapshot_quota import make_room
from utils.cluster.source.new_snapshot import take_new_snapshot
from utils.errors import QuotaReached, ResourceBusy
from utils.operation.model import Operation
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import copy_phase


def copy_snapshot(operation: Operation, services: Services) -> StepResult:
    """Start the copy; one that an earlier call started is taken as ours, one of ours that failed is made again."""
    if operation.bring_back is not None:
        return StepResult(status=StepStatus.READY, details={"skipped": "the old data is brought back"})
    if operation.snapshot.is_to_be_taken:
        return take_new_snapshot(operation, services)
    if not operation.plan.copy_needed:
        return StepResult(status=StepStatus.READY, details={"skipped": operation.plan.copy_reason})
    copy_id = operation.identifiers.copy_id
    found = services.rds().find_snapshot(copy_id)
    if found is not None:
        check_copy_is_ours(found, operation)
        if found.status in SNAPSHOT.failed:
            _remove_failed(found, services)
        if operation.copied and operation.copied.finished_at and found.status in SNAPSHOT.ready:
            return StepResult(status=StepStatus.READY, details={"copy_arn": found.arn})
    record = operation.copy_record(services.clock.now())
    record.finished_at = None
    try:
        services.rds_writer.copy_snapshot(
            operation.snapshot.arn,
            copy_id,
            kms_key_id=operation.plan.copy_kms_key_id,
            tags=tags.own_tags(tags.Role.COPY, operation.operation_id, operation.identifiers.target_cluster_id),
        )
        record.waits_for_room, operation.begun.copy_requested = False, True
        waiting_for = f"snapshot copy {copy_id}"
    except QuotaReached as full:
        waiting_for = make_room(operation, services, full, record)
    waiting = copy_phase(operation, services.clock.now()).wait(waiting_for)
    services.operations.save(operation)
    return waiting


def _remove_failed(found: Snapshot, services: Services) -> None:
    """Delete our own copy that AWS gave up, which nobody could restore; its name is free a moment later."""
    if found.status != "deleting":
        services.rds_writer.delete_snapshot(found.identifier)
    raise ResourceBusy(
        f"snapshot copy {found.identifier} with status {found.status}, being deleted to be made again",
        expected="its name to be free",
        action="nothing, the step is tried again for a while",
    )
