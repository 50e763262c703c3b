"""Whether the network takes the target: its security groups, their VPC, and an address for each instance."""

from collections.abc import Sequence

from utils.aws.offers import Offers
from utils.aws.target.offered import SubnetGroup
from utils.cluster_settings.model import TargetSettings
from utils.errors import InvalidRequest, SettingNotFound, TargetNotBuildable
from utils.preflight.looks import Preflight
from utils.words import counted


def look_at_quarantine(
    preflight: Preflight,
    offers: Offers,
    quarantine: Sequence[str],
    afterwards: Sequence[str] | None,
    group: SubnetGroup | None,
) -> None:
    """Look whether the cluster can be restored into its quarantine, and be let out of it."""
    if quarantine:
        preflight.look(
            "quarantine",
            lambda: _check_quarantine(offers, quarantine, afterwards, group),
            found=", ".join,
        )


def _check_quarantine(
    offers: Offers, quarantine: Sequence[str], afterwards: Sequence[str] | None, group: SubnetGroup | None
) -> Sequence[str]:
    if not afterwards:
        raise TargetNotBuildable(
            "no security groups that are known, for a cluster that is restored in quarantine",
            field="target.security_group_ids",
            expected="the groups that it gets in place of those of the quarantine",
            action="name them in the request; then start a new run",
        )
    both = sorted({*quarantine} & {*afterwards})
    if both:
        raise TargetNotBuildable(
            f"security group {', '.join(both)} both in quarantine and after it",
            field="target.security_group_ids",
            expected="groups of the target's own: whoever they let in is not let into the quarantine",
            action="name other groups in the request, or in the stack parameter QuarantineSecurityGroupIds",
        )
    return check_security_groups(offers, quarantine, group, field="stack parameter QuarantineSecurityGroupIds")


def check_security_groups(
    offers: Offers,
    wanted: Sequence[str],
    group: SubnetGroup | None,
    *,
    field: str = "target.security_group_ids",
) -> Sequence[str]:
    """Return the groups if all exist in the subnet group's VPC; raises `SettingNotFound`, `TargetNotBuildable`."""
    vpcs = offers.vpcs_of_security_groups(wanted)
    missing = [name for name in wanted if name not in vpcs]
    if missing:
        raise SettingNotFound(
            f"no security group {', '.join(missing)} in the target Region",
            field=field,
            expected="existing ones",
            action="create them or correct the ids",
        )
    elsewhere = [f"{name} in {vpc}" for name, vpc in vpcs.items() if group is not None and vpc != group.vpc_id]
    if group is not None and elsewhere:
        raise TargetNotBuildable(
            f"security group {', '.join(elsewhere)}",
            field=field,
            expected=f"groups of {group.vpc_id}, the VPC of the DB subnet group",
            action="name groups of that VPC, or another subnet group; then start a new run",
        )
    return wanted


def check_network_type(group: SubnetGroup, wanted: str | None) -> str:
    """Return the network type if the subnets have addresses of it; raises `TargetNotBuildable`."""
    if wanted is not None and group.network_types and wanted not in group.network_types:
        raise TargetNotBuildable(
            f"network type {wanted}, with a DB subnet group for {', '.join(group.network_types)}",
            field="target.network_type",
            expected="a type for which every subnet of the group has addresses",
            action="name another type, or another subnet group; then start a new run",
        )
    return wanted or "as AWS's"


def check_addresses(offers: Offers, group: SubnetGroup, *, more: int, gone: int) -> int:
    """Return how many addresses are free, with those of instances that go; raises `TargetNotBuildable`."""
    free = offers.free_addresses(group.subnet_ids)
    total = sum(free.values()) + gone
    if total < more:
        raise TargetNotBuildable(
            f"{counted(total, 'free address', 'free addresses')} in {', '.join(group.subnet_ids)}, "
            "those of the instances that go counted",
            field="target.subnet_group",
            expected=f"one for each of {counted(more, 'instance')}",
            action="free addresses, add a subnet to the group, or name another group; then start a new run",
        )
    return total


def check_public_access(settings: TargetSettings, *, is_allowed: bool) -> None:
    """Refuse a copy of production that is reachable from the internet, unless the stack allows it."""
    public = [member.identifier for member in settings.members if member.publicly_accessible]
    if public and not is_allowed:
        raise InvalidRequest(
            f"true for {', '.join(public)}",
            field="target.instances.publicly_accessible",
            expected="false, or a stack whose parameter AllowPublicAccess is true",
            action="leave it out, or deploy with --set AllowPublicAccess=true",
        )


def check_way_to_the_internet(offers: Offers, group: SubnetGroup) -> str:
    """Return the VPC if RDS makes public instances in it; raises `TargetNotBuildable`."""
    missing = offers.missing_for_public_access(group.vpc_id)
    if missing:
        raise TargetNotBuildable(
            f"{group.vpc_id} without {' and '.join(missing)}",
            field="target.instances.publicly_accessible",
            expected="a VPC with an internet gateway, DNS resolution and DNS hostnames, which RDS asks for",
            action="leave publicly_accessible out, or name a subnet group of such a VPC; then start a new run",
        )
    return group.vpc_id
