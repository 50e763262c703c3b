"""Which snapshots of a target are the pipeline's own, and which of them are more than are to be kept."""

from collections.abc import Sequence
from datetime import UTC, datetime

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.aws.rds_statuses import SNAPSHOT


def own_snapshots(snapshots: Sequence[Snapshot], role: tags.Role, target_cluster_id: str) -> list[Snapshot]:
    """Return those that the pipeline made of, or for, this target."""
    return [
        snapshot
        for snapshot in snapshots
        if snapshot.tags.get(tags.MANAGED) == "true"
        and snapshot.tags.get(tags.ROLE) == role.value
        and snapshot.tags.get(tags.TARGET_CLUSTER_ID) == target_cluster_id
        and not _is_somebodys_copy(snapshot, role)
    ]


def _is_somebodys_copy(snapshot: Snapshot, role: tags.Role) -> bool:
    """Tell whether a person copied one of the pipeline's, with its tags: the pipeline copies no snapshot of its own.

    What it copies is in another Region or account.
    """
    if snapshot.source_arn is None:
        return False
    return role is not tags.Role.COPY or snapshot.source_arn.split(":")[3:5] == snapshot.arn.split(":")[3:5]


def taken_for(snapshots: Sequence[Snapshot], target_region: str) -> list[Snapshot]:
    """Return those that runs of this target Region took; another one may have a target of the same name."""
    return [snapshot for snapshot in snapshots if snapshot.tags.get(tags.TARGET_REGION) == target_region]


def kept_and_pruned(
    snapshots: Sequence[Snapshot], role: tags.Role, target_cluster_id: str, *, keep: int, is_new_one: bool
) -> tuple[list[str], list[str]]:
    """Name those that will stay and those that will go at the end of a run, which may make a new one."""
    own = newest_first(own_snapshots(snapshots, role, target_cluster_id))
    stay = max(0, keep - is_new_one)
    return [snapshot.identifier for snapshot in own[:stay]], [snapshot.identifier for snapshot in own[stay:]]


def newest_first(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Return the available ones in the order in which they are kept."""

    def age(snapshot: Snapshot) -> datetime:
        return snapshot.created_at or datetime.max.replace(tzinfo=UTC)

    available = [snapshot for snapshot in snapshots if snapshot.status in SNAPSHOT.ready]
    return sorted(available, key=age, reverse=True)
