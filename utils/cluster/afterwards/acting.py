"""The next move on a cluster whose hours are over: it is stopped, or goes the way of an old target; a drill's copy too.

Only what bears the tag of the operation that is named in the row, under the resource id that is known, is touched.
"""

from utils import tags
from utils.aws.rds_models import Cluster
from utils.aws.rds_statuses import SNAPSHOT
from utils.cluster.afterwards.waiting import not_yet
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import Operation, OperationStatus
from utils.operation.restored_cluster import known_resource_id
from utils.request.afterwards import STOP
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import Phase, delete_phase, has_settled


def is_left_to_delete_rds(operation: Operation) -> bool:
    """Tell whether Check Delete Status has nothing to judge: Delete RDS looks and acts in one."""
    record = operation.afterwards
    return record is not None and (record.is_drill or record.action == STOP or operation.deletion is None)


def act_afterwards(operation: Operation, record: AfterwardsRecord, services: Services) -> StepResult | None:
    """Answer what is waited for, or READY; None when there is a cluster to be deleted, or to be seen gone."""
    target_id = operation.identifiers.target_cluster_id
    services.rds().find_cluster(target_id)  # the clock is RDS's, which an answer of RDS tells
    run = services.operations.find(operation.retires or "")
    waiting = not_yet(operation, record, run, services)
    if waiting is not None:
        return waiting
    # Looked at under the lock: before, another run may have been at work on the name.
    target = services.rds().find_cluster(target_id)
    phase = delete_phase(operation, services.clock.now())
    if target is not None and _is_of_the_run(target, operation, run):
        operation.plan.old_target_resource_id = target.resource_id
        record.standing, record.absent_since = [target.identifier, *target.member_ids], None
        services.operations.save(operation)
        return _stop(operation, record, target, phase, services) if record.action == STOP else None
    if record.is_drill:
        return _clean_up(operation, record, run, phase, _not_touched(target, operation, run), services)
    if target is None and operation.deletion is not None and operation.deletion.destroying_since is not None:
        return None
    return _over(operation, record, _not_touched(target, operation, run) or "somebody deleted or renamed it", services)


def _not_touched(target: Cluster | None, operation: Operation, run: Operation | None) -> str:
    """Say why a cluster that has the name stays; nothing where there is none."""
    if target is None:
        return ""
    if target.resource_id == _known_resource_id(operation, run):
        return f"{target.identifier} no longer bears the tag {tags.OPERATION_ID}={operation.retires}"
    return (
        f"{target.identifier} is another cluster by now, made by {target.tags.get(tags.OPERATION_ID, 'somebody else')}"
    )


def _is_of_the_run(target: Cluster, operation: Operation, run: Operation | None) -> bool:
    """Tell by its tag and its resource id whether the run restored it: a name alone says nothing."""
    known = _known_resource_id(operation, run)
    return tags.is_ours(target.tags, operation.retires or "") and known in (None, target.resource_id)


def _known_resource_id(operation: Operation, run: Operation | None) -> str | None:
    return operation.plan.old_target_resource_id or (known_resource_id(run) if run else None)


def _stop(
    operation: Operation, record: AfterwardsRecord, target: Cluster, phase: Phase, services: Services
) -> StepResult:
    if target.status == "stopped":
        return _over(operation, record, "", services)
    waiting = phase.wait(f"{target.identifier} ({target.status}) to be stopped")
    services.operations.save(operation)
    if target.status == "available":
        services.rds_writer.stop_cluster(target.identifier)
    return waiting


def _clean_up(
    operation: Operation, record: AfterwardsRecord, run: Operation | None, phase: Phase, ended: str, services: Services
) -> StepResult:
    """Remove the copy once the cluster is gone, or is another's, and be sure that nothing comes after."""
    record.standing = [*_members(operation, services), *_copy(operation, record, services)]
    if record.standing:
        waiting = phase.wait(f"{', '.join(record.standing)} to be deleted")
        services.operations.save(operation)
        return waiting
    # What a step of a run that was stopped had asked for just then may not be shown yet.
    record.absent_since = record.absent_since or phase.now
    is_sure = run is None or run.status is OperationStatus.SUCCEEDED or has_settled(record.absent_since, phase.now)
    if is_sure:
        return _over(operation, record, ended, services)
    waiting = phase.wait("what the drill had begun to be shown, if anything is left of it")
    services.operations.save(operation)
    return waiting


def _members(operation: Operation, services: Services) -> list[str]:
    """Name the drill's instances that outlive their cluster for a moment."""
    deleted = operation.deletion.deleted_members if operation.deletion else []
    found = [services.rds().find_instance(name) for name in sorted({*operation.identifiers.instance_ids, *deleted})]
    return [item.identifier for item in found if item and tags.is_ours(item.tags, operation.retires or "")]


def _copy(operation: Operation, record: AfterwardsRecord, services: Services) -> list[str]:
    """Name the drill's copy if it is there; delete it once it can be deleted."""
    found = services.rds().find_snapshot(operation.identifiers.copy_id)
    if found is None or not tags.is_ours(found.tags, operation.retires or ""):
        return []
    if found.status not in SNAPSHOT.in_progress | {"deleting"}:
        record.removed = sorted({*record.removed, found.identifier})
        services.operations.save(operation)
        services.rds_writer.delete_snapshot(found.identifier)
    return [found.identifier]


def _over(operation: Operation, record: AfterwardsRecord, ended: str, services: Services) -> StepResult:
    record.ended, record.standing = ended, [] if record.action != STOP else record.standing
    operation.deletion_record().finished_at = services.clock.now()
    services.operations.save(operation)
    target_id = operation.identifiers.target_cluster_id
    done = "stopped" if record.action == STOP else "removed"
    return StepResult(status=StepStatus.READY, details={"afterwards": ended or f"{target_id} is {done}"})
