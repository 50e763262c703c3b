"""Whether what bears a name of ours was made by this operation; anything else is never taken over."""

from utils import tags
from utils.aws.rds_models import Cluster, Snapshot
from utils.errors import IdentifierTaken
from utils.operation.model import Operation
from utils.operation.restored_cluster import known_resource_id, may_be_restored_by


def check_copy_is_ours(found: Snapshot, operation: Operation) -> None:
    """Refuse a snapshot under the copy's name that is not a copy of our source by this operation."""
    if found.source_arn != operation.snapshot.arn or not tags.is_ours(found.tags, operation.operation_id):
        raise IdentifierTaken(
            f"snapshot {found.identifier}, a copy of {found.source_arn or 'nothing'}",
            expected=f"no snapshot of that name, or this operation's copy of {operation.snapshot.arn}",
            action="find out who made it and delete or rename it, then resume the operation",
        )


def check_final_snapshot_is_ours(found: Snapshot, operation: Operation) -> None:
    """Refuse a snapshot under the final snapshot's name that this operation did not take of the old target."""
    of_old_target = found.cluster_resource_id == operation.plan.old_target_resource_id
    if not of_old_target or not tags.is_ours(found.tags, operation.operation_id):
        raise IdentifierTaken(
            f"snapshot {found.identifier} of {found.cluster_resource_id}",
            expected=f"no snapshot of that name, or this operation's of {operation.plan.old_target_resource_id}",
            action="find out who made it and delete it, then resume the operation",
        )


def has_given_way(cluster: Cluster, operation: Operation) -> bool:
    """Tell whether this is a deleted cluster, which RDS may show for a while after it was gone.

    The old target, or the new one that failed where the old data is brought back.
    """
    failed = operation.bring_back.failed_resource_id if operation.bring_back else None
    return is_the_old_target(cluster, operation) or (failed is not None and cluster.resource_id == failed)


def is_the_old_target(cluster: Cluster, operation: Operation) -> bool:
    """Tell whether this is the cluster that had the target's name when the plan was made."""
    return cluster.resource_id == operation.plan.old_target_resource_id


def check_cluster_is_ours(cluster: Cluster, operation: Operation) -> None:
    """Refuse a cluster under the target's name that this operation did not restore."""
    if not may_be_restored_by(cluster, operation):
        raise IdentifierTaken(
            f"cluster {cluster.identifier}, made by {_maker(cluster, operation)}",
            expected="no cluster of that name, or the one this operation restores",
            action="find out who made it since the old target was deleted, delete or rename it, then resume the "
            "operation; it was not touched",
        )


def _maker(cluster: Cluster, operation: Operation) -> str:
    if tags.is_ours(cluster.tags, operation.operation_id):
        known, found = known_resource_id(operation), cluster.resource_id
        return f"somebody else: it bears this operation's tags, but its resource id is {found} instead of {known}"
    return f"operation {cluster.tags.get(tags.OPERATION_ID, 'unknown')}"
