"""Whether RDS can use what the settings name of other services: IAM roles, and the keys of Performance Insights."""

from functools import partial

from utils.aws.kms import KmsGateway
from utils.aws.rds_models import Cluster
from utils.aws.target.roles import RoleReader
from utils.cluster_settings.model import TargetSettings
from utils.errors import (
    AccessDenied,
    AuroraRestoreError,
    AwsRequestRejected,
    AwsUnavailable,
    SettingNotFound,
    TargetNotBuildable,
)
from utils.preflight.looks import Preflight

_ROLE = ":role/"
_TAKEN_ON, _ACTIVE = "roles that RDS can take on", "roles that RDS can take on, with status ACTIVE"


def look_at_keys_of_insights(preflight: Preflight, kms: KmsGateway, settings: TargetSettings) -> None:
    """Look at each key once; one that is disabled or gone lets RDS create neither cluster nor instance."""
    known = (settings.insights, *(member.insights for member in settings.members))
    for key in dict.fromkeys(one.kms_key_id for one in known if one and one.enabled and one.kms_key_id):
        look = partial(kms.usable_key_arn, key, field="target.insights.kms_key_id")
        preflight.look("key of insights", look, found=str)


def look_at_roles(
    preflight: Preflight, roles: RoleReader, settings: TargetSettings, old: Cluster | None, *, is_leftover: bool
) -> None:
    """Look at each role once: of one that is gone, or that it cannot take on, RDS says so only after the deletion.

    What RDS says of the roles of a leftover of ours keeps no target from standing again: it is told.
    """
    silent: AuroraRestoreError | None = None
    for role, field in _roles(settings).items():
        try:
            there = None if silent else roles.arn_of(role.rpartition("/")[2])
            why = silent
        except (AccessDenied, AwsRequestRejected) as refused:
            why = refused
        except AwsUnavailable as down:
            # IAM is made in one Region alone, perhaps the one that a recovery leaves: it is not waited for.
            why = silent = down
        if why is None:
            preflight.look("IAM role", partial(_is_there, role, there, field), found=str)
            continue
        preflight.warn(
            "IAM role",
            f"{role} of {field} not checked: {why.found}",
            expected="an answer of IAM to iam:GetRole",
            do="make sure that the role exists: without it RDS refuses the restore, after the deletion",
        )
    if old is not None:
        _look_at_invalid(preflight, old, settings, is_leftover=is_leftover)
        _warn_of_directory(preflight, old, settings)


def _roles(settings: TargetSettings) -> dict[str, str]:
    """Return the roles that are named, by ARN or name, each with a field that names it; nonsense is told elsewhere."""
    named = [(role.role_arn, "target.associated_roles") for role in settings.associated_roles or []]
    if settings.monitoring and settings.monitoring.interval_seconds:
        named.append((settings.monitoring.role_arn or "", "target.monitoring.role_arn"))
    for member in settings.members:
        if member.monitoring and member.monitoring.interval_seconds:
            field = f"target.instances.named.{member.identifier}.monitoring.role_arn"
            named.append((member.monitoring.role_arn or "", field))
    found: dict[str, str] = {}
    for role, field in named:
        if _ROLE in role:
            found.setdefault(role, field)
    if settings.domain and settings.domain.role_name:
        found[settings.domain.role_name] = "target.domain.role_name"
    return found


def _is_there(role: str, there: str | None, field: str) -> str:
    """Return the role's ARN; of an ARN that is named, the path and the account count as well."""
    if there is None or (_ROLE in role and there != role):
        raise SettingNotFound(
            f"no IAM role {role} in the account" + (f", but {there}" if there else ""),
            field=field,
            expected="a role that exists: RDS refuses the restore without it",
            action="make it again, or name another one (or none) in the request; then start a new run",
        )
    return there


def _look_at_invalid(preflight: Preflight, old: Cluster, settings: TargetSettings, *, is_leftover: bool) -> None:
    invalid = [role for role in settings.associated_roles or [] if role in old.invalid_roles]
    found = ", ".join(f"{role.role_arn} for {role.feature or 'no feature'} with status INVALID" for role in invalid)
    if invalid and is_leftover:
        preflight.warn(
            _TAKEN_ON,
            f"{found}, on the half-restored cluster {old.identifier}",
            expected=_ACTIVE,
            do="let rds.amazonaws.com assume the role: until then the new cluster cannot use it either",
        )
    else:
        preflight.look(_TAKEN_ON, partial(_refuse, found, old))


def _refuse(invalid: str, old: Cluster) -> None:
    if invalid:
        raise TargetNotBuildable(
            f"{invalid}, on cluster {old.identifier}",
            field="target.associated_roles",
            expected=_ACTIVE,
            action="let rds.amazonaws.com assume the role and add it to the cluster anew, or name in "
            "target.associated_roles those that are to stay; then start a new run",
        )


def _warn_of_directory(preflight: Preflight, old: Cluster, settings: TargetSettings) -> None:
    # A membership that failed hinders no restore: the new cluster is told to join the same directory.
    if settings.domain is not None and settings.domain.directory_id in old.failed_domains:
        preflight.warn(
            "directory",
            f"the membership of {old.identifier} in {settings.domain.directory_id} failed",
            expected="status joined or kerberos-enabled",
            do="look at the directory, its network and its role: the new cluster joins the same one",
        )
