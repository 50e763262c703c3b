"""Whether the account may have what the run makes, beside what it takes away."""

from utils.aws.offers import Offers, Quota
from utils.errors import TargetNotBuildable
from utils.preflight.looks import Preflight
from utils.words import counted


def look_at_quotas(
    preflight: Preflight, offers: Offers, *, instances: int, snapshots: int, old_members: int | None, roles: int
) -> None:
    """Look at clusters, instances and snapshots in the target Region; `old_members` is None without an old target."""
    quotas = preflight.look("quotas", offers.quotas, found=lambda known: f"{len(known)} are known") or {}
    gone = 0 if old_members is None else 1
    preflight.look("quota of clusters", lambda: _room(quotas, "DBClusters", more=1, gone=gone, what="cluster"))
    preflight.look(
        "quota of instances",
        lambda: _room(quotas, "DBInstances", more=instances, gone=old_members or 0, what="instance"),
    )
    _snapshots(preflight, quotas, snapshots)
    preflight.look("quota of roles", lambda: _roles(quotas, roles))


def _room(quotas: dict[str, Quota], name: str, *, more: int, gone: int, what: str) -> None:
    quota = quotas.get(name)
    if quota is None:
        return
    after = quota.used - gone + more
    # What was over the quota before stays possible: AWS lowers no quota under what is used.
    if after > quota.most and more > gone:
        raise TargetNotBuildable(
            f"{counted(quota.used, what)} of the {quota.most} that the account may have in the Region, "
            f"{gone} of them to go and {more} to come",
            field=f"the quota {name}",
            expected=f"room for {counted(more - gone, f'more {what}')}",
            action=f"delete what nobody needs, or ask AWS to raise {name}; then start a new run",
        )


def _roles(quotas: dict[str, Quota], roles: int) -> None:
    # What is used of it counts roles of other clusters: the quota is one of each cluster.
    quota = quotas.get("DBClusterRoles")
    if quota is not None and roles > quota.most:
        raise TargetNotBuildable(
            f"{counted(roles, 'IAM role')} for a cluster that may have {quota.most}",
            field="target.associated_roles",
            expected=f"at most {quota.most}, the quota DBClusterRoles",
            action="name fewer, or ask AWS to raise the quota; then start a new run",
        )


def _snapshots(preflight: Preflight, quotas: dict[str, Quota], new: int) -> None:
    quota, name = quotas.get("ManualClusterSnapshots"), "quota of snapshots"
    if quota is not None and quota.used + new > quota.most:
        # Older ones of ours may make room; if not, the run stops before anything is deleted.
        preflight.warn(
            name,
            f"{quota.used} of {quota.most} manual cluster snapshots, and {new} to come",
            expected="room for them, or older ones of this target's that may be pruned",
            do="delete snapshots that nobody needs, or ask AWS to raise ManualClusterSnapshots",
        )
    else:
        preflight.look(name, lambda: None)
