"""Whether RDS will take a final snapshot of the old target: before the hours of a copy, not after them."""

from utils import tags
from utils.aws.rds_models import Cluster
from utils.aws.rds_statuses import OLD_TARGET_BEFORE_DELETE
from utils.errors import TargetNotBuildable, TargetNotDeletable
from utils.preflight.looks import Preflight

_GIVE_UP = "or give its data up with final_snapshot: false"


def look_at_final_snapshot(preflight: Preflight, old: Cluster) -> None:
    """Refuse a target of which no snapshot can be taken, or none with all its tags."""
    preflight.look("status of the target", lambda: _check_status(old), found=lambda _: old.status)
    preflight.look("tags of the final snapshot", lambda: _check_tags(old))


def _check_status(old: Cluster) -> None:
    if old.status in OLD_TARGET_BEFORE_DELETE.failed:
        raise TargetNotDeletable(
            f"cluster {old.identifier} with status {old.status}, of which AWS takes no snapshot",
            field="final_snapshot",
            expected="status available, or one from which it gets there",
            action=f"repair it (of inaccessible-encryption-credentials: the KMS key), {_GIVE_UP}; then start a new run",
        )


def _check_tags(old: Cluster) -> None:
    # RDS gives a snapshot the cluster's tags first; ours of the same key take their place.
    inherited = old.tags if old.settings.copy_tags_to_snapshot else {}
    own = tags.own_tags(tags.Role.FINAL, "", old.identifier)
    total = len({key for key in inherited if not key.startswith("aws:")} | set(own))
    if total > tags.MOST:
        raise TargetNotBuildable(
            f"{total} tags for the final snapshot, which gets those of cluster {old.identifier}",
            field="target.cluster_id",
            expected=f"at most {tags.MOST}",
            action=f"take tags off it, or switch CopyTagsToSnapshot off, {_GIVE_UP}; then start a new run",
        )
