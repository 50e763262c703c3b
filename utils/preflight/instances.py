"""Whether each instance can be ordered: its class in the Region, for the version, where it is to stand."""

from collections.abc import Iterator
from functools import partial

from utils.aws.offers import Offers
from utils.aws.target.offered import (
    ENHANCED_MONITORING,
    IAM_AUTHENTICATION,
    KERBEROS,
    PERFORMANCE_INSIGHTS,
    OfferedClass,
    SubnetGroup,
)
from utils.cluster_settings.model import Member, TargetSettings
from utils.errors import TargetNotBuildable
from utils.preflight.looks import Preflight

# What a cluster has of which nobody said anything.
_STANDARD_STORAGE, IPV4 = "aurora", "IPV4"


def look_at_instances(
    preflight: Preflight, offers: Offers, settings: TargetSettings, version: str, group: SubnetGroup | None
) -> None:
    """Look at each class once, and at each member that has an Availability Zone of its own."""
    zones: dict[str | None, frozenset[str]] = {}
    for name in settings.classes:
        found = preflight.look(
            "instance class",
            partial(_offered, offers, name, version, settings, group),
            found=partial(_can_be_ordered, name),
        )
        if found is not None:
            zones[name] = found.zones
    for member in settings.members:
        if member.availability_zone is not None and member.instance_class in zones:
            preflight.look(
                f"zone of {member.identifier}", partial(_zone, member, zones[member.instance_class], group), found=str
            )


def _can_be_ordered(name: str, _offered: OfferedClass) -> str:
    return f"{name} can be ordered"


def _offered(
    offers: Offers, name: str, version: str, settings: TargetSettings, group: SubnetGroup | None
) -> OfferedClass:
    storage = settings.storage_type or _STANDARD_STORAGE
    found = offers.instance_class(version, name, storage)
    if not found.zones:
        raise _no_class(name, version, storage, found)
    if group is not None and not found.zones & set(group.zones):
        raise TargetNotBuildable(
            f"instance class {name}, which can be ordered in {', '.join(sorted(found.zones))} only",
            field="target.instances.instance_class",
            expected=f"one that can be ordered in a zone of the subnet group: {', '.join(group.zones)}",
            action="name another class, or a subnet group in one of these zones; then start a new run",
        )
    lacking = list(_lacking(name, settings, found))
    if lacking:
        raise TargetNotBuildable(
            f"instance class {name}, which has no {' and no '.join(lacking)} for Aurora PostgreSQL {version}",
            field="target.instances.instance_class",
            expected="a class that takes the settings of cluster and instances",
            action="name another class, or switch that off in the request; then start a new run",
        )
    return found


def _no_class(name: str, version: str, storage: str, found: OfferedClass) -> TargetNotBuildable:
    others = ", ".join(sorted(found.storage_types))
    with_storage = f" with storage type {storage}" if others else ""
    return TargetNotBuildable(
        f"instance class {name}, which cannot be ordered for Aurora PostgreSQL {version}{with_storage} in the target "
        "Region",
        field="target.storage_type" if others else "target.instances.instance_class",
        expected=f"the storage type {others}, or another class"
        if others
        else "a class of aws rds describe-orderable-db-instance-options",
        action="correct it, then start a new run",
    )


def _lacking(name: str, settings: TargetSettings, offered: OfferedClass) -> Iterator[str]:
    """Name what is wanted of instances of the class, and what they cannot have."""
    of_class = [member for member in settings.members if member.instance_class == name]
    insights = [settings.insights, *(member.insights for member in of_class)]
    monitoring = [settings.monitoring, *(member.monitoring for member in of_class)]
    wanted = {
        PERFORMANCE_INSIGHTS: any(item.enabled for item in insights if item),
        ENHANCED_MONITORING: any(item.interval_seconds for item in monitoring if item),
        IAM_AUTHENTICATION: settings.iam_authentication,
        KERBEROS: settings.domain is not None,
    }
    yield from (what for what, is_wanted in wanted.items() if is_wanted and what in offered.lacks)
    network = settings.network_type or IPV4
    if offered.network_types and network not in offered.network_types:
        yield f"network of type {network}"


def _zone(member: Member, zones: frozenset[str], group: SubnetGroup | None) -> str:
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
