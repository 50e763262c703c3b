"""From what AWS describes to the model of settings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from utils import tags
from utils.cluster_settings.model import ClusterSettings, Member
from utils.cluster_settings.values import AssociatedRole, DirectoryDomain, Insights, Monitoring, ServerlessV2

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef, DBInstanceTypeDef, TagTypeDef

_NO_EXTENDED_SUPPORT = "open-source-rds-extended-support-disabled"
# Of Kerberos, which is what Aurora PostgreSQL joins a directory for, the user guide has a status of its own.
_NOT_JOINED = {"enable-kerberos-failed", "failed"}
_FORWARDS = {"enabled", "enabling", "requested"}
# Until AWS writes it down, a standard cluster has no storage type.
_STANDARD = "aurora"


def cluster_settings_from_api(raw: "DBClusterTypeDef") -> ClusterSettings:
    """Read the settings in an element of DescribeDBClusters."""
    lifecycle, forwarding = raw.get("EngineLifecycleSupport"), raw.get("LocalWriteForwardingStatus")
    return ClusterSettings(
        subnet_group=raw.get("DBSubnetGroup"),
        security_group_ids=sorted(group["VpcSecurityGroupId"] for group in raw.get("VpcSecurityGroups", [])),
        availability_zones=sorted(raw.get("AvailabilityZones", [])) or None,
        port=raw.get("Port"),
        network_type=raw.get("NetworkType"),
        kms_key_id=raw.get("KmsKeyId"),
        storage_type=raw.get("StorageType") or _STANDARD,
        serverless_v2=_capacity(raw.get("ServerlessV2ScalingConfiguration")),
        cluster_parameter_group=raw.get("DBClusterParameterGroup"),
        log_exports=sorted(raw.get("EnabledCloudwatchLogsExports", [])),
        iam_authentication=raw.get("IAMDatabaseAuthenticationEnabled", False),
        deletion_protection=raw.get("DeletionProtection", False),
        tags=peoples_tags(raw.get("TagList", [])),
        backup_retention_days=raw.get("BackupRetentionPeriod"),
        backup_window=raw.get("PreferredBackupWindow"),
        maintenance_window=raw.get("PreferredMaintenanceWindow"),
        auto_minor_version_upgrade=raw.get("AutoMinorVersionUpgrade"),
        copy_tags_to_snapshot=raw.get("CopyTagsToSnapshot"),
        extended_support=lifecycle != _NO_EXTENDED_SUPPORT if lifecycle else None,
        data_api=raw.get("HttpEndpointEnabled", False),
        local_write_forwarding=forwarding in _FORWARDS if forwarding else None,
        associated_roles=[
            _role(role["RoleArn"], role.get("FeatureName"))
            for role in raw.get("AssociatedRoles", [])
            if "RoleArn" in role
        ],
        domain=_domain(raw.get("DomainMemberships", [])),
        monitoring=_monitoring(raw),
        insights=_insights(raw),
        insights_mode=raw.get("DatabaseInsightsMode"),
    )


def invalid_roles(raw: "DBClusterTypeDef") -> list[AssociatedRole]:
    """Return the associated roles that RDS cannot take on."""
    return [
        _role(role["RoleArn"], role.get("FeatureName"))
        for role in raw.get("AssociatedRoles", [])
        if role.get("Status") == "INVALID" and "RoleArn" in role
    ]


def failed_domains(raw: "DBClusterTypeDef") -> list[str]:
    """Return the directories that the cluster could not join."""
    memberships = raw.get("DomainMemberships", [])
    return [item["Domain"] for item in memberships if item.get("Status") in _NOT_JOINED and "Domain" in item]


def member_from_api(raw: "DBInstanceTypeDef") -> Member:
    """Read the settings in an element of DescribeDBInstances."""
    groups = raw.get("DBParameterGroups", [])
    return Member(
        identifier=raw["DBInstanceIdentifier"],
        instance_class=raw["DBInstanceClass"],
        availability_zone=raw.get("AvailabilityZone"),
        promotion_tier=raw.get("PromotionTier"),
        parameter_group=groups[0]["DBParameterGroupName"] if groups else None,
        maintenance_window=raw.get("PreferredMaintenanceWindow"),
        auto_minor_version_upgrade=raw.get("AutoMinorVersionUpgrade"),
        monitoring=_monitoring(raw),
        insights=_insights(raw),
        ca_certificate=raw.get("CACertificateIdentifier"),
        publicly_accessible=raw.get("PubliclyAccessible", False),
        tags=peoples_tags(raw.get("TagList", [])),
    )


def tags_from_api(raw: "Iterable[TagTypeDef]") -> dict[str, str]:
    """Read a list of tags."""
    return {tag["Key"]: tag.get("Value", "") for tag in raw}


def peoples_tags(raw: "Iterable[TagTypeDef]") -> dict[str, str]:
    """Return the tags that people gave: neither the pipeline's own nor those that only AWS may give."""
    return {key: value for key, value in tags_from_api(raw).items() if not key.lower().startswith(tags.RESERVED)}


def _capacity(raw: Mapping[str, Any] | None) -> ServerlessV2 | None:
    if not raw:
        return None
    lowest = raw.get("MinCapacity", 0.5)
    return ServerlessV2(
        min_capacity=lowest,
        max_capacity=raw.get("MaxCapacity", 1.0),
        # Only what may reach 0 pauses.
        seconds_until_auto_pause=None if lowest else raw.get("SecondsUntilAutoPause"),
    )


def _role(arn: str, feature: str | None) -> AssociatedRole:
    return AssociatedRole(role_arn=arn, feature=feature or None)


def _domain(raw: Sequence[Mapping[str, Any]]) -> DirectoryDomain | None:
    joined = [membership for membership in raw if membership.get("Domain")]
    if not joined:
        return None
    return DirectoryDomain(directory_id=joined[0]["Domain"], role_name=joined[0].get("IAMRoleName") or None)


def _monitoring(raw: Mapping[str, Any]) -> Monitoring | None:
    interval = raw.get("MonitoringInterval")
    if interval is None:
        return None
    return Monitoring(interval_seconds=interval, role_arn=raw.get("MonitoringRoleArn") or None)


def _insights(raw: Mapping[str, Any]) -> Insights | None:
    enabled = raw.get("PerformanceInsightsEnabled")
    if enabled is None:
        return None
    return Insights(
        enabled=enabled,
        retention_days=raw.get("PerformanceInsightsRetentionPeriod"),
        kms_key_id=raw.get("PerformanceInsightsKMSKeyId") or None,
    )
