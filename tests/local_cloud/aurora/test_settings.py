"""Every setting of a cluster and its members is taken, kept and shown as AWS does, or refused with AWS's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local_cloud.aurora import AuroraSettings, LocalAurora, permissive_hooks
from local_cloud.aurora.operations.registry import OPERATIONS
from local_cloud.aurora.wire.model import operation_model
from tests.local_cloud.aurora.story import CLASS, ENGINE, Region, refused, wait_until

MONITOR = "arn:aws:iam::123456789012:role/monitor"
IMPORTER = "arn:aws:iam::123456789012:role/importer"
KEY = "arn:aws:kms:us-east-1:123456789012:key/insights"
# Members that are another engine's, another kind of cluster's, or what the local Aurora says it does not do
NOT_HERE = {
    "CreateDBCluster": "AllocatedStorage CACertificateIdentifier CharacterSetName DBClusterInstanceClass DBSystemId "
    "EnableGlobalWriteForwarding EnableLimitlessDatabase GlobalClusterIdentifier Iops PreSignedUrl "
    "RdsCustomClusterConfiguration ReplicationSourceIdentifier ScalingConfiguration SourceRegion "
    "WithExpressConfiguration",
    "RestoreDBClusterFromSnapshot": "DBClusterInstanceClass DatabaseName Iops RdsCustomClusterConfiguration "
    "ScalingConfiguration",
    "ModifyDBCluster": "AllocatedStorage AllowEngineModeChange AwsBackupRecoveryPointArn CACertificateIdentifier "
    "DBClusterInstanceClass DBInstanceParameterGroupName EnableGlobalWriteForwarding EnableLimitlessDatabase Iops "
    "ScalingConfiguration",
    "CreateDBInstance": "AdditionalStorageVolumes BackupTarget CharacterSetName CustomIamInstanceProfile "
    "DBSecurityGroups DBSystemId DedicatedLogVolume DomainAuthSecretArn DomainDnsIps DomainFqdn DomainOu "
    "EnableCustomerOwnedIp Iops "
    "MasterUserAuthenticationType MaxAllocatedStorage MultiTenant NcharCharacterSetName OptionGroupName "
    "ProcessorFeatures StorageThroughput TagSpecifications TdeCredentialArn TdeCredentialPassword Timezone",
    "ModifyDBInstance": "AdditionalStorageVolumes AllocatedStorage AllowMajorVersionUpgrade AutomationMode "
    "AwsBackupRecoveryPointArn CopyTagsToSnapshot DBSecurityGroups DBSubnetGroupName DedicatedLogVolume DisableDomain "
    "DomainAuthSecretArn DomainDnsIps DomainFqdn DomainOu EnableCustomerOwnedIp Engine Iops "
    "MasterUserAuthenticationType MaxAllocatedStorage MultiTenant OptionGroupName "
    "ProcessorFeatures ReplicaMode ResumeFullAutomationModeMinutes StorageThroughput TagSpecifications "
    "TdeCredentialArn TdeCredentialPassword UseDefaultProcessorFeatures",
}
OBSERVED = {
    "MonitoringInterval": 15,
    "MonitoringRoleArn": MONITOR,
    "DatabaseInsightsMode": "advanced",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": KEY,
    "PerformanceInsightsRetentionPeriod": 465,
}
WATCH: dict[str, Any] = {
    "MonitoringInterval": 15,
    "MonitoringRoleArn": MONITOR,
    "EnablePerformanceInsights": True,
    "PerformanceInsightsKMSKeyId": KEY,
    "PerformanceInsightsRetentionPeriod": 465,
}


def shown(description: Any, *names: str) -> dict[str, Any]:
    return {name: description.get(name) for name in names}


@pytest.fixture(scope="module")
def aurora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAurora]:
    """A local Aurora of this file's own: here the clock jumps by weeks."""
    settings = AuroraSettings(run_dir=tmp_path_factory.mktemp("settings"), speed=2000)
    running = LocalAurora(settings, permissive_hooks(settings.account_id))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def east(aurora: LocalAurora) -> Region:
    return Region(aurora.endpoint, "us-east-1", aurora.ca_path)


@pytest.fixture(scope="module")
def home(east: Region) -> Region:
    """us-east-1 with the cluster `furnished` of one member, and its snapshot `furnished-base`."""
    east.has_cluster("furnished", BackupRetentionPeriod=5, PreferredBackupWindow="11:00-11:30")
    east.has_snapshot("furnished-base", of="furnished")
    return east


@pytest.mark.parametrize("name", sorted(NOT_HERE))
def test_each_member_that_aws_has_is_known_to_the_local_aurora(name: str) -> None:
    """A member that a new botocore adds is to be filed: it has its effect, or it is refused."""
    model, operation = operation_model(name), OPERATIONS[name]
    assert model
    assert model.input_shape
    members = set(model.input_shape.members)
    taken = (operation.supports | set(operation.only)) & members

    assert members - taken == set(NOT_HERE[name].split())


def test_a_restore_takes_every_setting(home: Region) -> None:
    settings: Any = {
        "DBClusterIdentifier": "complete",
        "SnapshotIdentifier": "furnished-base",
        "Engine": ENGINE,
        "EngineVersion": "17.6",
        "AvailabilityZones": ["us-east-1b", "us-east-1c", "us-east-1a"],
        "BackupRetentionPeriod": 9,
        "PreferredBackupWindow": "22:10-22:40",
        "CopyTagsToSnapshot": True,
        "DeletionProtection": True,
        "Domain": "d-0123456789",
        "DomainIAMRoleName": "directory",
        "EnableCloudwatchLogsExports": ["postgresql", "iam-db-auth-error"],
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "StorageType": "aurora-iopt1",
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4},
        "AssociatedRoles": [{"RoleArn": IMPORTER, "FeatureName": "s3Import"}],
        "TagSpecifications": [{"ResourceType": "cluster-auto-backup", "Tags": [{"Key": "of", "Value": "backup"}]}],
        "Tags": [{"Key": "stage", "Value": "test"}],
        **WATCH,
    }
    home.rds.restore_db_cluster_from_snapshot(**settings)
    home.wait_for_cluster("complete")
    cluster = home.cluster("complete")

    taken = {name: value for name, value in settings.items() if name in cluster and name != "AssociatedRoles"}
    assert taken.keys() >= {"AvailabilityZones", "BackupRetentionPeriod", "DeletionProtection", "StorageType"}
    assert {name: cluster[name] for name in taken} == taken
    assert shown(cluster, *OBSERVED) == {**OBSERVED, "DatabaseInsightsMode": "standard"}
    assert cluster["AssociatedRoles"] == [{"RoleArn": IMPORTER, "FeatureName": "s3Import", "Status": "ACTIVE"}]
    assert cluster["TagList"] == [{"Key": "stage", "Value": "test"}]
    assert cluster["EnabledCloudwatchLogsExports"] == ["iam-db-auth-error", "postgresql"]
    wait_until(lambda: home.cluster("complete")["DomainMemberships"][0]["Status"], "joined")
    [domain] = home.cluster("complete")["DomainMemberships"]
    assert (domain["Domain"], domain["IAMRoleName"]) == ("d-0123456789", "directory")
    [backup] = home.rds.describe_db_cluster_automated_backups(DBClusterIdentifier="complete")[
        "DBClusterAutomatedBackups"
    ]
    assert backup["TagList"] == [{"Key": "of", "Value": "backup"}]


def test_a_bare_restore_gets_the_snapshots_retention_and_rdss_defaults(home: Region) -> None:
    """API reference, RestoreDBClusterFromSnapshot: only the retention is an "existing setting"; windows are picked."""
    home.has_restored("bare", "furnished-base")
    cluster = home.cluster("bare")

    assert cluster["BackupRetentionPeriod"] == 5
    assert cluster["PreferredBackupWindow"] != "11:00-11:30"
    assert shown(cluster, "MonitoringInterval", "PerformanceInsightsEnabled", "DatabaseInsightsMode") == {
        "MonitoringInterval": 0,
        "PerformanceInsightsEnabled": False,
        "DatabaseInsightsMode": "standard",
    }
    assert cluster["EngineLifecycleSupport"] == "open-source-rds-extended-support"
    assert cluster["AssociatedRoles"] == cluster["DomainMemberships"] == cluster["TagList"] == []
    assert (cluster["HttpEndpointEnabled"], cluster["LocalWriteForwardingStatus"]) == (False, "disabled")


def test_what_the_cluster_is_watched_with_goes_down_to_its_members(home: Region) -> None:
    """API reference, CreateDBInstance: Aurora instances inherit DatabaseInsightsMode from their cluster."""
    home.rds.modify_db_cluster(DBClusterIdentifier="furnished", DatabaseInsightsMode="advanced", **WATCH)
    wait_until(lambda: home.cluster("furnished")["DatabaseInsightsMode"], "advanced")
    member = home.instance("furnished-1")

    assert shown(home.cluster("furnished"), *OBSERVED) == OBSERVED
    assert shown(member, *OBSERVED) == OBSERVED
    assert f"log-stream:{member['DbiResourceId']}" in member["EnhancedMonitoringResourceArn"]
    with refused("InvalidParameterCombination", "inherit DatabaseInsightsMode"):
        home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", DatabaseInsightsMode="standard")
    with refused("InvalidParameterCombination", "cannot change your Performance Insights KMS key"):
        home.rds.modify_db_cluster(DBClusterIdentifier="furnished", PerformanceInsightsKMSKeyId="alias/other")


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"MonitoringInterval": 7}, "InvalidParameterValue", "MonitoringInterval"),
        ({"MonitoringInterval": 60}, "InvalidParameterCombination", "A MonitoringRoleARN value is required"),
        ({"MonitoringRoleArn": MONITOR}, "InvalidParameterCombination", "other than 0"),
        (
            {"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 94},
            "InvalidParameterValue",
            "retention period",
        ),
        ({"PerformanceInsightsRetentionPeriod": 93}, "InvalidParameterCombination", "enable Performance Insights"),
        ({"Domain": "example.com"}, "DomainNotFoundFault", "example.com"),
        ({"Domain": "d-0123456789"}, "InvalidParameterCombination", "DomainIAMRoleName"),
        ({"EngineLifecycleSupport": "for-ever"}, "InvalidParameterValue", "EngineLifecycleSupport"),
        ({"PreferredBackupWindow": "3:00-4:00"}, "InvalidParameterValue", "hh24:mi-hh24:mi"),
        ({"PreferredBackupWindow": "03:00-03:10"}, "InvalidParameterValue", "at least 30 minutes"),
    ],
)
def test_a_setting_that_rds_refuses_is_refused_before_anything_is_made(
    home: Region, settings: Any, code: str, message: str
) -> None:
    with refused(code, message):
        home.has_restored("never", "furnished-base", **settings)
    with refused("DBClusterNotFoundFault"):
        home.cluster("never")


def test_advanced_insights_need_a_long_retention(home: Region) -> None:
    with refused("InvalidParameterCombination", "at least 465 days"):
        home.rds.create_db_cluster(
            DBClusterIdentifier="insightful",
            Engine=ENGINE,
            MasterUsername="dba",
            MasterUserPassword="Pr0duction-pass",
            DatabaseInsightsMode="advanced",
            EnablePerformanceInsights=True,
        )


def test_the_windows_of_backup_and_maintenance_do_not_overlap(home: Region) -> None:
    """API reference, CreateDBCluster: a backup window "must not conflict with the preferred maintenance window"."""
    home.rds.modify_db_cluster(
        DBClusterIdentifier="furnished",
        PreferredBackupWindow="23:45-00:15",
        PreferredMaintenanceWindow="Sun:05:00-Sun:06:00",
    )
    cluster = home.cluster("furnished")
    assert (cluster["PreferredBackupWindow"], cluster["PreferredMaintenanceWindow"]) == (
        "23:45-00:15",
        "sun:05:00-sun:06:00",
    )
    with refused("InvalidParameterValue", "must not overlap"):
        home.rds.modify_db_cluster(DBClusterIdentifier="furnished", PreferredMaintenanceWindow="sat:23:30-sun:00:30")
    with refused("InvalidParameterValue", "Invalid maintenance window format"):
        home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", PreferredMaintenanceWindow="sunday")


def test_io_optimized_can_be_chosen_once_in_thirty_days_and_left_at_any_time(aurora: LocalAurora, east: Region) -> None:
    """Refused in these words in aws/aws-cdk#27212, by a call that asked for what the cluster already had."""
    east.has_cluster("optimised", instances=0)
    answer = east.rds.modify_db_cluster(DBClusterIdentifier="optimised", StorageType="aurora-iopt1")["DBCluster"]
    assert answer["PendingModifiedValues"] == {"StorageType": "aurora-iopt1"}
    east.wait_for_cluster("optimised")
    allowed = east.cluster("optimised")["IOOptimizedNextAllowedModificationTime"]
    with refused("StorageTypeNotAvailableFault", "Try again after"):
        east.rds.modify_db_cluster(DBClusterIdentifier="optimised", StorageType="aurora-iopt1")

    east.rds.modify_db_cluster(DBClusterIdentifier="optimised", StorageType="aurora")
    east.wait_for_cluster("optimised")
    assert "StorageType" not in east.cluster("optimised")
    with refused("StorageTypeNotAvailableFault", f"{allowed:%Y-%m-%dT%H:%M}"):
        east.rds.modify_db_cluster(DBClusterIdentifier="optimised", StorageType="aurora-iopt1")
    aurora.control.skip(30 * 24 * 3600)
    east.rds.modify_db_cluster(DBClusterIdentifier="optimised", StorageType="aurora-iopt1")
    east.wait_for_cluster("optimised")
    assert east.cluster("optimised")["StorageType"] == "aurora-iopt1"


def test_a_role_is_added_and_removed_in_its_own_time(home: Region) -> None:
    add, remove = home.rds.add_role_to_db_cluster, home.rds.remove_role_from_db_cluster
    add(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName="s3Export")
    roles = [{"RoleArn": IMPORTER, "FeatureName": "s3Export", "Status": "ACTIVE"}]
    wait_until(lambda: home.cluster("furnished")["AssociatedRoles"], roles)
    with refused("DBClusterRoleAlreadyExists", IMPORTER):
        add(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName="s3Export")
    with refused("InvalidParameterValue", "s3import"):
        add(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName="s3import")
    with refused("DBClusterRoleNotFound"):
        remove(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName="s3Import")
    for feature in ("s3Import", "Lambda", "SageMaker", "Comprehend"):
        add(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName=feature)
    with refused("DBClusterRoleQuotaExceeded"):
        add(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName="Bedrock")
    for feature in ("s3Export", "s3Import", "Lambda", "SageMaker", "Comprehend"):
        remove(DBClusterIdentifier="furnished", RoleArn=IMPORTER, FeatureName=feature)
    wait_until(lambda: home.cluster("furnished")["AssociatedRoles"], [])


def test_the_data_api_has_a_switch_of_its_own(home: Region) -> None:
    arn = home.arn("cluster", "furnished")
    assert home.rds.enable_http_endpoint(ResourceArn=arn)["HttpEndpointEnabled"] is True
    assert home.cluster("furnished")["HttpEndpointEnabled"]
    assert home.rds.disable_http_endpoint(ResourceArn=arn)["HttpEndpointEnabled"] is False
    assert not home.cluster("furnished")["HttpEndpointEnabled"]
    with refused("ResourceNotFoundFault"):
        home.rds.enable_http_endpoint(ResourceArn=home.arn("cluster", "nowhere"))


def test_write_forwarding_and_domain_change_with_the_cluster(home: Region) -> None:
    answer = home.rds.modify_db_cluster(
        DBClusterIdentifier="furnished",
        EnableLocalWriteForwarding=True,
        Domain="d-9876543210",
        DomainIAMRoleName="directory",
    )["DBCluster"]
    assert answer["LocalWriteForwardingStatus"] == "enabling"
    wait_until(lambda: home.cluster("furnished")["LocalWriteForwardingStatus"], "enabled")
    assert home.instance("furnished-1")["DomainMemberships"][0]["Domain"] == "d-9876543210"
    home.rds.modify_db_cluster(DBClusterIdentifier="furnished", EnableLocalWriteForwarding=False, Domain="none")
    wait_until(lambda: home.cluster("furnished")["LocalWriteForwardingStatus"], "disabled")
    assert home.cluster("furnished")["DomainMemberships"] == []


def test_each_member_has_settings_of_its_own(east: Region) -> None:
    east.has_cluster("mixed", instances=0, ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 2})
    settings: Any = {
        "DBInstanceIdentifier": "reporting",
        "DBInstanceClass": "db.serverless",
        "AvailabilityZone": "us-east-1c",
        "PromotionTier": 15,
        "PreferredMaintenanceWindow": "tue:20:00-tue:21:00",
        "AutoMinorVersionUpgrade": False,
        "PubliclyAccessible": False,
        "CACertificateIdentifier": "rds-ca-ecc384-g1",
        "MonitoringInterval": 1,
        "MonitoringRoleArn": MONITOR,
    }
    east.rds.create_db_instance(**settings, Engine=ENGINE, DBClusterIdentifier="mixed", EnablePerformanceInsights=True)
    east.asks_for_instance("mixed", "plain")
    east.wait_for_instance("reporting")
    east.wait_for_instance("plain")
    own = east.instance("reporting")

    assert {name: own[name] for name in settings} == settings
    assert own["CertificateDetails"]["CAIdentifier"] == "rds-ca-ecc384-g1"
    assert (own["PerformanceInsightsEnabled"], own["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    assert shown(east.instance("plain"), "DBInstanceClass", "PromotionTier", "MonitoringInterval") == {
        "DBInstanceClass": CLASS,
        "PromotionTier": 1,
        "MonitoringInterval": 0,
    }
    east.rds.modify_db_instance(DBInstanceIdentifier="reporting", MonitoringInterval=0)
    wait_until(lambda: east.instance("reporting")["MonitoringInterval"], 0)
    assert "MonitoringRoleArn" not in east.instance("reporting")


def test_a_member_is_refused_what_is_its_clusters(home: Region) -> None:
    with refused("InvalidParameterCombination", "Modify BackupRetentionPeriod for the DB Cluster"):
        home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", BackupRetentionPeriod=3)
    with refused("CertificateNotFound", "rds-ca-2015"):
        home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", CACertificateIdentifier="rds-ca-2015")
    with refused("DBCapacityReservationNotFound", "dbcr-1"):
        home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", DBCapacityReservationIdentifier="dbcr-1")


def test_class_and_certificate_wait_for_the_maintenance_window(aurora: LocalAurora, east: Region) -> None:
    """API reference, ModifyDBInstance, ApplyImmediately: otherwise in the next maintenance window."""
    east.has_cluster("patient")
    in_three_days = (aurora.clock.now() + timedelta(days=3)).strftime("%a").lower()
    east.rds.modify_db_instance(
        DBInstanceIdentifier="patient-1", PreferredMaintenanceWindow=f"{in_three_days}:12:00-{in_three_days}:12:30"
    )
    wanted: Any = {"DBInstanceClass": "db.r8g.xlarge", "CACertificateIdentifier": "rds-ca-rsa4096-g1"}
    east.rds.modify_db_instance(DBInstanceIdentifier="patient-1", **wanted)
    assert east.instance("patient-1")["PendingModifiedValues"] == wanted
    assert shown(east.instance("patient-1"), "DBInstanceStatus", "DBInstanceClass") == {
        "DBInstanceStatus": "available",
        "DBInstanceClass": CLASS,
    }
    aurora.control.skip(7 * 24 * 3600)
    wait_until(lambda: east.instance("patient-1")["CACertificateIdentifier"], "rds-ca-rsa4096-g1")
    east.wait_for_instance("patient-1")
    assert east.instance("patient-1")["DBInstanceClass"] == "db.r8g.xlarge"
    assert east.instance("patient-1")["PendingModifiedValues"] == {}


def test_a_new_parameter_group_is_in_use_after_a_reboot(home: Region) -> None:
    home.rds.create_db_parameter_group(
        DBParameterGroupName="tuned", DBParameterGroupFamily="aurora-postgresql17", Description="tuned"
    )
    home.rds.create_db_parameter_group(
        DBParameterGroupName="elderly", DBParameterGroupFamily="aurora-postgresql16", Description="elderly"
    )
    home.wait_for_instance("furnished-1")
    with refused("InvalidParameterCombination", "Please use a Parameter Group with DBParameterGroupFamily"):
        home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", DBParameterGroupName="elderly")
    home.rds.modify_db_instance(DBInstanceIdentifier="furnished-1", DBParameterGroupName="tuned")
    waiting = [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "pending-reboot"}]
    assert home.instance("furnished-1")["DBParameterGroups"] == waiting
    home.rds.reboot_db_instance(DBInstanceIdentifier="furnished-1")
    home.wait_for_instance("furnished-1")
    assert home.instance("furnished-1")["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
