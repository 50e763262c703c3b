"""Whether RDS will build the target as it is wanted: what it would refuse after the deletion is looked for before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from utils.aws.offers import Offers
from utils.aws.target.offered import OfferedVersion, SubnetGroup
from utils.cluster_settings.model import TargetSettings
from utils.errors import EngineVersionNotRestorable, SettingNotFound, SnapshotNotRestorable, TargetNotBuildable
from utils.preflight.instances import look_at_instances
from utils.preflight.looks import Preflight
from utils.preflight.network import (
    check_addresses,
    check_network_type,
    check_security_groups,
    check_way_to_the_internet,
    look_at_quarantine,
)
from utils.preflight.quotas import look_at_quotas
from utils.preflight.version import look_at_extended_support, look_at_version
from utils.words import counted

_FEWEST_ZONES = 2
_TAKEN_WITHOUT_A_NAME = "default"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be built, and what there is by then: `old_members` is None without an old target."""

    snapshot_version: str
    settings: TargetSettings
    now: datetime
    old_members: int | None
    new_snapshots: int
    quarantine_group_ids: Sequence[str] = ()


def look_at_what_is_wanted(preflight: Preflight, offers: Offers, wanted: Wanted) -> None:
    """Look at version, groups, classes and quotas in the target Region."""
    settings = wanted.settings
    version = preflight.look(
        "engine version", lambda: _version(offers, wanted), found=lambda seen: f"{seen.version} is offered"
    )
    group = _subnet_group(preflight, offers, settings.subnet_group, settings.availability_zones)
    if version is not None:
        _parameter_groups(preflight, offers, settings, version)
        look_at_version(preflight, settings, version)
        look_at_extended_support(preflight, offers, settings, wanted.now)
        look_at_instances(preflight, offers, settings, version.version, group)
    if settings.security_group_ids:
        asked = settings.security_group_ids
        preflight.look("security groups", lambda: check_security_groups(offers, asked, group), found=", ".join)
    look_at_quarantine(preflight, offers, wanted.quarantine_group_ids, settings.security_group_ids, group)
    if group is not None:
        preflight.look("network type", lambda: check_network_type(group, settings.network_type), found=str)
        preflight.look(
            "free addresses",
            lambda: check_addresses(offers, group, more=len(settings.members), gone=wanted.old_members or 0),
            found=lambda free: f"{free} for {counted(len(settings.members), 'instance')}",
        )
    if group is not None and any(member.publicly_accessible for member in settings.members):
        preflight.look("way to the internet", lambda: check_way_to_the_internet(offers, group), found=str)
    look_at_quotas(
        preflight,
        offers,
        instances=len(settings.members),
        snapshots=wanted.new_snapshots,
        old_members=wanted.old_members,
        roles=len(settings.associated_roles or []),
    )


def _version(offers: Offers, wanted: Wanted) -> OfferedVersion:
    old, new = wanted.snapshot_version, wanted.settings.engine_version
    if "limitless" in old:
        raise SnapshotNotRestorable(
            f"a snapshot of Aurora Limitless Database ({old})",
            field="source.snapshot",
            expected="a snapshot of an ordinary Aurora PostgreSQL cluster",
            action="name another source: RDS restores no such snapshot as a cluster",
        )
    if _parts(new) < _parts(old):
        raise EngineVersionNotRestorable(
            f"{new}, older than the snapshot's {old}",
            field="target.engine_version",
            expected="the snapshot's version or a newer one",
            action="leave target.engine_version out, or raise it",
        )
    offered = offers.engine_version(new)
    if offered is None:
        raise EngineVersionNotRestorable(
            f"Aurora PostgreSQL {new}, which the target Region does not offer",
            field="target.engine_version",
            expected="a version of aws rds describe-db-engine-versions --engine aurora-postgresql",
            action="name a newer version that is offered",
        )
    targets = offers.upgrade_targets(old) if new != old else None
    if targets is not None and new not in targets:
        raise EngineVersionNotRestorable(
            f"Aurora PostgreSQL {new}, which a snapshot of {old} cannot be restored as",
            field="target.engine_version",
            expected=f"{old}, or one of its upgrade targets: {', '.join(targets) or 'none'}",
            action="name one of these, or leave target.engine_version out",
        )
    return offered


def _subnet_group(
    preflight: Preflight, offers: Offers, name: str | None, asked: Sequence[str] | None
) -> SubnetGroup | None:
    group: SubnetGroup | None
    if name is None:
        name = _TAKEN_WITHOUT_A_NAME
        group = offers.subnet_group(name)
        if group is None:
            preflight.warn(
                "subnet group",
                f"none is named, and there is no {name!r}",
                expected="a DB subnet group, without which RDS looks for a default VPC",
                do="name one in target.subnet_group: without a default VPC, RDS refuses the restore after the deletion",
            )
    else:
        group = preflight.look(
            "subnet group", lambda: _there(offers, name), found=lambda seen: f"{name} in {seen.vpc_id}"
        )
    if group is not None:
        preflight.look("zones of the subnets", lambda: _zones(name, group, asked or ()), found=", ".join)
    return group


def _there(offers: Offers, name: str) -> SubnetGroup:
    group = offers.subnet_group(name)
    if group is None:
        raise _no_group("target.subnet_group", "DB subnet group", name)
    return group


def _zones(name: str, group: SubnetGroup, asked: Sequence[str]) -> Sequence[str]:
    elsewhere = [zone for zone in asked if zone not in group.zones]
    if elsewhere:
        raise TargetNotBuildable(
            f"{', '.join(elsewhere)}, in which DB subnet group {name} has no subnet",
            field="target.availability_zones",
            expected=f"zones of {', '.join(group.zones)}",
            action="name zones of the group, or leave them out; then start a new run",
        )
    if len(group.zones) < _FEWEST_ZONES:
        raise TargetNotBuildable(
            f"DB subnet group {name} in {', '.join(group.zones) or 'no Availability Zone'}",
            field="target.subnet_group",
            expected=f"subnets in at least {_FEWEST_ZONES} Availability Zones",
            action="add a subnet in another zone to it, or name another group; then start a new run",
        )
    return group.zones


def _parameter_groups(preflight: Preflight, offers: Offers, settings: TargetSettings, version: OfferedVersion) -> None:
    cluster_group = settings.cluster_parameter_group
    instance_groups = dict.fromkeys(member.parameter_group for member in settings.members if member.parameter_group)
    if cluster_group:
        preflight.look(
            "cluster parameter group",
            lambda: _family(
                "target.cluster_parameter_group",
                ("DB cluster parameter group", cluster_group),
                offers.family_of_cluster_group(cluster_group),
                version,
            ),
            found=lambda family: f"{cluster_group} of family {family}",
        )
    for name in instance_groups:
        preflight.look("instance parameter group", partial(_family_of_instances, offers, name, version), found=str)


def _family_of_instances(offers: Offers, name: str, version: OfferedVersion) -> str:
    family = offers.family_of_instance_group(name)
    _family("target.instance_parameter_group", ("DB parameter group", name), family, version)
    return f"{name} of family {family}"


def _family(field: str, group: tuple[str, str], family: str | None, version: OfferedVersion) -> str:
    kind, name = group
    if family is None:
        raise _no_group(field, kind, name)
    if family != version.family:
        raise TargetNotBuildable(
            f"{kind} {name} of family {family}",
            field=field,
            expected=f"one of family {version.family}, which Aurora PostgreSQL {version.version} takes",
            action="name a group of that family, or leave the field out; then start a new run",
        )
    return family


def _no_group(field: str, kind: str, name: str) -> SettingNotFound:
    return SettingNotFound(
        f"no {kind} {name!r} in the target Region",
        field=field,
        expected="an existing one",
        action="create it or correct the name",
    )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
