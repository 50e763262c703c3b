"""What an earlier run left: a target it deleted in part, or production's data that no user was let into."""

from collections.abc import Sequence

from utils import tags
from utils.aws.rds_models import Cluster, Instance
from utils.aws.rds_statuses import NEVER_ANSWERED
from utils.errors import OperationNotResumable
from utils.operation.model import Operation
from utils.operation.restored_cluster import known_resource_id
from utils.operation.store import OperationStore
from utils.plan.inherited import readable_record
from utils.preflight.looks import Preflight
from utils.runtime.services import Services


def half_restored_by(cluster: Cluster, operations: OperationStore) -> str | None:
    """Name the operation that restored the cluster and never opened it; None for one that was proven or is foreign.

    Also None if the row of that operation is gone or unreadable, or names another resource id, as tags come along with
    a person's snapshot of it: what is not known to be a leftover is kept.
    """
    earlier = maker_of(cluster, operations)
    if earlier is None or (earlier.users is not None and earlier.users.finished_at is not None):
        return None
    if _has_the_old_data(cluster, earlier) and _may_have_been_worked_with(cluster, earlier):
        return None
    return cluster.tags[tags.OPERATION_ID]


def old_data_half_back_by(cluster: Cluster, operations: OperationStore) -> str | None:
    """Name the operation that restored the old data into the cluster and did not come to its end with that."""
    earlier = maker_of(cluster, operations)
    if earlier is None or earlier.bring_back is None or earlier.bring_back.finished_at is not None:
        return None
    return cluster.tags[tags.OPERATION_ID] if _has_the_old_data(cluster, earlier) else None


def _has_the_old_data(cluster: Cluster, earlier: Operation) -> bool:
    record = earlier.bring_back
    return record is not None and record.cleared_at is not None and cluster.resource_id != record.failed_resource_id


def _may_have_been_worked_with(cluster: Cluster, earlier: Operation) -> bool:
    """Tell whether the old data that is back may have answered: whoever could log in before can.

    What RDS does with it just now (a backup, a change, a night's stop) says nothing of the days before.
    """
    is_back = earlier.bring_back is not None and earlier.bring_back.finished_at is not None
    return is_back or (bool(cluster.member_ids) and cluster.status not in NEVER_ANSWERED)


def maker_of(cluster: Cluster, operations: OperationStore) -> Operation | None:
    """Return the operation that is known to have restored this very cluster; None for one that is not known."""
    operation_id = cluster.tags.get(tags.OPERATION_ID, "")
    is_the_pipelines = cluster.tags.get(tags.MANAGED) == "true" and cluster.tags.get(tags.ROLE) == tags.Role.TARGET
    if not is_the_pipelines or not operation_id:
        return None
    earlier = _find(operation_id, operations)
    return earlier if earlier is not None and known_resource_id(earlier) == cluster.resource_id else None


def deleted_in_part_by(cluster: Cluster, members: Sequence[Instance], services: Services) -> str | None:
    """Name the operation that began to delete the cluster and did not get through, so that members of it are gone.

    None for a cluster that has an instance which the target record does not know: somebody repaired it since.
    """
    record = readable_record(cluster.identifier, services)
    if record is None or record.of_success:
        return None
    earlier = _find(record.operation_id, services.operations)
    if earlier is None or earlier.plan.old_target_resource_id != cluster.resource_id:
        return None
    was_begun = earlier.deletion is not None and earlier.deletion.destroying_since is not None
    staying = {item.identifier for item in members if item.status != "deleting" and not item.is_autoscaled}
    is_less = staying < {member.identifier for member in record.settings.members}
    return earlier.operation_id if was_begun and is_less else None


def look_at_unfinished_swap(preflight: Preflight, cluster: Cluster, operations: OperationStore) -> None:
    """Warn of instances that a swap left under the names that they had beside: a new run takes them for theirs."""
    earlier = maker_of(cluster, operations)
    names, record = (earlier.identifiers.swap, earlier.swap) if earlier else (None, None)
    if earlier is None or names is None or record is None or not record.has_begun or record.finished_at is not None:
        return
    left = {beside: final for final, beside in names.instances_beside.items() if beside in cluster.member_ids}
    if left:
        preflight.warn(
            "names of instances",
            f"{', '.join(left)}, as operation {earlier.operation_id} left them, whose exchange of names is not over",
            expected=f"the names {', '.join(left.values())}",
            do=f"resume that operation first (./restore.sh resume {earlier.operation_id}); else they keep these names",
        )


def _find(operation_id: str, operations: OperationStore) -> Operation | None:
    try:
        return operations.find(operation_id)
    except OperationNotResumable:
        return None
