"""Whether the engine version takes the settings: those of a target of another version may be more than it knows."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from utils.aws.offers import Offers
from utils.aws.target.offered import OfferedVersion
from utils.cluster_settings.model import TargetSettings
from utils.errors import AccessDenied, AwsRequestRejected, EngineVersionNotRestorable, TargetNotBuildable
from utils.preflight.looks import Preflight

Problem = tuple[str, str, str]  # field, found, expected
_SUPPORT = "standard support"


def look_at_version(preflight: Preflight, settings: TargetSettings, version: OfferedVersion) -> None:
    """Refuse log types, certificates, features and capacities that the version does not have."""
    for name, problems in (
        ("log types", _log_types(settings, version)),
        ("certificates", _certificates(settings, version)),
        ("features of roles", _role_features(settings, version)),
        ("capacity of the version", _capacity(settings, version)),
        ("write forwarding", _forwarding(settings, version)),
    ):
        preflight.look(name, partial(_refuse, list(problems), version))


def look_at_extended_support(preflight: Preflight, offers: Offers, settings: TargetSettings, now: datetime) -> None:
    """Refuse a major version past AWS's standard support for a cluster that is not enrolled in Extended Support.

    RDS takes such a restore and upgrades the cluster to another major version, at a time of its own.
    """
    if settings.extended_support is not False:
        return
    major = settings.engine_version.partition(".")[0]
    try:
        ends = offers.end_of_standard_support(major)
        why = f"AWS names no end of standard support for Aurora PostgreSQL {major}"
    except (AccessDenied, AwsRequestRejected) as refused:
        ends, why = None, refused.found
    if ends is None:
        preflight.warn(
            _SUPPORT,
            f"not checked: {why}",
            expected="a date in rds:DescribeDBMajorEngineVersions",
            do=f"make sure that {major} is in standard support: RDS upgrades a cluster that has opted out of Extended "
            "Support and is past it",
        )
    else:
        preflight.look(
            _SUPPORT,
            partial(_check_support, settings.engine_version, ends, now),
            found=lambda end: f"until {end:%Y-%m-%d}",
        )


def _check_support(version: str, ends: datetime, now: datetime) -> datetime:
    if now > ends:
        raise EngineVersionNotRestorable(
            f"Aurora PostgreSQL {version}, whose standard support ended on {ends:%Y-%m-%d}, without Extended Support",
            field="target.extended_support",
            expected="a version in standard support, or true: otherwise RDS upgrades the new cluster by itself",
            action="set target.extended_support to true (AWS charges for it), or name a supported version in "
            "target.engine_version; then start a new run",
        )
    return ends


def _refuse(problems: list[Problem], version: OfferedVersion) -> None:
    if problems:
        field, _, expected = problems[0]
        raise TargetNotBuildable(
            f"{'; '.join(found for _, found, _ in problems)}, which Aurora PostgreSQL {version.version} does not take",
            field=field,
            expected=expected,
            action="name what it takes in the request, or another version; then start a new run",
        )


def _log_types(settings: TargetSettings, version: OfferedVersion) -> Iterator[Problem]:
    unknown = [name for name in settings.log_exports or [] if version.log_types and name not in version.log_types]
    if unknown:
        yield "target.log_exports", f"log types {', '.join(unknown)}", f"some of {', '.join(version.log_types or [])}"


def _certificates(settings: TargetSettings, version: OfferedVersion) -> Iterator[Problem]:
    known = version.ca_certificates
    for member in settings.members:
        if member.ca_certificate and known and member.ca_certificate not in known:
            found = f"certificate authority {member.ca_certificate} of {member.identifier}"
            yield "target.instances.ca_certificate", found, f"one of {', '.join(known)}"


def _role_features(settings: TargetSettings, version: OfferedVersion) -> Iterator[Problem]:
    known = version.role_features
    for role in settings.associated_roles or []:
        if role.feature and known and role.feature not in known:
            found = f"a role for {role.feature}, {role.role_arn}"
            yield "target.associated_roles", found, f"a feature of {', '.join(known)}"


def _capacity(settings: TargetSettings, version: OfferedVersion) -> Iterator[Problem]:
    wanted = settings.serverless_v2
    if wanted is None:
        return
    lowest, highest = version.lowest_capacity, version.highest_capacity
    if lowest is not None and wanted.min_capacity < lowest:
        yield "target.serverless_v2", f"min_capacity {wanted.min_capacity:g}", f"at least {lowest:g} ACU"
    if highest is not None and wanted.max_capacity > highest:
        yield "target.serverless_v2", f"max_capacity {wanted.max_capacity:g}", f"at most {highest:g} ACU"


def _forwarding(settings: TargetSettings, version: OfferedVersion) -> Iterator[Problem]:
    if settings.local_write_forwarding and version.forwards_writes is False:
        yield "target.local_write_forwarding", "local write forwarding", "false"
