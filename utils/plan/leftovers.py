"""What an earlier run left half-restored: production's data, perhaps unmasked, that no user was let into."""

from utils import tags
from utils.aws.rds_models import Cluster
from utils.errors import OperationNotResumable
from utils.operation.model import Operation
from utils.operation.store import OperationStore


def half_restored_by(cluster: Cluster, operations: OperationStore) -> str | None:
    """Name the operation that restored the cluster and never opened it; None for one that was proven or is foreign.

    Also None if the row of that operation is gone or unreadable: what is not known to be a leftover is kept.
    """
    earlier = _maker_of(cluster, operations)
    if earlier is None or (earlier.users is not None and earlier.users.finished_at is not None):
        return None
    if _has_the_old_data(cluster, earlier) and cluster.status == "available" and cluster.member_ids:
        return None  # whoever could log in before can, and may have worked with it
    return cluster.tags[tags.OPERATION_ID]


def old_data_half_back_by(cluster: Cluster, operations: OperationStore) -> str | None:
    """Name the operation that restored the old data into the cluster and did not come to its end with that."""
    earlier = _maker_of(cluster, operations)
    if earlier is None or earlier.bring_back is None or earlier.bring_back.finished_at is not None:
        return None
    return cluster.tags[tags.OPERATION_ID] if _has_the_old_data(cluster, earlier) else None


def _has_the_old_data(cluster: Cluster, earlier: Operation) -> bool:
    record = earlier.bring_back
    return record is not None and record.cleared_at is not None and cluster.resource_id != record.failed_resource_id


def _maker_of(cluster: Cluster, operations: OperationStore) -> Operation | None:
    operation_id = cluster.tags.get(tags.OPERATION_ID, "")
    is_the_pipelines = cluster.tags.get(tags.MANAGED) == "true" and cluster.tags.get(tags.ROLE) == tags.Role.TARGET
    if not is_the_pipelines or not operation_id:
        return None
    try:
        return operations.find(operation_id)
    except OperationNotResumable:
        return None
