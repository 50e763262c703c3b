"""What an earlier run left half-restored: production's data, perhaps unmasked, that no user was let into."""

from utils import tags
from utils.aws.rds_models import Cluster
from utils.errors import OperationNotResumable
from utils.operation.store import OperationStore


def half_restored_by(cluster: Cluster, operations: OperationStore) -> str | None:
    """Name the operation that restored the cluster and never opened it; None for one that was proven or is foreign.

    Also None if the row of that operation is gone or unreadable: what is not known to be a leftover is kept.
    """
    operation_id = cluster.tags.get(tags.OPERATION_ID, "")
    is_the_pipelines = cluster.tags.get(tags.MANAGED) == "true" and cluster.tags.get(tags.ROLE) == tags.Role.TARGET
    if not is_the_pipelines or not operation_id:
        return None
    try:
        earlier = operations.find(operation_id)
    except OperationNotResumable:
        return None
    if earlier is None or (earlier.users is not None and earlier.users.finished_at is not None):
        return None
    if earlier.bring_back is not None and earlier.bring_back.finished_at is not None:
        return None  # the old data is back in it, and people work with it
    return operation_id
