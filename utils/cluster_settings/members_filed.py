"""Every member of the operations that set up an Aurora PostgreSQL cluster, and what becomes of it here.

A test holds this against botocore's service model: a member that AWS adds is noticed, and filed.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of a member of an operation."""

    CARRIED = "carried from the target, unless the request says otherwise"
    ASKED_FOR = "only what the request asks for"
    FIXED = "the pipeline's own"
    NOT_FOR_AURORA_POSTGRESQL = "not for Aurora PostgreSQL, or not for this operation of it"


@dataclass(frozen=True)
class Filed:
    """The fate of a member, and the setting that it is, or the reason."""

    fate: Fate
    why: str


def _all(fate: Fate, why: str, members: str) -> dict[str, Filed]:
    return {member: Filed(fate, why) for member in members.split()}


def _carried(**settings: str) -> dict[str, Filed]:
    return {member: Filed(Fate.CARRIED, setting) for member, setting in settings.items()}


def _fixed(**reasons: str) -> dict[str, Filed]:
    return {member: Filed(Fate.FIXED, reason) for member, reason in reasons.items()}


def _other(why: str, members: str) -> dict[str, Filed]:
    return _all(Fate.NOT_FOR_AURORA_POSTGRESQL, why, members)


_MULTI_AZ = "of Multi-AZ DB clusters, or of instances outside a cluster"
_EXPRESS = "of the express configuration, which has no VPC for the functions to reach"
_OF_THE_CLUSTER = "the cluster's: RDS refuses it for a member"
_OTHER_ENGINES = "of other engines"
_TAGS_OF_BACKUPS = "of the automated backup, which begins anew with the cluster"

_OF_EVERY_CLUSTER = _carried(
    BackupRetentionPeriod="backup_retention_days",
    CopyTagsToSnapshot="copy_tags_to_snapshot",
    DBClusterParameterGroupName="cluster_parameter_group",
    DeletionProtection="deletion_protection",
    Domain="domain",
    DomainIAMRoleName="domain",
    EnableIAMDatabaseAuthentication="iam_authentication",
    EnablePerformanceInsights="insights",
    EngineLifecycleSupport="extended_support",
    MonitoringInterval="monitoring",
    MonitoringRoleArn="monitoring",
    NetworkType="network_type",
    PerformanceInsightsKMSKeyId="insights",
    PerformanceInsightsRetentionPeriod="insights",
    Port="port",
    PreferredBackupWindow="backup_window",
    ServerlessV2ScalingConfiguration="serverless_v2",
    StorageType="storage_type",
    VpcSecurityGroupIds="security_group_ids",
) | {"EngineVersion": Filed(Fate.ASKED_FOR, "engine_version: the snapshot's, or a newer one that was asked for")}

RESTORE_CLUSTER = (
    _OF_EVERY_CLUSTER
    | _carried(
        AssociatedRoles="associated_roles",
        AvailabilityZones="availability_zones",
        DBSubnetGroupName="subnet_group",
        EnableCloudwatchLogsExports="log_exports",
        KmsKeyId="kms_key_id",
        Tags="tags",
    )
    | _fixed(
        DBClusterIdentifier="the target's name",
        Engine="aurora-postgresql",
        PubliclyAccessible="never passed: an instance has a public address, or none",
        SnapshotIdentifier="what is restored",
        TagSpecifications=_TAGS_OF_BACKUPS,
    )
    | _other(_EXPRESS, "EnableInternetAccessGateway EnableVPCNetworking")
    | _other(_MULTI_AZ, "DBClusterInstanceClass Iops")
    | _other("of Aurora MySQL", "BacktrackWindow")
    | _other("of Serverless v1", "EngineMode ScalingConfiguration")
    | _other("of RDS Custom", "RdsCustomClusterConfiguration")
    | _other("a restore of PostgreSQL has the snapshot's databases", "DatabaseName")
    | _other("Aurora has the default one only", "OptionGroupName")
)

MODIFY_CLUSTER = (
    _OF_EVERY_CLUSTER
    | _carried(
        AutoMinorVersionUpgrade="auto_minor_version_upgrade",
        CloudwatchLogsExportConfiguration="log_exports",
        DatabaseInsightsMode="insights_mode",
        EnableLocalWriteForwarding="local_write_forwarding",
        ManageMasterUserPassword="manage_master_user_password",
        PreferredMaintenanceWindow="maintenance_window",
    )
    | _fixed(
        ApplyImmediately="always: nobody works with the cluster yet",
        DBClusterIdentifier="the target's name",
        MasterUserAuthenticationType="a password, with which the functions log in; no answer of RDS tells what it was",
        MasterUserPassword="that of master-credentials",
        MasterUserSecretKmsKeyId="the stack's key, which the functions may use",
        NewDBClusterIdentifier="a cluster keeps its name",
        RotateMasterUserPassword="RDS rotates by itself",
    )
    | _other(_MULTI_AZ, "AllocatedStorage CACertificateIdentifier DBClusterInstanceClass Iops")
    | _other("of Aurora MySQL", "BacktrackWindow")
    | _other("of Serverless v1", "AllowEngineModeChange EnableHttpEndpoint EngineMode ScalingConfiguration")
    | _other("of Aurora Limitless, which is no longer set so", "EnableLimitlessDatabase")
    | _other("of global clusters, which are no targets", "EnableGlobalWriteForwarding")
    | _other("of an upgrade in place, which no run makes", "AllowMajorVersionUpgrade DBInstanceParameterGroupName")
    | _other("of AWS Backup, which takes up the cluster by its tags again", "AwsBackupRecoveryPointArn")
    | _other("Aurora has the default one only", "OptionGroupName")
)

_OF_EVERY_INSTANCE = (
    {"PubliclyAccessible": Filed(Fate.ASKED_FOR, "publicly_accessible: false unless asked for and allowed")}
    | _carried(
        AutoMinorVersionUpgrade="auto_minor_version_upgrade",
        CACertificateIdentifier="ca_certificate",
        DBInstanceClass="instance_class",
        DBParameterGroupName="parameter_group",
        EnablePerformanceInsights="insights",
        MonitoringInterval="monitoring",
        MonitoringRoleArn="monitoring",
        PerformanceInsightsKMSKeyId="insights",
        PerformanceInsightsRetentionPeriod="insights",
        PreferredMaintenanceWindow="maintenance_window",
        PromotionTier="promotion_tier",
    )
    | _fixed(
        DBCapacityReservationIdentifier="a reservation is of one instance; that it is not taken up again is said",
        DBInstanceIdentifier="the member's name",
        Engine="aurora-postgresql",
        TagSpecifications=_TAGS_OF_BACKUPS,
    )
    | _other(
        _OF_THE_CLUSTER,
        "AllocatedStorage BackupRetentionPeriod CopyTagsToSnapshot DatabaseInsightsMode DeletionProtection "
        "EnableIAMDatabaseAuthentication EngineLifecycleSupport EngineVersion ManageMasterUserPassword "
        "MasterUserAuthenticationType MasterUserPassword MasterUserSecretKmsKeyId NetworkType PreferredBackupWindow "
        "StorageType VpcSecurityGroupIds",
    )
    | _other(
        _OTHER_ENGINES,
        "AdditionalStorageVolumes DBSecurityGroups DedicatedLogVolume Domain DomainAuthSecretArn DomainDnsIps "
        "DomainFqdn DomainIAMRoleName DomainOu EnableCustomerOwnedIp Iops LicenseModel MaxAllocatedStorage MultiAZ "
        "MultiTenant OptionGroupName ProcessorFeatures StorageThroughput TdeCredentialArn TdeCredentialPassword",
    )
)

CREATE_INSTANCE = (
    _OF_EVERY_INSTANCE
    | _carried(AvailabilityZone="availability_zone", Tags="tags")
    | _fixed(DBClusterIdentifier="the target")
    | _other(
        _OF_THE_CLUSTER,
        "DBName DBSubnetGroupName EnableCloudwatchLogsExports KmsKeyId MasterUsername Port StorageEncrypted",
    )
    | _other(
        _OTHER_ENGINES,
        "BackupTarget CharacterSetName CustomIamInstanceProfile DBSystemId NcharCharacterSetName Timezone",
    )
)

MODIFY_INSTANCE = (
    _OF_EVERY_INSTANCE
    | _fixed(
        ApplyImmediately="no run changes an instance: it is created as it will be",
        CertificateRotationRestart="a new instance has its certificate from the start",
        NewDBInstanceIdentifier="an instance keeps its name",
    )
    | _other(
        _OF_THE_CLUSTER, "CloudwatchLogsExportConfiguration DBPortNumber DBSubnetGroupName RotateMasterUserPassword"
    )
    | _other(
        _OTHER_ENGINES,
        "AutomationMode AwsBackupRecoveryPointArn DisableDomain ReplicaMode ResumeFullAutomationModeMinutes "
        "UseDefaultProcessorFeatures",
    )
    | _other("of an upgrade in place, which no run makes", "AllowMajorVersionUpgrade")
)

_OF_A_SNAPSHOT_ONLY = {"AvailabilityZones", "DatabaseName", "Engine", "EngineVersion", "SnapshotIdentifier"}
RESTORE_TO_POINT_IN_TIME = {
    member: filed for member, filed in RESTORE_CLUSTER.items() if member not in _OF_A_SNAPSHOT_ONLY
} | _fixed(
    RestoreToTime="the request's source.restore_time",
    RestoreType="full-copy, or copy-on-write for the request's source.fast_clone",
    SourceDBClusterIdentifier="the source cluster",
    SourceDbClusterResourceId="the name tells which, and the plan's resource id is looked at before",
    UseLatestRestorableTime="where no time is asked for",
)

FILED = {
    "RestoreDBClusterFromSnapshot": RESTORE_CLUSTER,
    "RestoreDBClusterToPointInTime": RESTORE_TO_POINT_IN_TIME,
    "ModifyDBCluster": MODIFY_CLUSTER,
    "CreateDBInstance": CREATE_INSTANCE,
    "ModifyDBInstance": MODIFY_INSTANCE,
}
