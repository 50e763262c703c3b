"""Which snapshots of a target may go: those that this pipeline made of it, beyond the newest to keep."""

from datetime import UTC, datetime

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.aws.rds_statuses import SNAPSHOT
from utils.operation.model import Operation


def prunable(operation: Operation, snapshots: list[Snapshot]) -> dict[tags.Role, list[str]]:
    """Name by role what is beyond the request's limits, never this operation's own."""
    request = operation.request
    limits = {tags.Role.COPY: request.keep_copies, tags.Role.FINAL: request.keep_final_snapshots}
    return {
        role: [
            snapshot.identifier
            for snapshot in _beyond(keep, _own(snapshots, role, operation))
            if not tags.is_ours(snapshot.tags, operation.operation_id)
        ]
        for role, keep in limits.items()
    }


def _own(snapshots: list[Snapshot], role: tags.Role, operation: Operation) -> list[Snapshot]:
    return [
        snapshot
        for snapshot in snapshots
        if snapshot.tags.get(tags.MANAGED) == "true"
        and snapshot.tags.get(tags.ROLE) == role.value
        and snapshot.tags.get(tags.TARGET_CLUSTER_ID) == operation.identifiers.target_cluster_id
    ]


def _beyond(keep: int, snapshots: list[Snapshot]) -> list[Snapshot]:
    def newest_first(snapshot: Snapshot) -> datetime:
        return snapshot.created_at or datetime.max.replace(tzinfo=UTC)

    available = [snapshot for snapshot in snapshots if snapshot.status in SNAPSHOT.ready]
    return sorted(available, key=newest_first, reverse=True)[keep:]
