"""Whether an operation restored a cluster: RDS passes tags on with snapshots, so that they alone prove nothing."""

from utils import tags
from utils.aws.rds_models import Cluster
from utils.operation.model import Operation


def may_be_restored_by(cluster: Cluster, operation: Operation) -> bool:
    """Tell whether the operation restored the cluster; its tags decide as long as it has not seen what it restored."""
    return tags.is_ours(cluster.tags, operation.operation_id) and known_resource_id(operation) in (
        None,
        cluster.resource_id,
    )


def known_resource_id(operation: Operation) -> str | None:
    """Return the resource id of the cluster that it restored last; None if it has not seen that yet."""
    of_the_record = operation.restore.resource_id if operation.restore else None
    is_left = of_the_record == operation.begun.left_resource_id
    return operation.begun.restored_resource_id or (None if is_left else of_the_record)


def leave_restored(operation: Operation) -> bool:
    """Forget which cluster was restored, as another is about to be asked for; False where none is known."""
    known = known_resource_id(operation)
    if known is not None:
        operation.begun.left_resource_id, operation.begun.restored_resource_id = known, None
    return known is not None
