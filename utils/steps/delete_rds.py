"""Step 4: snapshot the old target, and once that is available delete its members and the cluster."""

from utils import guards, tags
from utils.errors import IdentifierTaken, TargetNotDeletable
from utils.operation import DeletionRecord, Operation, StepName
from utils.planning import check_engine_version
from utils.rds_models import Cluster, Snapshot
from utils.rds_statuses import OLD_TARGET_BEFORE_DELETE, SNAPSHOT, Verdict
from utils.services import Services
from utils.step import StepResult, StepStatus

_FIRST_LOOK_SECONDS = 15


def delete_rds(operation: Operation, services: Services) -> StepResult:
    """Take the next move towards an absent target; called again when the final snapshot is available."""
    target = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    operation.current_step = StepName.DELETE_RDS
    if target is None or tags.is_ours(target.tags, operation.operation_id):
        return _nothing_left(operation, services)
    record = operation.deletion or DeletionRecord()
    record.started_at = record.started_at or services.clock.now()
    operation.deletion = record
    _check_guards(operation, target, services)
    if operation.plan.take_final_snapshot and not _final_snapshot_is_available(operation, target, services):
        services.operations.save(operation)
        return _look_again(operation, "the final snapshot")
    _delete(operation, target, services)
    services.operations.save(operation)
    return _look_again(operation, "the deletion")


def check_final_snapshot_is_ours(found: Snapshot, operation: Operation) -> None:
    """Refuse a snapshot under the final snapshot's name that this operation did not take of the old target."""
    of_old_target = found.cluster_resource_id == operation.plan.old_target_resource_id
    if not of_old_target or not tags.is_ours(found.tags, operation.operation_id):
        raise IdentifierTaken(
            f"snapshot {found.identifier} of {found.cluster_resource_id}",
            expected=f"no snapshot of that name, or this operation's of {operation.plan.old_target_resource_id}",
            action="find out who made it and delete it, then start a new run; the old target was not deleted",
        )


def _nothing_left(operation: Operation, services: Services) -> StepResult:
    if operation.deletion is not None and operation.deletion.finished_at is None:
        operation.deletion.started_at = operation.deletion.started_at or services.clock.now()
        # Members may outlive the cluster's row for a moment: the check decides.
        services.operations.save(operation)
        return _look_again(operation, "the deletion")
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"old_target": "absent"})


def _check_guards(operation: Operation, target: Cluster, services: Services) -> None:
    guards.check_target_is_the_planned_one(target, operation.plan.old_target_resource_id)
    guards.check_target_may_go(operation.request, target)
    guards.check_members_may_go([m for m in services.rds().instances_of(target.identifier) if m.status != "deleting"])
    restored_from = operation.identifiers.copy_id if operation.plan.copy_needed else operation.snapshot.arn
    guards.check_restorable_now(services.rds(), restored_from)
    settings = operation.plan.settings
    check_engine_version(services.rds(), operation.snapshot.engine_version, settings.engine_version)
    services.kms.usable_key_arn(settings.kms_key_id)


def _final_snapshot_is_available(operation: Operation, target: Cluster, services: Services) -> bool:
    snapshot_id = operation.identifiers.final_snapshot_id
    found = services.rds().find_snapshot(snapshot_id)
    if found is None:
        if OLD_TARGET_BEFORE_DELETE.judge(target.status, target.identifier) is Verdict.FAILED:
            raise TargetNotDeletable(
                f"cluster {target.identifier} with status {target.status}, of which AWS takes no snapshot",
                field="target.cluster_id",
                expected="status available",
                action="start or repair it, or give its data up with final_snapshot: false; it was not touched",
            )
        if target.status in OLD_TARGET_BEFORE_DELETE.ready:
            services.rds_writer.create_snapshot(
                target.identifier,
                snapshot_id,
                tags=tags.own_tags(tags.Role.FINAL, operation.operation_id, target.identifier),
            )
        return False
    check_final_snapshot_is_ours(found, operation)
    if operation.deletion is not None:
        operation.deletion.final_snapshot_arn = found.arn
    return found.status in SNAPSHOT.ready


def _delete(operation: Operation, target: Cluster, services: Services) -> None:
    rds, record = services.rds_writer, operation.deletion
    if record is not None and record.destroying_since is None:
        # In the row before the first call: what may have begun is never taken for untouched.
        record.destroying_since = services.clock.now()
        services.operations.save(operation)
    if target.deletion_protection:
        rds.disable_deletion_protection(target.identifier)
        if record is not None:
            record.protection_switched_off = True
    for member in services.rds().instances_of(target.identifier):
        if member.status != "deleting":
            rds.delete_instance(member.identifier)
        if record is not None and member.identifier not in record.deleted_members:
            record.deleted_members.append(member.identifier)
    if target.status != "deleting":
        rds.delete_cluster(target.identifier)


def _look_again(operation: Operation, waiting_for: str) -> StepResult:
    return StepResult(
        status=StepStatus.IN_PROGRESS,
        wait_seconds=_FIRST_LOOK_SECONDS,
        details={"waiting_for": f"{waiting_for} of {operation.identifiers.target_cluster_id}"},
    )
