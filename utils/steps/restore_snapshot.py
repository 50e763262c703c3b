"""Step 6: restore the cluster; called again once it is available, create its instances."""

from utils import guards, tags
from utils.errors import IdentifierTaken
from utils.operation import Operation, RestoreRecord, StepName
from utils.rds_models import Cluster
from utils.rds_statuses import RESTORED_CLUSTER, Verdict
from utils.services import Services
from utils.step import StepResult, StepStatus


def restore_snapshot(operation: Operation, services: Services) -> StepResult:
    """Start the restore, or create the instances that are missing; both are safe to repeat."""
    target_id = operation.identifiers.target_cluster_id
    cluster = services.rds().find_cluster(target_id)
    if cluster is None:
        services.rds_writer.restore_cluster(
            target_id,
            operation.identifiers.copy_id if operation.plan.copy_needed else operation.snapshot.arn,
            operation.plan.settings,
            tags=_target_tags(operation),
        )
    else:
        check_cluster_is_ours(cluster, operation)
        if RESTORED_CLUSTER.judge(cluster.status, target_id) is Verdict.READY:
            _create_missing_instances(operation, services)
    if operation.restore is None:
        operation.restore = RestoreRecord(started_at=services.clock.now())
    operation.current_step = StepName.RESTORE_SNAPSHOT
    services.operations.save(operation)
    return StepResult(status=StepStatus.IN_PROGRESS, wait_seconds=15, details={"target_cluster_id": target_id})


def check_cluster_is_ours(cluster: Cluster, operation: Operation) -> None:
    """Refuse a cluster under the target's name that this operation did not restore."""
    if not tags.is_ours(cluster.tags, operation.operation_id):
        raise IdentifierTaken(
            f"cluster {cluster.identifier}, made by operation {cluster.tags.get(tags.OPERATION_ID, 'unknown')}",
            expected="no cluster of that name, or the one this operation restores",
            action="find out who made it since the old target was deleted, then start a new run; it was not touched",
        )


def _create_missing_instances(operation: Operation, services: Services) -> None:
    target_id = operation.identifiers.target_cluster_id
    present = {instance.identifier for instance in services.rds().instances_of(target_id)}
    missing = [name for name in operation.identifiers.instance_ids if name not in present]
    guards.check_instance_names(services.rds(), missing, target_id)
    for instance_id in missing:
        services.rds_writer.create_instance(
            target_id, instance_id, operation.plan.settings, tags=_target_tags(operation)
        )


def _target_tags(operation: Operation) -> dict[str, str]:
    own = tags.own_tags(tags.Role.TARGET, operation.operation_id, operation.identifiers.target_cluster_id)
    return operation.plan.settings.tags | own
