"""Whether each instance can be ordered: its class in the Region, for the version, where it is to stand."""

from functools import partial

from utils.aws.offers import Offers, SubnetGroup
from utils.cluster_settings.model import Member, TargetSettings
from utils.errors import TargetNotBuildable
from utils.preflight.looks import Preflight


def look_at_instances(
    preflight: Preflight, offers: Offers, settings: TargetSettings, version: str, group: SubnetGroup | None
) -> None:
    """Look at each class once, and at each member that has an Availability Zone of its own."""
    zones = {}
    for name in settings.classes:
        found = preflight.look(
            "instance class",
            partial(_zones_of_class, offers, name, version, group),
            found=partial(_can_be_ordered, name),
        )
        if found is not None:
            zones[name] = found
    for member in settings.members:
        if member.availability_zone is not None and member.instance_class in zones:
            preflight.look(
                f"zone of {member.identifier}", partial(_zone, member, zones[member.instance_class], group), found=str
            )


def _can_be_ordered(name: str, _zones: set[str]) -> str:
    return f"{name} can be ordered"


def _zones_of_class(offers: Offers, name: str, version: str, group: SubnetGroup | None) -> set[str]:
    zones = offers.zones_of_class(version, name)
    if not zones:
        raise TargetNotBuildable(
            f"instance class {name}, which cannot be ordered for Aurora PostgreSQL {version} in the target Region",
            field="target.instances.instance_class",
            expected="a class of aws rds describe-orderable-db-instance-options",
            action="correct it, then start a new run",
        )
    if group is not None and not zones & set(group.zones):
        raise TargetNotBuildable(
            f"instance class {name}, which can be ordered in {', '.join(sorted(zones))} only",
            field="target.instances.instance_class",
            expected=f"one that can be ordered in a zone of the subnet group: {', '.join(group.zones)}",
            action="name another class, or a subnet group in one of these zones; then start a new run",
        )
    return zones


def _zone(member: Member, zones: set[str], group: SubnetGroup | None) -> str:
    zone = member.availability_zone or ""
    possible = zones if group is None else zones & set(group.zones)
    if zone not in possible:
        raise TargetNotBuildable(
            f"instance {member.identifier} of class {member.instance_class} in {zone}",
            field="target.instances.named",
            expected=f"a zone that has the class and a subnet of the group: {', '.join(sorted(possible))}",
            action="name another zone or class for it; then start a new run",
        )
    return zone
