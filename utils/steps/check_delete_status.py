"""Step 5: look once whether the final snapshot is available, and later whether cluster and members are gone."""

from utils import tags
from utils.errors import DeleteFailed
from utils.operation import DeletionRecord, Operation, StepName
from utils.phases import wait_or_time_out
from utils.rds_models import Cluster
from utils.rds_reader import RdsReader
from utils.rds_statuses import OLD_TARGET_BEFORE_DELETE, SNAPSHOT, Verdict
from utils.services import Services
from utils.step import StepResult, StepStatus
from utils.steps.delete_rds import check_final_snapshot_is_ours


def check_delete_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, SNAPSHOT_READY (delete now), or READY; raises `DeleteFailed`, `PhaseTimedOut`."""
    rds, target_id = services.rds(), operation.identifiers.target_cluster_id
    target = rds.find_cluster(target_id)
    if target is not None and tags.is_ours(target.tags, operation.operation_id):
        target = None
    members = [] if target is None else rds.instances_of(target_id)
    leftovers = [] if target else _leftover_members(operation, rds)
    now = services.clock.now()
    record = operation.deletion or DeletionRecord()
    record.started_at = record.started_at or now
    operation.deletion, operation.current_step = record, StepName.CHECK_DELETE_STATUS

    if target is None and not leftovers:
        _check_final_snapshot_survived(operation, services)
        record.finished_at = record.finished_at or now
        services.operations.save(operation)
        return StepResult(status=StepStatus.READY, details={"old_target": "gone"})
    if target is not None and target.status != "deleting" and _ready_to_delete(operation, target, services):
        return StepResult(status=StepStatus.SNAPSHOT_READY, wait_seconds=1)
    names = ", ".join([target_id] if target else leftovers)
    waiting_for = f"{names} with {len(members)} member(s) to go" if members else f"{names} to go"
    waiting = wait_or_time_out(
        "delete", record.started_at, now, operation.request.budgets.delete_hours, waiting_for=waiting_for
    )
    services.operations.save(operation)
    return waiting


def _ready_to_delete(operation: Operation, target: Cluster, services: Services) -> bool:
    if not operation.plan.take_final_snapshot:
        return True
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is None:
        # The cluster was busy when the snapshot was to be taken; Delete RDS takes it as soon as it is not.
        return OLD_TARGET_BEFORE_DELETE.judge(target.status, target.identifier) is not Verdict.IN_PROGRESS
    check_final_snapshot_is_ours(found, operation)
    verdict = SNAPSHOT.judge(found.status, snapshot_id)
    if verdict is Verdict.FAILED:
        raise DeleteFailed(
            f"final snapshot {snapshot_id} with status {found.status}",
            expected="status available",
            action="look at the cluster's RDS events, then start a new run; the old target was not deleted",
        )
    return verdict is Verdict.READY


def _check_final_snapshot_survived(operation: Operation, services: Services) -> None:
    if not operation.plan.take_final_snapshot:
        return
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is None or found.status not in SNAPSHOT.ready:
        raise DeleteFailed(
            f"final snapshot {snapshot_id} with status {found.status}" if found else f"no snapshot {snapshot_id}",
            expected="the available final snapshot of the deleted target",
            action="find out who deleted it since; the restore was not started",
        )
    if operation.deletion is not None:
        operation.deletion.final_snapshot_arn = found.arn


def _leftover_members(operation: Operation, rds: RdsReader) -> list[str]:
    deleted = operation.deletion.deleted_members if operation.deletion else []
    found = [rds.find_instance(instance_id) for instance_id in deleted]
    # The restored instances may bear the names of the old ones.
    return [member.identifier for member in found if member and not tags.is_ours(member.tags, operation.operation_id)]
