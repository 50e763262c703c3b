"""How many snapshots there may be: our own beyond the number to keep, and what to do when RDS takes no further one.

RDS answers `SnapshotQuotaExceeded` to both of its limits: manual snapshots per Region and, to a copy, copies in
progress per Region (Aurora User Guide, "Quotas and constraints").
"""

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.errors import QuotaReached, SnapshotQuotaFull
from utils.operation.model import Operation
from utils.operation.records import CopyRecord, DeletionRecord
from utils.plan.kept import newest_first, own_snapshots
from utils.runtime.services import Services

_COPIES_AT_ONCE = 5


def make_room(operation: Operation, services: Services, full: QuotaReached, record: CopyRecord | DeletionRecord) -> str:
    """Say what to wait for, after pruning if that helps; raises `SnapshotQuotaFull` when nothing of ours may go.

    record: of what was refused. RDS does not say which of its limits was reached, and what it counted may have ended
    before it is listed here: copies that go on are waited for, and a refusal for no reason at all is tried once more.
    """
    refused_for_no_reason, record.refused_for_no_reason = record.refused_for_no_reason, False
    record.waits_for_room = True
    snapshots = services.rds().manual_snapshots()
    is_copy = isinstance(record, CopyRecord)
    copying = sum(snapshot.status == "copying" for snapshot in snapshots) if is_copy else 0
    if copying >= _COPIES_AT_ONCE:
        return _turn(copying)
    pruned = [identifier for role in prunable(operation, snapshots).values() for identifier in role]
    if pruned:
        # The names come into the row first: after a failure the next call finds nothing left to name.
        operation.begun.pruned = sorted({*operation.begun.pruned, *pruned})
        services.operations.save(operation)
    for identifier in pruned:
        services.rds_writer.delete_snapshot(identifier)
    if pruned:
        return f"room, {', '.join(pruned)} being deleted"
    if any(snapshot.status == "deleting" for snapshot in snapshots):
        return "room for one more manual snapshot"
    if copying:
        return _turn(copying)
    if not refused_for_no_reason:
        record.refused_for_no_reason = True
        return "room for one more manual snapshot"
    raise SnapshotQuotaFull(
        f"{len(snapshots)} manual cluster snapshots in {services.settings.target_region}, "
        f"{'none of them a copy in progress, ' if is_copy else ''}none of ours beyond those to keep ({full})",
        expected="room for one more manual snapshot",
        action="delete snapshots that nobody needs, keep fewer (keep_copies, keep_final_snapshots), or ask AWS to "
        "raise the quota; then resume the operation",
    )


def _turn(copying: int) -> str:
    return f"{'another snapshot copy' if copying == 1 else f'one of {copying} other snapshot copies'} to end"


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
