"""What the writer tells RDS, to the letter; the stub refuses a call with any other parameter."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.fakes.rds_items import new_cluster, new_instance, new_snapshot
from utils.aws.rds_writer import RdsWriter
from utils.aws.target import to_api
from utils.cluster_settings.model import Member, TargetSettings
from utils.cluster_settings.values import AssociatedRole, DirectoryDomain, Insights, Monitoring, ServerlessV2
from utils.errors import AccessDenied, AwsThrottled
from utils.restore_type import RestoreType

ARN = "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:nightly"
TAGS = {"team": "a", "aurora-restore:managed": "true"}
TAG_LIST = [{"Key": "team", "Value": "a"}, {"Key": "aurora-restore:managed", "Value": "true"}]
PLAIN = TargetSettings(
    engine_version="17.4",
    kms_key_id="arn:aws:kms:us-west-2:123456789012:key/k",
)
FULL = TargetSettings(
    engine_version="17.5",
    kms_key_id="key",
    port=5433,
    subnet_group="private",
    security_group_ids=["sg-1", "sg-2"],
    cluster_parameter_group="cluster-group",
    storage_type="aurora-iopt1",
    log_exports=["postgresql"],
    iam_authentication=True,
    deletion_protection=True,
    serverless_v2=ServerlessV2(min_capacity=0, max_capacity=4, seconds_until_auto_pause=600),
    availability_zones=["us-west-2a", "us-west-2b", "us-west-2c"],
    network_type="DUAL",
    backup_retention_days=14,
    backup_window="03:00-03:30",
    copy_tags_to_snapshot=False,
    extended_support=False,
    associated_roles=[AssociatedRole(role_arn="arn:aws:iam::123456789012:role/import", feature="s3Import")],
    domain=DirectoryDomain(directory_id="d-1", role_name="kerberos"),
    monitoring=Monitoring(interval_seconds=60, role_arn="arn:aws:iam::123456789012:role/monitoring"),
    insights=Insights(enabled=True, retention_days=465, kms_key_id="insights-key"),
)

RESTORED = {"DBCluster": {"DbClusterResourceId": "cluster-NEW"}}

Expect = Callable[..., RdsWriter]


@pytest.fixture
def expect() -> Iterator[Expect]:
    """Return a writer whose next call must be exactly this one."""
    client = boto3.client("rds", region_name="us-west-2")
    with Stubber(client) as stub:

        def expected(operation: str, params: dict[str, Any]) -> RdsWriter:
            stub.add_response(operation, RESTORED if operation.startswith("restore_") else {}, params)
            return RdsWriter(client)

        yield expected
        stub.assert_no_pending_responses()


def test_a_copy_names_its_source_by_arn_and_carries_our_tags(expect: Expect) -> None:
    params = {"SourceDBClusterSnapshotIdentifier": ARN, "TargetDBClusterSnapshotIdentifier": "copy", "Tags": TAG_LIST}
    expect("copy_db_cluster_snapshot", params).copy_snapshot(ARN, "copy", kms_key_id=None, tags=TAGS)


def test_a_copy_of_an_encrypted_snapshot_gets_our_key(expect: Expect) -> None:
    params = {"SourceDBClusterSnapshotIdentifier": ARN, "TargetDBClusterSnapshotIdentifier": "copy", "Tags": TAG_LIST}
    writer = expect("copy_db_cluster_snapshot", params | {"KmsKeyId": "key"})
    writer.copy_snapshot(ARN, "copy", kms_key_id="key", tags=TAGS)


def test_a_final_snapshot_is_an_ordinary_manual_one(expect: Expect) -> None:
    params = {"DBClusterIdentifier": "staging", "DBClusterSnapshotIdentifier": "final", "Tags": TAG_LIST}
    expect("create_db_cluster_snapshot", params).create_snapshot("staging", "final", tags=TAGS)


def test_only_the_protection_is_modified(expect: Expect) -> None:
    params = {"DBClusterIdentifier": "staging", "DeletionProtection": False, "ApplyImmediately": True}
    expect("modify_db_cluster", params).set_deletion_protection("staging", on=False)


def test_members_and_cluster_are_deleted_without_snapshots_of_rds(expect: Expect) -> None:
    params: dict[str, Any] = {"DBInstanceIdentifier": "staging-1", "SkipFinalSnapshot": True}
    expect("delete_db_instance", params).delete_instance("staging-1")
    params = {"DBClusterIdentifier": "staging", "SkipFinalSnapshot": True}
    expect("delete_db_cluster", params).delete_cluster("staging")


def test_a_master_password_is_left_to_rds_under_our_key(expect: Expect) -> None:
    params: dict[str, Any] = {
        "DBClusterIdentifier": "staging",
        "ManageMasterUserPassword": True,
        "MasterUserSecretKmsKeyId": "key",
    }
    writer = expect("modify_db_cluster", params | {"ApplyImmediately": True})
    writer.let_rds_manage_master_password("staging", "key")


def test_a_snapshot_is_deleted_by_name(expect: Expect) -> None:
    expect("delete_db_cluster_snapshot", {"DBClusterSnapshotIdentifier": "copy"}).delete_snapshot("copy")


def test_a_plain_restore_says_what_aws_would_default_wrongly(expect: Expect) -> None:
    params = {
        "DBClusterIdentifier": "staging",
        "SnapshotIdentifier": "copy",
        "Engine": "aurora-postgresql",
        "EngineVersion": "17.4",
        "EnableIAMDatabaseAuthentication": False,
        "CopyTagsToSnapshot": True,
        "KmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/k",
        "Tags": TAG_LIST,
    }
    writer = expect("restore_db_cluster_from_snapshot", params)
    assert writer.restore_cluster("staging", "copy", PLAIN, tags=TAGS) == "cluster-NEW", "known from here on"


def test_a_restore_with_every_setting_passes_every_setting(expect: Expect) -> None:
    params = {
        "DBClusterIdentifier": "staging",
        "SnapshotIdentifier": "copy",
        "Engine": "aurora-postgresql",
        "EngineVersion": "17.5",
        "EnableIAMDatabaseAuthentication": True,
        "CopyTagsToSnapshot": False,
        "AvailabilityZones": ["us-west-2a", "us-west-2b", "us-west-2c"],
        "NetworkType": "DUAL",
        "BackupRetentionPeriod": 14,
        "PreferredBackupWindow": "03:00-03:30",
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "AssociatedRoles": [{"RoleArn": "arn:aws:iam::123456789012:role/import", "FeatureName": "s3Import"}],
        "Domain": "d-1",
        "DomainIAMRoleName": "kerberos",
        "MonitoringInterval": 60,
        "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
        "EnablePerformanceInsights": True,
        "PerformanceInsightsKMSKeyId": "insights-key",
        "PerformanceInsightsRetentionPeriod": 465,
        "Tags": TAG_LIST,
        "KmsKeyId": "key",
        "Port": 5433,
        "DBSubnetGroupName": "private",
        "VpcSecurityGroupIds": ["sg-1", "sg-2"],
        "DBClusterParameterGroupName": "cluster-group",
        "StorageType": "aurora-iopt1",
        "EnableCloudwatchLogsExports": ["postgresql"],
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.0, "MaxCapacity": 4.0, "SecondsUntilAutoPause": 600},
    }
    expect("restore_db_cluster_from_snapshot", params).restore_cluster("staging", "copy", FULL, tags=TAGS)


def test_a_capacity_that_never_pauses_is_passed_without_a_pause(expect: Expect) -> None:
    capacity = ServerlessV2(min_capacity=0.5, max_capacity=4)
    settings = PLAIN.model_copy(update={"serverless_v2": capacity})
    params = {
        "DBClusterIdentifier": "staging",
        "SnapshotIdentifier": "copy",
        "Engine": "aurora-postgresql",
        "EngineVersion": "17.4",
        "EnableIAMDatabaseAuthentication": False,
        "CopyTagsToSnapshot": True,
        "KmsKeyId": PLAIN.kms_key_id,
        "Tags": [],
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 4.0},
    }
    expect("restore_db_cluster_from_snapshot", params).restore_cluster("staging", "copy", settings, tags={})


def test_a_member_is_never_open_to_the_internet(expect: Expect) -> None:
    params = {
        "DBInstanceIdentifier": "staging-1",
        "DBInstanceClass": "db.r8g.large",
        "Engine": "aurora-postgresql",
        "DBClusterIdentifier": "staging",
        "PubliclyAccessible": False,
        "Tags": TAG_LIST,
    }
    member = Member(identifier="staging-1", instance_class="db.r8g.large")
    expect("create_db_instance", params).create_instance("staging", member, tags=TAGS)


def test_a_member_gets_all_that_is_its_own(expect: Expect) -> None:
    params = {
        "DBInstanceIdentifier": "the-reader",
        "DBInstanceClass": "db.serverless",
        "Engine": "aurora-postgresql",
        "DBClusterIdentifier": "staging",
        "PubliclyAccessible": False,
        "AvailabilityZone": "us-west-2b",
        "PromotionTier": 0,
        "DBParameterGroupName": "instance-group",
        "PreferredMaintenanceWindow": "tue:01:00-tue:01:30",
        "AutoMinorVersionUpgrade": False,
        "CACertificateIdentifier": "rds-ca-ecc384-g1",
        "MonitoringInterval": 15,
        "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
        "EnablePerformanceInsights": True,
        "PerformanceInsightsKMSKeyId": "insights-key",
        "PerformanceInsightsRetentionPeriod": 465,
        "Tags": TAG_LIST,
    }
    member = Member(
        identifier="the-reader",
        instance_class="db.serverless",
        availability_zone="us-west-2b",
        promotion_tier=0,
        parameter_group="instance-group",
        maintenance_window="tue:01:00-tue:01:30",
        auto_minor_version_upgrade=False,
        ca_certificate="rds-ca-ecc384-g1",
        monitoring=Monitoring(interval_seconds=15, role_arn="arn:aws:iam::123456789012:role/monitoring"),
        insights=Insights(enabled=True, retention_days=465, kms_key_id="insights-key"),
    )
    expect("create_db_instance", params).create_instance("staging", member, tags=TAGS)


def test_the_master_password_is_reset_at_once(expect: Expect) -> None:
    params = {"DBClusterIdentifier": "staging", "MasterUserPassword": "new-password", "ApplyImmediately": True}
    expect("modify_db_cluster", params).reset_master_password("staging", "new-password")


def test_tags_are_added_by_arn(expect: Expect) -> None:
    expect("add_tags_to_resource", {"ResourceName": ARN, "Tags": TAG_LIST}).tag(ARN, TAGS)


# The error that says "an earlier call took effect", for each call that has one.
REPEATED: list[tuple[str, str | None, Callable[[RdsWriter], object]]] = [
    (
        "copy_db_cluster_snapshot",
        "DBClusterSnapshotAlreadyExistsFault",
        lambda rds: rds.copy_snapshot(ARN, "copy", kms_key_id=None, tags={}),
    ),
    (
        "create_db_cluster_snapshot",
        "DBClusterSnapshotAlreadyExistsFault",
        lambda rds: rds.create_snapshot("staging", "final", tags={}),
    ),
    ("delete_db_cluster_snapshot", "DBClusterSnapshotNotFoundFault", lambda rds: rds.delete_snapshot("copy")),
    ("delete_db_instance", "DBInstanceNotFound", lambda rds: rds.delete_instance("staging-1")),
    ("delete_db_cluster", "DBClusterNotFoundFault", lambda rds: rds.delete_cluster("staging")),
    (
        "restore_db_cluster_from_snapshot",
        "DBClusterAlreadyExistsFault",
        lambda rds: rds.restore_cluster("staging", "copy", PLAIN, tags={}),
    ),
    (
        "restore_db_cluster_to_point_in_time",
        "DBClusterAlreadyExistsFault",
        lambda rds: rds.restore_to_point_in_time("staging", "prod", RestoreType.FULL_COPY, None, PLAIN, tags={}),
    ),
    (
        "create_db_instance",
        "DBInstanceAlreadyExists",
        lambda rds: rds.create_instance(
            "staging", Member(identifier="staging-1", instance_class="db.r8g.large"), tags={}
        ),
    ),
    ("modify_db_cluster", "DBClusterNotFoundFault", lambda rds: rds.set_deletion_protection("staging", on=False)),
    ("modify_db_cluster", None, lambda rds: rds.set_deletion_protection("staging", on=True)),
    ("modify_db_cluster", None, lambda rds: rds.reset_master_password("staging", "new-password")),
    ("add_tags_to_resource", None, lambda rds: rds.tag(ARN, {})),
]


@pytest.mark.parametrize(("operation", "code", "call"), REPEATED)
def test_what_an_earlier_call_did_is_no_error_and_any_other_error_is(
    operation: str, code: str | None, call: Callable[[RdsWriter], object]
) -> None:
    client = boto3.client("rds", region_name="us-west-2")
    with Stubber(client) as stub:
        if code is not None:
            stub.add_client_error(operation, code)
            call(RdsWriter(client))
        stub.add_client_error(operation, "Throttling")
        with pytest.raises(AwsThrottled):
            call(RdsWriter(client))


SNAPSHOT = new_snapshot("us-west-2", "copy", "production", datetime(2026, 11, 22, tzinfo=UTC))
DELETIONS: list[tuple[str, Callable[[RdsWriter], object], str, dict[str, Any], str]] = [
    (
        "delete_db_cluster_snapshot", lambda rds: rds.delete_snapshot("copy"),
        "describe_db_cluster_snapshots", {"DBClusterSnapshots": [SNAPSHOT]}, "DBClusterSnapshotNotFoundFault",
    ),
    (
        "delete_db_instance", lambda rds: rds.delete_instance("staging-1"),
        "describe_db_instances", {"DBInstances": [new_instance("staging-1", "staging")]}, "DBInstanceNotFound",
    ),
    (
        "delete_db_cluster", lambda rds: rds.delete_cluster("staging"),
        "describe_db_clusters", {"DBClusters": [new_cluster("us-west-2", "staging", 1)]}, "DBClusterNotFoundFault",
    ),
    (  # so that it can be deleted
        "modify_db_cluster", lambda rds: rds.set_deletion_protection("staging", on=False),
        "describe_db_clusters", {"DBClusters": [new_cluster("us-west-2", "staging", 1)]}, "DBClusterNotFoundFault",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "delete", "describe", "_found", "gone"), DELETIONS)
def test_a_deletion_that_is_denied_because_its_object_is_gone_is_done(
    operation: str, delete: Callable[[RdsWriter], object], describe: str, _found: dict[str, Any], gone: str
) -> None:
    client = boto3.client("rds", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error(operation, "AccessDenied", http_status_code=403)
        stub.add_client_error(describe, gone, http_status_code=404)
        delete(RdsWriter(client))
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(("operation", "delete", "describe", "found", "_gone"), DELETIONS)
def test_a_deletion_that_is_denied_while_its_object_is_there_is_denied(
    operation: str, delete: Callable[[RdsWriter], object], describe: str, found: dict[str, Any], _gone: str
) -> None:
    client = boto3.client("rds", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error(operation, "AccessDenied", http_status_code=403)
        stub.add_response(describe, found)
        with pytest.raises(AccessDenied):
            delete(RdsWriter(client))


def test_what_is_gone_cannot_be_protected_again() -> None:
    client = boto3.client("rds", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error("modify_db_cluster", "AccessDenied", http_status_code=403)
        with pytest.raises(AccessDenied):
            RdsWriter(client).set_deletion_protection("staging", on=True)


def test_a_restore_to_a_point_in_time_passes_no_version_and_no_zones(expect: Expect) -> None:
    moment = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    zones = PLAIN.model_copy(update={"availability_zones": ["us-west-2a"]})
    params = {
        "DBClusterIdentifier": "staging",
        "SourceDBClusterIdentifier": "prod",
        "RestoreType": "full-copy",
        "RestoreToTime": moment,
        "EnableIAMDatabaseAuthentication": False,
        "CopyTagsToSnapshot": True,
        "KmsKeyId": PLAIN.kms_key_id,
        "Tags": TAG_LIST,
    }
    call = expect("restore_db_cluster_to_point_in_time", params).restore_to_point_in_time
    call("staging", "prod", RestoreType.FULL_COPY, moment, zones, tags=TAGS)


def test_a_clone_passes_every_other_setting_and_takes_the_latest_time(expect: Expect) -> None:
    settings = to_api.restore_parameters(FULL, TAGS)
    params = {
        "DBClusterIdentifier": "staging",
        "SourceDBClusterIdentifier": "prod",
        "RestoreType": "copy-on-write",
        "UseLatestRestorableTime": True,
        **{name: value for name, value in settings.items() if name not in {"EngineVersion", "AvailabilityZones"}},
    }
    call = expect("restore_db_cluster_to_point_in_time", params).restore_to_point_in_time
    call("staging", "prod", RestoreType.COPY_ON_WRITE, None, FULL, tags=TAGS)
