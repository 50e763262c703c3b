"""Whether the engine version takes the settings: those of a target of another version may be more than it knows."""

from collections.abc import Iterator
from functools import partial

from utils.aws.target.offered import OfferedVersion
from utils.cluster_settings.model import TargetSettings
from utils.errors import TargetNotBuildable
from utils.preflight.looks import Preflight

Problem = tuple[str, str, str]  # field, found, expected


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
