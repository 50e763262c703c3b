"""Step 6: restore the cluster; called again once it is available, create its instances."""

from utils import tags
from utils.aws.rds_statuses import RESTORED_CLUSTER, Verdict
from utils.cluster.beside import settings_to_build
from utils.cluster.ours import check_cluster_is_ours, has_given_way
from utils.cluster.restored import note_restored
from utils.cluster.settings_after_restore import finish_settings
from utils.cluster.source.restoring import request_restore
from utils.cluster.statuses import judge
from utils.errors import CapacityUnavailable, ResourceBusy
from utils.operation.model import Operation
from utils.operation.restored_cluster import leave_restored
from utils.operation.wanted import wanted_settings
from utils.plan import guards
from utils.plan.restore_settings import tags_of_members
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import restore_phase


def restore_snapshot(operation: Operation, services: Services) -> StepResult:
    """Start the restore, or create the instances that are missing; both are safe to repeat."""
    target_id = operation.restored_cluster_id
    if operation.swap is not None and operation.swap.has_begun:
        return StepResult(status=StepStatus.IN_PROGRESS, wait_seconds=1)
    cluster = services.rds().find_cluster(target_id)
    operation.restore_record(services.clock.now())
    waiting_for, what_to_do = f"cluster {target_id}", "look at the cluster in the RDS console"
    try:
        if cluster is None or has_given_way(cluster, operation):
            _restore(operation, services)
            operation.begun.restore_requested = True
        else:
            check_cluster_is_ours(cluster, operation)
            operation.begun.restore_requested = True
            note_restored(operation, cluster.resource_id, services)
            verdict = judge(RESTORED_CLUSTER, cluster.status, target_id, operation, services.clock.now())
            if verdict is Verdict.READY and _has_its_instances(operation, services):
                finish_settings(operation, cluster, services)
        operation.restore_record(services.clock.now()).waits_for_capacity = False
    except CapacityUnavailable as lacking:
        operation.restore_record(services.clock.now()).waits_for_capacity = True
        waiting_for = f"capacity for {', '.join(wanted_settings(operation).classes)}: {lacking}"
        what_to_do = "start a new run with another target.instances.instance_class"
    waiting = restore_phase(operation, services.clock.now()).wait(waiting_for, action=what_to_do)
    services.operations.save(operation)
    return waiting


def _restore(operation: Operation, services: Services) -> None:
    target_id = operation.restored_cluster_id
    wanted = (wanted_settings(operation).tags or {}) | _own_tags(operation)
    if leave_restored(operation):
        # In the row before the call, whose answer may be lost: what comes is another cluster than the one before.
        services.operations.save(operation)
    resource_id = request_restore(operation, settings_to_build(operation), wanted, services)
    if resource_id is not None:
        note_restored(operation, resource_id, services)
        return
    cluster = services.rds().find_cluster(target_id)
    if cluster is None or has_given_way(cluster, operation):
        raise ResourceBusy(
            f"cluster {target_id}, which RDS shows as {cluster.status if cluster else 'gone'} and still counts",
            expected="the old target to be gone, or the restored one to be shown",
            action="nothing, the step is tried again for a while",
        )
    check_cluster_is_ours(cluster, operation)


def _has_its_instances(operation: Operation, services: Services) -> bool:
    """Tell whether all of them are there and available; create those that are missing."""
    target_id = operation.restored_cluster_id
    present = {instance.identifier: instance.status for instance in services.rds().instances_of(target_id)}
    missing = [name for name in operation.restored_instance_ids if name not in present]
    guards.check_instance_names(services.rds(), missing, target_id)
    settings = settings_to_build(operation)
    # In the order of the plan: the first one becomes the writer.
    for member in settings.members:
        if member.identifier in missing:
            wanted = tags_of_members(settings, member) | _own_tags(operation)
            services.rds_writer.create_instance(target_id, member, tags=wanted)
    return not missing and set(present.values()) == {"available"}


def _own_tags(operation: Operation) -> dict[str, str]:
    return tags.own_tags(tags.Role.TARGET, operation.operation_id, operation.identifiers.target_cluster_id)
