"""Step 5: look once whether the final snapshot is available, and later whether cluster and members are gone."""

from utils import tags
from utils.aws.rds_models import Cluster
from utils.aws.rds_reader import RdsReader
from utils.aws.rds_statuses import OLD_TARGET_BEFORE_DELETE, SNAPSHOT, Verdict
from utils.cluster.afterwards.acting import is_left_to_delete_rds
from utils.cluster.beside import left_beside
from utils.cluster.bring_back.beginning import note_cleared
from utils.cluster.ours import check_final_snapshot_is_ours
from utils.cluster.restored import still_going
from utils.cluster.retirement import undo_that_holds
from utils.cluster.statuses import judge
from utils.errors import DeleteFailed
from utils.operation.model import Operation
from utils.operation.restored_cluster import may_be_restored_by
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import Phase, delete_phase
from utils.words import counted


def check_delete_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, SNAPSHOT_READY (delete now), or READY; raises `DeleteFailed`, `PhaseTimedOut`."""
    if is_left_to_delete_rds(operation):
        return StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1)
    if operation.held_by is not None and undo_that_holds(operation, services) is not None:
        return StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1)
    target = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    phase = delete_phase(operation, services.clock.now())
    if operation.is_swap:
        return _beside(operation, phase, services)
    if target is None:
        going = _leftover_members(operation, services.rds())
    elif may_be_restored_by(target, operation):
        going = still_going(target, services.rds().instances_of(target.identifier))
        if not going and operation.bring_back is not None and operation.bring_back.cleared_at is None:
            phase.wait(f"{target.identifier} to be deleted")
            services.operations.save(operation)
            return StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1)
    else:
        return _old_target_is_there(operation, target, phase, services)
    answer = phase.wait(f"{', '.join(going)} to be deleted") if going else _gone(operation, phase, services)
    services.operations.save(operation)
    return answer


def _beside(operation: Operation, phase: Phase, services: Services) -> StepResult:
    """Wait until there is room beside the old target; what was not taken is asked for once more by Delete RDS."""
    cluster, members = left_beside(operation, services)
    own = services.rds().find_cluster(operation.restored_cluster_id) if cluster is None else None
    going = [member.identifier for member in members if member.status == "deleting"]
    if own is not None:
        going += still_going(own, services.rds().instances_of(own.identifier))
    if cluster is not None and cluster.status == "deleting":
        going.append(cluster.identifier)
    waiting = phase.wait(f"{', '.join(going) or operation.restored_cluster_id} to be deleted")
    if cluster is not None and cluster.status != "deleting":
        waiting = StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1)
    elif not going:
        operation.deletion_record().finished_at = phase.now
        waiting = StepResult(status=StepStatus.READY, details={"beside": "free"})
    services.operations.save(operation)
    return waiting


def _old_target_is_there(operation: Operation, target: Cluster, phase: Phase, services: Services) -> StepResult:
    """Wait for what Delete RDS began, or let it act once more."""
    members = services.rds().instances_of(target.identifier)
    what = f"{target.identifier} and {counted(len(members), 'instance')}" if members else target.identifier
    # Before anything else is begun: a phase past its budget destroys nothing more.
    waiting = phase.wait(f"{what} to be deleted")
    may_act = _may_delete_rds_act(operation, target, services)
    services.operations.save(operation)
    return StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1) if may_act else waiting


def _may_delete_rds_act(operation: Operation, target: Cluster, services: Services) -> bool:
    if target.status == "deleting":
        return False
    if target.status == "stopped":
        return True
    now = services.clock.now()
    if judge(OLD_TARGET_BEFORE_DELETE, target.status, target.identifier, operation, now) is Verdict.IN_PROGRESS:
        return False
    if not operation.plan.take_final_snapshot:
        return True
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is None:
        # The cluster was busy when the snapshot was to be taken, or there was no room for it.
        return True
    check_final_snapshot_is_ours(found, operation)
    verdict = judge(SNAPSHOT, found.status, snapshot_id, operation, now)
    if verdict is Verdict.FAILED:
        raise DeleteFailed(
            f"final snapshot {snapshot_id} with status {found.status}",
            expected="status available",
            action="look at the cluster's RDS events, then resume the operation, which takes it again",
        )
    return verdict is Verdict.READY


def _gone(operation: Operation, phase: Phase, services: Services) -> StepResult:
    """Answer READY once it is sure that what was deleted can be brought back, unless nobody wanted that."""
    record, snapshot_id = operation.deletion_record(), operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id) if operation.plan.take_final_snapshot else None
    if found is not None and found.status in SNAPSHOT.ready:
        record.final_snapshot_arn, record.missing_since = found.arn, None
    elif operation.plan.take_final_snapshot and (found is not None or record.destroying_since is not None):
        lost = DeleteFailed(
            f"final snapshot {snapshot_id} with status {found.status}" if found else f"no snapshot {snapshot_id}",
            expected="the available final snapshot of the deleted target",
            action="find out who deleted it; start a new run, which finds no old target to delete",
        )
        try:
            if found is not None and found.status in SNAPSHOT.failed:
                raise lost
            return phase.wait_until_shown(record, f"{snapshot_id} to be shown as available", otherwise=lost)
        except DeleteFailed:
            operation.begun.final_snapshot_lost = True
            raise
    # Else somebody deleted the target before this operation took its snapshot, or anything else of it.
    record.finished_at = record.finished_at or phase.now
    note_cleared(operation, services)
    return StepResult(status=StepStatus.READY, details={"old_target": "gone"})


def _leftover_members(operation: Operation, rds: RdsReader) -> list[str]:
    deleted = operation.deletion.deleted_members if operation.deletion else []
    if operation.bring_back is not None and operation.bring_back.cleared_at is None:
        names = sorted({*deleted, *operation.begun.half_restored})
        return [member.identifier for name in names if (member := rds.find_instance(name))]
    found = [rds.find_instance(instance_id) for instance_id in deleted]
    # The restored instances may bear the names of the old ones.
    return [member.identifier for member in found if member and not tags.is_ours(member.tags, operation.operation_id)]
