"""From the model of settings to the parameters of RDS's operations; what is None is not passed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from utils.cluster_settings.model import ClusterSettings, Member, TargetSettings
from utils.cluster_settings.values import Insights, Monitoring, ServerlessV2

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import TagTypeDef

_EXTENDED_SUPPORT = {
    True: "open-source-rds-extended-support",
    False: "open-source-rds-extended-support-disabled",
}
# What ModifyDBCluster takes and no restore does, or not so early, with what a restored cluster has.
_AFTER_RESTORE: dict[str, tuple[str, Any]] = {
    "maintenance_window": ("PreferredMaintenanceWindow", None),
    "auto_minor_version_upgrade": ("AutoMinorVersionUpgrade", True),
    "local_write_forwarding": ("EnableLocalWriteForwarding", False),
    "insights_mode": ("DatabaseInsightsMode", "standard"),
    "deletion_protection": ("DeletionProtection", False),
}


def restore_parameters(settings: TargetSettings, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what RestoreDBClusterFromSnapshot takes of the settings.

    What is not passed falls back to AWS's defaults, never to what the source or the old target had.
    """
    return given(
        EngineVersion=settings.engine_version,
        AvailabilityZones=settings.availability_zones,
        Port=settings.port,
        DBSubnetGroupName=settings.subnet_group,
        VpcSecurityGroupIds=settings.security_group_ids,
        Tags=tag_list(tags),
        KmsKeyId=settings.kms_key_id,
        EnableIAMDatabaseAuthentication=bool(settings.iam_authentication),
        EnableCloudwatchLogsExports=settings.log_exports or None,
        DBClusterParameterGroupName=settings.cluster_parameter_group,
        CopyTagsToSnapshot=settings.copy_tags_to_snapshot is not False,
        StorageType=settings.storage_type,
        NetworkType=settings.network_type,
        ServerlessV2ScalingConfiguration=_scaling(settings.serverless_v2),
        BackupRetentionPeriod=settings.backup_retention_days,
        PreferredBackupWindow=settings.backup_window,
        EngineLifecycleSupport=None
        if settings.extended_support is None
        else _EXTENDED_SUPPORT[settings.extended_support],
        AssociatedRoles=[
            given(RoleArn=role.role_arn, FeatureName=role.feature) for role in settings.associated_roles or []
        ]
        or None,
        Domain=settings.domain.directory_id if settings.domain else None,
        DomainIAMRoleName=settings.domain.role_name if settings.domain else None,
        **_monitoring(settings.monitoring),
        **_insights(settings.insights),
    )


def point_in_time_parameters(settings: TargetSettings, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what RestoreDBClusterToPointInTime takes of the settings: version and zones are the source's."""
    taken = restore_parameters(settings, tags)
    return {name: value for name, value in taken.items() if name not in {"EngineVersion", "AvailabilityZones"}}


def member_parameters(member: Member, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what CreateDBInstance takes of a member's settings."""
    return given(
        DBInstanceIdentifier=member.identifier,
        DBInstanceClass=member.instance_class,
        AvailabilityZone=member.availability_zone,
        PromotionTier=member.promotion_tier,
        DBParameterGroupName=member.parameter_group,
        PreferredMaintenanceWindow=member.maintenance_window,
        AutoMinorVersionUpgrade=member.auto_minor_version_upgrade,
        CACertificateIdentifier=member.ca_certificate,
        # Always said: what is left out follows from the subnets.
        PubliclyAccessible=bool(member.publicly_accessible),
        Tags=tag_list(tags),
        **(_monitoring(member.monitoring) or _switched_off(member.monitoring, MonitoringInterval=0)),
        **(_insights(member.insights) or _switched_off(member.insights, EnablePerformanceInsights=False)),
    )


def changes_after_restore(wanted: ClusterSettings, found: ClusterSettings) -> dict[str, dict[str, Any]]:
    """Return by setting what ModifyDBCluster must still change of a restored cluster: what no restore takes."""
    changes: dict[str, dict[str, Any]] = {
        name: {member: getattr(wanted, name)}
        for name, (member, default) in _AFTER_RESTORE.items()
        if getattr(wanted, name) is not None
        and getattr(wanted, name) != (default if getattr(found, name) is None else getattr(found, name))
    }
    if "insights_mode" in changes:
        # RDS takes the mode only together with these.
        changes["insights_mode"] |= _insights(wanted.insights)
    return changes


def tag_list(tags: Mapping[str, str]) -> "Sequence[TagTypeDef]":
    """Return tags as RDS takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def given(**parameters: Any) -> dict[str, Any]:
    """Return the parameters that are known; RDS's own default stands for the others."""
    return {name: value for name, value in parameters.items() if value is not None}


def _scaling(capacity: ServerlessV2 | None) -> dict[str, Any] | None:
    if capacity is None:
        return None
    return given(
        MinCapacity=capacity.min_capacity,
        MaxCapacity=capacity.max_capacity,
        SecondsUntilAutoPause=capacity.seconds_until_auto_pause,
    )


def _switched_off(known: Monitoring | Insights | None, **off: Any) -> dict[str, Any]:
    """Say that it is off where that is known: what a member does not say follows from the cluster."""
    return off if known is not None else {}


def _monitoring(monitoring: Monitoring | None) -> dict[str, Any]:
    if monitoring is None or not monitoring.interval_seconds:
        return {}
    return given(MonitoringInterval=monitoring.interval_seconds, MonitoringRoleArn=monitoring.role_arn)


def _insights(insights: Insights | None) -> dict[str, Any]:
    if insights is None or not insights.enabled:
        return {}
    return given(
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=insights.kms_key_id,
        PerformanceInsightsRetentionPeriod=insights.retention_days,
    )
