"""When the old data is brought back, and what goes before: the new cluster that failed."""

from utils.aws.rds_models import Cluster
from utils.cluster.ours import check_cluster_is_ours, is_the_old_target
from utils.cluster.quarantine import is_quarantined
from utils.cluster.restored import clear_half_restored, clear_unproven
from utils.errors import PermanentError
from utils.operation.model import Operation
from utils.operation.records import BringBackRecord, OperationError
from utils.plan import guards
from utils.runtime.services import Services


def begin_bringing_back(operation: Operation, because: OperationError, services: Services) -> bool:
    """Turn the operation towards the old data; False where nothing is lost, wanted or possible, with the reason kept.

    A failure of bringing it back is kept as well: it is not tried twice by itself. A call that is made again goes on.
    """
    if operation.bring_back is not None and _is_the_same_call(operation.bring_back, because):
        return True
    if operation.bring_back is not None:
        if operation.bring_back.finished_at is None:
            operation.bring_back.error = because
            services.operations.save(operation)
        return False
    if not _is_wanted(operation) or is_open(operation):
        return False
    found = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    if found is not None and is_the_old_target(found, operation) and found.status != "deleting":
        return False
    try:
        guards.check_restorable_now(services.rds(), operation.identifiers.final_snapshot_id)
        is_new = found is not None and not is_the_old_target(found, operation)
        if found is not None and is_new:
            check_cluster_is_ours(found, operation)
    except PermanentError as refused:
        operation.begun.not_brought_back = f"found {refused.found}; expected {refused.expected}"
        services.operations.save(operation)
        return False
    operation.bring_back = BringBackRecord(
        begun_at=services.clock.now(),
        because=because,
        failed_resource_id=found.resource_id if found is not None and is_new else None,
    )
    # What is told of deletion and restore from here on is of the failed cluster's and of the old data's.
    deletion = operation.deletion_record()
    deletion.started_at, deletion.finished_at = None, None
    operation.restore = None
    services.operations.save(operation)
    return True


def _is_the_same_call(record: BringBackRecord, because: OperationError) -> bool:
    """Tell whether the call that began it is made again, whose answer was lost, or which met an error that may pass.

    A later step that fails with the same words before the failed cluster is gone would be taken for it; what lasts then
    fails here, which ends the run.
    """
    return record.because == because and record.cleared_at is None and record.error is None


def _is_wanted(operation: Operation) -> bool:
    """Tell whether the old target went, its data is kept, and the request wants it back."""
    deletion = operation.deletion
    if operation.plan.bring_back is None or deletion is None or deletion.final_snapshot_arn is None:
        return False
    is_going = deletion.destroying_since is not None and not deletion.cluster_stays
    return is_going or deletion.finished_at is not None


def is_open(operation: Operation) -> bool:
    """Tell whether people work with the new cluster, which then is nobody's to delete."""
    users = operation.users
    return users is not None and users.finished_at is not None and not is_quarantined(operation)


def clear_for_old_data(operation: Operation, record: BringBackRecord, target: Cluster, services: Services) -> list[str]:
    """Delete what has the target's name and is not the old data; name what to wait for."""
    if is_the_old_target(target, operation):
        return [target.identifier]
    check_cluster_is_ours(target, operation)
    if record.cleared_at is not None:
        return clear_half_restored(operation, target, services)
    record.failed_resource_id = target.resource_id
    return clear_unproven(operation, target, services)


def note_cleared(operation: Operation, services: Services) -> None:
    """Keep that the failed cluster is gone, and with it whoever could have opened the copy."""
    record, now = operation.bring_back, services.clock.now()
    if record is None or record.cleared_at is not None:
        return
    record.cleared_at = now
    if operation.exposure.since is not None:
        operation.exposure.ended_at = operation.exposure.ended_at or now
