"""Step 4: snapshot the old target, and once that is available delete its members and the cluster."""

from utils import tags
from utils.aws.rds_models import Cluster, Snapshot
from utils.aws.rds_statuses import OLD_TARGET_BEFORE_DELETE, SNAPSHOT, Verdict
from utils.cluster.afterwards.acting import act_afterwards
from utils.cluster.beside import clear_left_beside
from utils.cluster.bring_back.beginning import begin_bringing_back, clear_for_old_data
from utils.cluster.old_target import delete_old_target, give_protection_back
from utils.cluster.ours import check_final_snapshot_is_ours
from utils.cluster.restored import clear_half_restored
from utils.cluster.retirement import end_row, undo_that_holds
from utils.cluster.snapshot_quota import make_room
from utils.cluster.statuses import judge
from utils.errors import PermanentError, QuotaReached, TargetNotDeletable
from utils.identifiers import derived_identifier
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import BringBackRecord, OperationError
from utils.operation.restored_cluster import may_be_restored_by
from utils.plan.preflight_again import look_again_before_deleting
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.failure import as_caught
from utils.runtime.services import Services
from utils.runtime.waiting import LONGEST_WAIT_SECONDS, delete_phase, has_settled


def delete_rds(operation: Operation, services: Services, failure: OperationError | None = None) -> StepResult:
    """Take the next move towards an absent target; called again when the final snapshot is available.

    After a `failure` of a later step: READY with what to fail with, unless the old data is to be brought back, which
    this begins.
    """
    if failure is not None and not begin_bringing_back(operation, failure, services):
        first = operation.bring_back.because if operation.bring_back else failure
        return StepResult(status=StepStatus.READY, details=as_caught(first))
    if operation.held_by is not None and (undo := undo_that_holds(operation, services)) is not None:
        return _held(operation, undo, services)
    if operation.afterwards is not None:
        answer = act_afterwards(operation, operation.afterwards, services)
        if answer is not None:
            return answer
    if operation.bring_back is not None:
        return _make_room_for_old_data(operation, operation.bring_back, services)
    if operation.is_swap:
        return _clear_beside(operation, services)
    target = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    if target is None:
        return _nothing_left(operation, services)
    if may_be_restored_by(target, operation):
        cleared = clear_half_restored(operation, target, services)
        return _look_again(operation, services, ", ".join(cleared)) if cleared else _nothing_left(operation, services)
    # The row says when the phase began before it says that anything is destroyed.
    delete_phase(operation, services.clock.now())
    try:
        look_again_before_deleting(operation, target, services)
    except PermanentError:
        give_protection_back(target, operation, services)
        raise
    return _look_again(operation, services, _next_move(operation, target, services))


def _held(retirement: Operation, undo: Operation, services: Services) -> StepResult:
    """Wait while the old cluster is being given its name back; once it has it, nothing is left to delete."""
    if undo.status is OperationStatus.SUCCEEDED:
        end_row(retirement, services)
        return StepResult(status=StepStatus.READY, details={"operation": f"undone by {undo.operation_id}"})
    is_half_way = " and stopped half-way: resume it" if undo.status is OperationStatus.FAILED else ""
    waiting_for = f"the end of {undo.operation_id}, which undoes the swap{is_half_way}"
    return StepResult(
        status=StepStatus.IN_PROGRESS, wait_seconds=LONGEST_WAIT_SECONDS, details={"waiting_for": waiting_for}
    )


def _make_room_for_old_data(operation: Operation, record: BringBackRecord, services: Services) -> StepResult:
    """Delete the new cluster that failed, before the final snapshot is restored under its name."""
    target = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    going = clear_for_old_data(operation, record, target, services) if target else []
    if going:
        return _look_again(operation, services, f"{', '.join(going)} to be deleted")
    return _nothing_left(operation, services)


def _clear_beside(operation: Operation, services: Services) -> StepResult:
    """Make room beside the old target, which is not touched."""
    going = clear_left_beside(operation, services)
    beside = services.rds().find_cluster(operation.restored_cluster_id)
    if beside is not None and may_be_restored_by(beside, operation):
        going += clear_half_restored(operation, beside, services)
    if going:
        return _look_again(operation, services, f"{', '.join(going)} to be deleted")
    if operation.deletion is not None:
        operation.deletion.finished_at = operation.deletion.finished_at or services.clock.now()
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"beside": "free"})


def _nothing_left(operation: Operation, services: Services) -> StepResult:
    if operation.plan.delete_target and operation.deletion is None:
        # RDS may not show for a moment what is there: the check looks once more.
        operation.deletion_record()
    if operation.deletion is not None and operation.deletion.finished_at is None:
        # Members may outlive the cluster's row for a moment: the check decides.
        return _look_again(operation, services, "the deletion")
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"old_target": "absent"})


def _next_move(operation: Operation, target: Cluster, services: Services) -> str:
    """Start, snapshot or delete the old target, whatever its status allows; say what to wait for."""
    if target.status == "stopped":
        # RDS neither snapshots nor deletes a stopped cluster.
        operation.begun.old_target_started = True
        services.operations.save(operation)
        services.rds_writer.start_cluster(target.identifier)
        return f"the start of {target.identifier}"
    verdict = _judge(operation, target, services)
    if operation.plan.take_final_snapshot and not _final_snapshot_is_available(operation, target, services):
        return f"the final snapshot of {target.identifier} ({target.status})"
    if verdict is Verdict.IN_PROGRESS and target.status != "deleting":
        return f"{target.identifier} ({target.status}) to take a deletion"
    return delete_old_target(operation, target, services)


def _final_snapshot_is_available(operation: Operation, target: Cluster, services: Services) -> bool:
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is None:
        _take_final_snapshot(operation, target, services)
        return False
    check_final_snapshot_is_ours(found, operation)
    verdict = judge(SNAPSHOT, found.status, snapshot_id, operation, services.clock.now())
    if verdict is Verdict.FAILED and operation.is_resumed:
        # Nobody could restore it, and its name is needed; the next call takes it anew.
        services.rds_writer.delete_snapshot(snapshot_id)
        operation.begun.final_snapshot_requested = False
        return False
    if verdict is Verdict.READY and _is_outdated(found, operation, target, services):
        _name_another(operation)
        _take_final_snapshot(operation, target, services)
        return False
    operation.deletion_record().final_snapshot_arn, operation.begun.final_snapshot_requested = found.arn, True
    return found.status in SNAPSHOT.ready


def _is_outdated(found: Snapshot, operation: Operation, target: Cluster, services: Services) -> bool:
    """Tell whether people may have gone on working after an earlier attempt took the snapshot, and stopped there."""
    record = operation.deletion_record()
    if record.final_snapshot_is_fresh or not operation.is_resumed or not target.member_ids:
        return False
    return found.created_at is None or has_settled(found.created_at, services.clock.now())


def _name_another(operation: Operation) -> None:
    """Give the final snapshot another name: the one that is there is kept, and goes by count one day."""
    names, of_target = operation.identifiers, operation.of_target or operation.identifiers.target_cluster_id
    # No operation is called so: a name has no '#'.
    attempt = f"{operation.operation_id}#{len(operation.executions)}"
    names.final_snapshot_id = derived_identifier("aurora-restore-final", of_target, attempt)
    record = operation.deletion_record()
    record.final_snapshot_arn = None
    operation.begun.final_snapshot_requested = False


def _take_final_snapshot(operation: Operation, target: Cluster, services: Services) -> None:
    if _judge(operation, target, services) is Verdict.FAILED:
        raise TargetNotDeletable(
            f"cluster {target.identifier} with status {target.status}, of which AWS takes no snapshot",
            field="target.cluster_id",
            expected="status available",
            action="repair it and resume the operation, or give its data up in a new run with final_snapshot: false",
        )
    if target.status not in OLD_TARGET_BEFORE_DELETE.ready:
        return
    record = operation.deletion_record()
    own_tags = tags.own_tags(
        tags.Role.FINAL, operation.operation_id, operation.of_target or operation.identifiers.target_cluster_id
    )
    try:
        services.rds_writer.create_snapshot(target.identifier, operation.identifiers.final_snapshot_id, tags=own_tags)
        record.waits_for_room, operation.begun.final_snapshot_requested = False, True
        record.final_snapshot_is_fresh = True
    except QuotaReached as full:
        make_room(operation, services, full, record)


def _judge(operation: Operation, target: Cluster, services: Services) -> Verdict:
    return judge(OLD_TARGET_BEFORE_DELETE, target.status, target.identifier, operation, services.clock.now())


def _look_again(operation: Operation, services: Services, waiting_for: str) -> StepResult:
    waiting = delete_phase(operation, services.clock.now()).wait(waiting_for)
    services.operations.save(operation)
    return waiting
