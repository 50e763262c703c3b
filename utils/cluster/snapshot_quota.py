"""How many snapshots there may be: our own beyond the number to keep, and what to do when RDS takes no further one.

RDS answers `SnapshotQuotaExceeded` to both of its limits: copies in progress per Region, and manual snapshots per
Region (Aurora User Guide, "Quotas and constraints").
"""

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.errors import QuotaReached, SnapshotQuotaFull
from utils.operation.model import Operation
from utils.plan.kept import newest_first, own_snapshots
from utils.runtime.services import Services

_COPIES_AT_ONCE = 5


def make_room(operation: Operation, services: Services, full: QuotaReached, *, refused_before: bool) -> str:
    """Say what to wait for, after pruning if that helps; raises `SnapshotQuotaFull` when nothing of ours may go.

    A first refusal is tried again in any case: what RDS counted may have ended before it was listed here.
    """
    snapshots = services.rds().manual_snapshots()
    copying = sum(snapshot.status == "copying" for snapshot in snapshots)
    if copying >= _COPIES_AT_ONCE:
        return f"one of {copying} other snapshot copies to end"
    pruned = [identifier for role in prunable(operation, snapshots).values() for identifier in role]
    if pruned:
        # The names come into the row first: after a failure the next call finds nothing left to name.
        operation.begun.pruned = sorted({*operation.begun.pruned, *pruned})
        services.operations.save(operation)
    for identifier in pruned:
        services.rds_writer.delete_snapshot(identifier)
    if pruned:
        return f"room, {', '.join(pruned)} being deleted"
    if not refused_before or any(snapshot.status == "deleting" for snapshot in snapshots):
        return "room for one more manual snapshot"
    raise SnapshotQuotaFull(
        f"{len(snapshots)} manual cluster snapshots in {services.settings.target_region}, {copying} of them copies in "
        f"progress, none of ours beyond those to keep ({full})",
        expected="room for one more manual snapshot",
        action="delete snapshots that nobody needs, keep fewer (keep_copies, keep_final_snapshots), or ask AWS to "
        "raise the quota; then resume the operation",
    )


def prunable(operation: Operation, snapshots: list[Snapshot]) -> dict[tags.Role, list[str]]:
    """Name by role what is beyond the request's limits, never this operation's own."""
    request, target_id = operation.request, operation.of_target or operation.identifiers.target_cluster_id
    limits = {tags.Role.COPY: request.keep_copies, tags.Role.FINAL: request.keep_final_snapshots}
    return {
        role: [
            snapshot.identifier
            for snapshot in newest_first(own_snapshots(snapshots, role, target_id))[keep:]
            if not tags.is_ours(snapshot.tags, operation.operation_id)
        ]
        for role, keep in limits.items()
    }
