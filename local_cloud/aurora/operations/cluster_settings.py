"""The settings that CreateDBCluster and RestoreDBClusterFromSnapshot have in common."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_combination, invalid_value
from local_cloud.aurora.operations import observation, validate
from local_cloud.aurora.operations.associated_roles import requested_roles, settle_roles
from local_cloud.aurora.operations.clusters import chosen_parameter_group, chosen_subnet_group
from local_cloud.aurora.operations.network import chosen_network_type, chosen_security_groups
from local_cloud.aurora.operations.observation import requested_observation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.operations.windows import windows
from local_cloud.aurora.state.observation import Observation
from local_cloud.aurora.state.resources import Cluster, Domain, Tags
from local_cloud.aurora.state.tagging import requested_tags
from local_cloud.aurora.state.versions import ENGINE, LOG_EXPORTS, STORAGE_TYPES

PORTS = range(1150, 65536)
DEFAULT_PORT = 5432
EXTENDED_SUPPORT = ("open-source-rds-extended-support", "open-source-rds-extended-support-disabled")
DIRECTORY_SERVICE = "directoryservice.rds.amazonaws.com"
MEMBERS = (
    "AvailabilityZones BackupRetentionPeriod DBClusterParameterGroupName VpcSecurityGroupIds DBSubnetGroupName Engine "
    "EngineVersion Port PreferredBackupWindow Tags TagSpecifications KmsKeyId EnableIAMDatabaseAuthentication "
    "EnableCloudwatchLogsExports DeletionProtection CopyTagsToSnapshot StorageType ServerlessV2ScalingConfiguration "
    "EngineLifecycleSupport Domain DomainIAMRoleName AssociatedRoles NetworkType "
) + observation.MEMBERS
# Members that mean "nothing special" with these values
ORDINARY: dict[str, tuple[object, ...]] = {
    "EngineMode": ("provisioned",),
    "BacktrackWindow": (0,),
    "OptionGroupName": tuple(f"default:{ENGINE}-{major}" for major in (14, 15, 16, 17)),
}


def cluster_settings(call: Call, version: str, *, default_retention: int) -> dict[str, Any]:
    """Return the checked settings of a new cluster; what the request leaves out gets RDS's default."""
    params, state = call.params, call.state
    if "Port" in params:
        validate.number(params, "Port", DEFAULT_PORT, PORTS)
    zones = params.get("AvailabilityZones") or state.zones
    for zone in zones:
        if zone not in state.zones:
            raise invalid_value(f"Invalid availability zones: {zone}")
    backup_window, maintenance_window = windows(params)
    group = state.subnet_groups[chosen_subnet_group(call)]
    return {
        "engine_version": version,
        "tags": requested_tags(params),
        "backup_tags": _backup_tags(params),
        "subnet_group": group.identifier,
        "network_type": chosen_network_type(params, group, "IPV4"),
        "parameter_group": chosen_parameter_group(call, version),
        "security_groups": chosen_security_groups(call, group, []),
        "availability_zones": zones,
        "backup_retention": validate.number(params, "BackupRetentionPeriod", default_retention, range(1, 36)),
        "backup_window": backup_window,
        "maintenance_window": maintenance_window,
        "iam_auth": params.get("EnableIAMDatabaseAuthentication", False),
        "log_exports": log_exports(params.get("EnableCloudwatchLogsExports", [])),
        "deletion_protection": params.get("DeletionProtection", False),
        "copy_tags": params.get("CopyTagsToSnapshot", False),
        "storage_type": validate.one_of(params, "StorageType", "aurora", STORAGE_TYPES),
        "serverless_scaling": validate.serverless_scaling(params),
        "lifecycle_support": lifecycle_support(params, EXTENDED_SUPPORT[0]),
        "auto_minor_upgrade": params.get("AutoMinorVersionUpgrade", True),
        "observation": requested_observation(call, Observation()),
        "domain": domain(call, None),
        "roles": requested_roles(call),
    }


def settle(call: Call, cluster: Cluster) -> None:
    """Make a new cluster available, with its roles; it joins its directory in its own time."""
    cluster.status = "available"
    settle_roles(call, cluster)
    join_domain(call, cluster)
    call.event(cluster, "DB cluster created", "creation")


def join_domain(call: Call, cluster: Cluster) -> None:
    """Let the cluster join the directory that it was given."""
    joining = cluster.domain

    def joined() -> None:
        if joining:
            joining.status = "joined"

    call.later(cluster, call.settings.durations.join_domain, joined)


def lifecycle_support(params: dict[str, Any], default: str) -> str:
    """Return whether a cluster is enrolled in Extended Support; raise InvalidParameterValue."""
    return validate.one_of(params, "EngineLifecycleSupport", default, EXTENDED_SUPPORT)


def domain(call: Call, now: Domain | None) -> Domain | None:
    """Return the directory that the request joins (`now` if it is silent); any well-formed id is believed."""
    name = call.params.get("Domain")
    if name is None:
        return now
    if name == "none":
        return None
    require(validate.DIRECTORY.fullmatch(name), ApiError("DomainNotFoundFault", f"Domain {name} does not exist.", 404))
    role = call.params.get("DomainIAMRoleName")
    if not role:
        raise invalid_combination("DomainIAMRoleName is required if you specify a Domain.")
    arn = f"arn:aws:iam::{call.caller.account_id}:role/{role}"
    call.pass_role(arn, DIRECTORY_SERVICE)
    require(
        call.role_trusts(arn, DIRECTORY_SERVICE),
        invalid_value(
            "IAM role ARN value is invalid or does not include the required permissions for: DIRECTORY_SERVICE"
        ),
    )
    return Domain(identifier=name, role_name=role)


def log_exports(names: list[str]) -> list[str]:
    """Return log types that Aurora PostgreSQL can export; raise InvalidParameterCombination."""
    wrong = [name for name in names if name not in LOG_EXPORTS]
    if wrong:
        raise invalid_combination(
            f"You cannot use the log types '{', '.join(wrong)}' with engine version {ENGINE}. "
            f"For supported log types, see the documentation."
        )
    return sorted(set(names))


def _backup_tags(params: dict[str, Any]) -> Tags:
    tags: Tags = {}
    for specification in params.get("TagSpecifications", []):
        if specification.get("ResourceType") != "cluster-auto-backup":
            raise invalid_value(f"Invalid resource type in TagSpecifications: {specification.get('ResourceType')}")
        tags |= requested_tags(specification)
    return tags
