"""Step 6: restore the cluster; called again once it is available, create its instances."""

from utils import tags
from utils.aws.rds_statuses import RESTORED_CLUSTER, Verdict
from utils.cluster.ours import check_cluster_is_ours, is_the_old_target
from utils.cluster.statuses import judge
from utils.errors import CapacityUnavailable, ResourceBusy
from utils.operation.model import Operation
from utils.plan import guards
from utils.runtime.contract import StepResult
from utils.runtime.services import Services
from utils.runtime.waiting import restore_phase


def restore_snapshot(operation: Operation, services: Services) -> StepResult:
    """Start the restore, or create the instances that are missing; both are safe to repeat."""
    target_id = operation.identifiers.target_cluster_id
    cluster = services.rds().find_cluster(target_id)
    record = operation.restore_record(services.clock.now())
    waiting_for, what_to_do = f"cluster {target_id}", "look at the cluster in the RDS console"
    try:
        if cluster is None or is_the_old_target(cluster, operation):
            _restore(operation, services)
            operation.begun.restore_requested = True
        else:
            check_cluster_is_ours(cluster, operation)
            operation.begun.restore_requested = True
            if judge(RESTORED_CLUSTER, cluster.status, target_id, operation, services.clock.now()) is Verdict.READY:
                _create_missing_instances(operation, services)
        record.waits_for_capacity = False
    except CapacityUnavailable as lacking:
        record.waits_for_capacity = True
        waiting_for = f"capacity for {operation.plan.settings.instance_class}: {lacking}"
        what_to_do = "start a new run with another target.instances.instance_class"
    waiting = restore_phase(operation, services.clock.now()).wait(waiting_for, action=what_to_do)
    services.operations.save(operation)
    return waiting


def _restore(operation: Operation, services: Services) -> None:
    target_id = operation.identifiers.target_cluster_id
    is_new = services.rds_writer.restore_cluster(
        target_id,
        operation.restored_from,
        operation.plan.settings,
        tags=_target_tags(operation),
    )
    if is_new:
        return
    cluster = services.rds().find_cluster(target_id)
    if cluster is None or is_the_old_target(cluster, operation):
        raise ResourceBusy(
            f"cluster {target_id}, which RDS shows as {cluster.status if cluster else 'gone'} and still counts",
            expected="the old target to be gone, or the restored one to be shown",
            action="nothing, the step is tried again for a while",
        )
    check_cluster_is_ours(cluster, operation)


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
