"""What to do when RDS takes no further snapshot: wait for copies to end, or prune our own.

RDS answers `SnapshotQuotaExceeded` to both of its limits: copies in progress per Region, and manual snapshots per
Region (Aurora User Guide, "Quotas and constraints").
"""

from utils.errors import QuotaReached, SnapshotQuotaFull
from utils.operation.model import Operation
from utils.pruning import prunable
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
        "raise the quota; then resume the operation; nothing was deleted",
    )
