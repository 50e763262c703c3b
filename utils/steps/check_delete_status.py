"""Step 5: look once whether the final snapshot is available, and later whether cluster and members are gone."""

from datetime import datetime

from utils import tags
from utils.aws.rds_models import Cluster
from utils.aws.rds_reader import RdsReader
from utils.aws.rds_statuses import OLD_TARGET_BEFORE_DELETE, SNAPSHOT, Verdict
from utils.cluster.ours import check_final_snapshot_is_ours
from utils.cluster.restored import still_going
from utils.errors import DeleteFailed
from utils.operation.model import DeletionRecord, Operation
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled, wait_or_time_out


def check_delete_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, SNAPSHOT_READY (delete now), or READY; raises `DeleteFailed`, `PhaseTimedOut`."""
    rds, target_id = services.rds(), operation.identifiers.target_cluster_id
    target = rds.find_cluster(target_id)
    members = rds.instances_of(target_id) if target else []
    is_own = target is not None and tags.is_ours(target.tags, operation.operation_id)
    now = services.clock.now()
    record = operation.deletion_record()
    record.started_at = record.started_at or now

    if target is None:
        going = _leftover_members(operation, rds)
    elif is_own:
        going = still_going(target, members)
    else:
        going = [target_id]
    if not going and _final_snapshot_survived(operation, record, services, now):
        record.finished_at = record.finished_at or now
        services.operations.save(operation)
        return StepResult(status=StepStatus.READY, details={"old_target": "gone"})
    names = ", ".join(going) or operation.identifiers.final_snapshot_id
    waiting_for = f"{names} with {len(members)} member(s) to go" if members else f"{names} to go"
    if not going:
        waiting_for = f"{names} to be shown as available"
    # Before anything else is begun: a phase past its budget destroys nothing more.
    waiting = wait_or_time_out(
        "delete", record.started_at, now, operation.request.budgets.delete_hours, waiting_for=waiting_for
    )
    ready = target is not None and not is_own and _is_delete_rds_to_act(operation, target, services)
    services.operations.save(operation)
    return StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1) if ready else waiting


def _is_delete_rds_to_act(operation: Operation, target: Cluster, services: Services) -> bool:
    if target.status == "deleting":
        return False
    if target.status == "stopped":
        return True
    if OLD_TARGET_BEFORE_DELETE.judge(target.status, target.identifier) is Verdict.IN_PROGRESS:
        return False
    if not operation.plan.take_final_snapshot:
        return True
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is None:
        # The cluster was busy when the snapshot was to be taken, or there was no room for it.
        return True
    check_final_snapshot_is_ours(found, operation)
    verdict = SNAPSHOT.judge(found.status, snapshot_id)
    if verdict is Verdict.FAILED:
        raise DeleteFailed(
            f"final snapshot {snapshot_id} with status {found.status}",
            expected="status available",
            action="look at the cluster's RDS events, then resume the operation, which takes it again; "
            "the old target was not deleted",
        )
    return verdict is Verdict.READY


def _final_snapshot_survived(operation: Operation, record: DeletionRecord, services: Services, now: datetime) -> bool:
    """Make sure that the deleted target can be brought back; False while RDS may show an old state."""
    if not operation.plan.take_final_snapshot:
        return True
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is not None and found.status in SNAPSHOT.ready:
        record.final_snapshot_arn, record.missing_since = found.arn, None
        return True
    if found is None and record.destroying_since is None:
        # Somebody else deleted the target before this operation took its snapshot, or anything else of it.
        return True
    record.missing_since = record.missing_since or now
    is_lost = found is not None and found.status in SNAPSHOT.failed
    if is_lost or has_settled(record.missing_since, now):
        raise DeleteFailed(
            f"final snapshot {snapshot_id} with status {found.status}" if found else f"no snapshot {snapshot_id}",
            expected="the available final snapshot of the deleted target",
            action="find out who deleted it since; the restore was not started",
        )
    return False


def _leftover_members(operation: Operation, rds: RdsReader) -> list[str]:
    deleted = operation.deletion.deleted_members if operation.deletion else []
    found = [rds.find_instance(instance_id) for instance_id in deleted]
    # The restored instances may bear the names of the old ones.
    return [member.identifier for member in found if member and not tags.is_ours(member.tags, operation.operation_id)]
