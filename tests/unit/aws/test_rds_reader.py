"""What the reader asks RDS, to the letter, and what it makes of the answer."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.fakes.rds_items import new_cluster, new_instance, new_snapshot
from utils.aws.rds_models import Cluster
from utils.aws.rds_reader import RdsReader
from utils.cluster_settings.values import ServerlessV2
from utils.errors import AwsThrottled, PermanentError

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CLUSTER = new_cluster("us-west-2", "staging", 1)
INSTANCE = new_instance("staging-1", "staging")
SNAPSHOT = new_snapshot("us-east-1", "nightly", "prod", AT)


@pytest.fixture
def rds() -> tuple[RdsReader, Stubber]:
    client = boto3.client("rds", region_name="us-west-2")
    stubber = Stubber(client)
    stubber.activate()
    return RdsReader(client), stubber


Pair = tuple[RdsReader, Stubber]


def test_a_cluster_is_asked_for_by_name(rds: Pair) -> None:
    reader, stub = rds
    stub.add_response("describe_db_clusters", {"DBClusters": [CLUSTER]}, {"DBClusterIdentifier": "staging"})
    cluster = reader.find_cluster("staging")
    assert cluster is not None
    assert (cluster.identifier, cluster.resource_id, cluster.endpoint) == (
        "staging",
        "CLUSTER-STAGING-US-WEST-2-1",
        None,
    )
    stub.assert_no_pending_responses()


def test_the_answer_for_another_cluster_is_no_answer(rds: Pair) -> None:
    reader, stub = rds
    stub.add_response("describe_db_clusters", {"DBClusters": [CLUSTER | {"DBClusterIdentifier": "renamed"}]})
    assert reader.find_cluster("staging") is None


def test_clusters_of_our_engine_are_listed_over_all_pages(rds: Pair) -> None:
    reader, stub = rds
    prod, mysql = CLUSTER | {"DBClusterIdentifier": "prod"}, CLUSTER | {"Engine": "aurora-mysql"}
    stub.add_response("describe_db_clusters", {"DBClusters": [CLUSTER, mysql], "Marker": "more"}, {})
    stub.add_response("describe_db_clusters", {"DBClusters": [prod]}, {"Marker": "more"})
    assert [cluster.identifier for cluster in reader.clusters()] == ["staging", "prod"]
    stub.assert_no_pending_responses()


def test_an_instance_is_asked_for_by_name(rds: Pair) -> None:
    reader, stub = rds
    stub.add_response("describe_db_instances", {"DBInstances": [INSTANCE]}, {"DBInstanceIdentifier": "staging-1"})
    instance = reader.find_instance("staging-1")
    assert instance is not None
    assert (instance.cluster_id, instance.settings.parameter_group) == ("staging", "default.aurora-postgresql17")


def test_members_are_listed_over_all_pages(rds: Pair) -> None:
    reader, stub = rds
    asked = {"Filters": [{"Name": "db-cluster-id", "Values": ["staging"]}]}
    stub.add_response("describe_db_instances", {"DBInstances": [INSTANCE], "Marker": "more"}, asked)
    second = INSTANCE | {"DBInstanceIdentifier": "staging-2"}
    stub.add_response("describe_db_instances", {"DBInstances": [second]}, asked | {"Marker": "more"})
    assert [member.identifier for member in reader.instances_of("staging")] == ["staging-1", "staging-2"]


def test_a_cluster_that_is_gone_has_no_members(rds: Pair) -> None:
    reader, stub = rds
    stub.add_client_error("describe_db_instances", "DBClusterNotFoundFault")
    assert reader.instances_of("staging") == []


@pytest.mark.parametrize(
    ("identifier", "asked"),
    [
        ("nightly", {"IncludeShared": True}),
        ("awsbackup:job-1a", {"IncludeShared": True}),
        ("arn:aws:rds:us-east-1:999988887777:cluster-snapshot:nightly", {"IncludeShared": True}),
        ("rds:prod-2026-11-22-03-00", {"SnapshotType": "automated"}),
        ("arn:aws:rds:us-east-1:123456789012:cluster-snapshot:rds:prod-1", {"SnapshotType": "automated"}),
    ],
)
def test_a_snapshot_is_asked_for_as_its_kind_needs(rds: Pair, identifier: str, asked: dict[str, Any]) -> None:
    reader, stub = rds
    stub.add_response(
        "describe_db_cluster_snapshots",
        {"DBClusterSnapshots": [SNAPSHOT]},
        {"DBClusterSnapshotIdentifier": identifier} | asked,
    )
    assert reader.find_snapshot(identifier) is not None


def test_a_clusters_snapshots_are_manual_and_automated_ones(rds: Pair) -> None:
    reader, stub = rds
    stub.add_response(
        "describe_db_cluster_snapshots", {"DBClusterSnapshots": [SNAPSHOT]}, {"DBClusterIdentifier": "prod"}
    )
    (snapshot,) = reader.snapshots_of("prod")
    assert (snapshot.identifier, snapshot.created_at, snapshot.source_arn, snapshot.port) == ("nightly", AT, None, None)


@pytest.mark.parametrize(("told", "port"), [({"Port": 5433}, 5433), ({"Port": 0}, None), ({}, None)])
def test_a_snapshots_port_is_its_clusters_unless_rds_tells_none(
    rds: Pair, told: dict[str, int], port: int | None
) -> None:
    reader, stub = rds
    without = {name: value for name, value in SNAPSHOT.items() if name != "Port"}
    stub.add_response("describe_db_cluster_snapshots", {"DBClusterSnapshots": [without | told]})
    (snapshot,) = reader.snapshots_of("prod")
    assert snapshot.port == port


def test_shared_and_manual_snapshots_are_listed_by_type(rds: Pair) -> None:
    reader, stub = rds
    stub.add_response("describe_db_cluster_snapshots", {"DBClusterSnapshots": []}, {"SnapshotType": "shared"})
    stub.add_response("describe_db_cluster_snapshots", {"DBClusterSnapshots": [SNAPSHOT]}, {"SnapshotType": "manual"})
    assert reader.shared_snapshots() == []
    assert len(reader.manual_snapshots()) == 1


def test_a_token_is_for_one_user_of_one_endpoint_and_does_not_show_itself(rds: Pair) -> None:
    token = rds[0].login_token("staging.cluster-x.us-west-2.rds.amazonaws.com", 5432, "Batch 100%")
    text = token.get_secret_value()
    assert text.startswith("staging.cluster-x.us-west-2.rds.amazonaws.com:5432/?Action=connect&DBUser=Batch%20100%25&")
    assert "%2Fus-west-2%2Frds-db%2Faws4_request&" in text
    assert "X-Amz-Expires=900&" in text
    assert "Action" not in f"{token!r} {token}"


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda reader: reader.find_cluster("x"), "describe_db_clusters"),
        (lambda reader: reader.find_instance("x"), "describe_db_instances"),
        (lambda reader: reader.instances_of("x"), "describe_db_instances"),
        (lambda reader: reader.find_snapshot("x"), "describe_db_cluster_snapshots"),
        (lambda reader: reader.snapshots_of("x"), "describe_db_cluster_snapshots"),
        (lambda reader: reader.manual_snapshots(), "describe_db_cluster_snapshots"),
    ],
)
def test_an_error_that_is_no_absence_is_raised_as_ours(rds: Pair, call: Any, operation: str) -> None:
    reader, stub = rds
    stub.add_client_error(operation, "Throttling")
    stub.add_client_error(operation, "AccessDenied")
    with pytest.raises(AwsThrottled):
        call(reader)
    with pytest.raises(PermanentError):
        call(reader)


def read(rds: Pair, **raw: Any) -> Cluster:
    reader, stub = rds
    stub.add_response("describe_db_clusters", {"DBClusters": [CLUSTER | raw]})
    cluster = reader.find_cluster("staging")
    assert cluster is not None
    return cluster


def test_a_clusters_settings_are_read(rds: Pair) -> None:
    cluster = read(
        rds,
        DeletionProtection=True,
        EnabledCloudwatchLogsExports=["postgresql"],
        IAMDatabaseAuthenticationEnabled=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.0, "MaxCapacity": 8.0, "SecondsUntilAutoPause": 300},
        PercentProgress="42",
        DBClusterMembers=[{"DBInstanceIdentifier": "staging-1"}],
        TagList=[{"Key": "a", "Value": "b"}, {"Key": "bare"}],
    )
    assert (cluster.deletion_protection, cluster.settings.iam_authentication, cluster.percent) == (True, True, 42)
    assert (cluster.settings.log_exports, cluster.settings.security_group_ids, cluster.member_ids) == (
        ["postgresql"],
        ["sg-1"],
        ("staging-1",),
    )
    assert cluster.settings.serverless_v2 == ServerlessV2(min_capacity=0, max_capacity=8, seconds_until_auto_pause=300)
    assert cluster.tags == {"a": "b", "bare": ""}


@pytest.mark.parametrize("percent", ["", "about half", None])
def test_progress_that_is_no_number_is_none(rds: Pair, percent: str | None) -> None:
    assert read(rds, **({"PercentProgress": percent} if percent is not None else {})).percent == 0


@pytest.mark.parametrize(
    ("raw", "is_member"),
    [
        ({}, False),
        ({"GlobalClusterIdentifier": "world"}, True),
        ({"GlobalWriteForwardingStatus": "enabled"}, True),
        ({"GlobalWriteForwardingStatus": "unknown"}, False),
        ({"GlobalWriteForwardingRequested": False}, False),
    ],
)
def test_a_member_of_a_global_cluster_is_known(rds: Pair, raw: dict[str, Any], is_member: bool) -> None:
    assert read(rds, **raw).in_global_cluster is is_member


def test_pending_changes_are_seen(rds: Pair) -> None:
    assert read(rds, PendingModifiedValues={"MasterUserPassword": "****"}).pending_changes == ("MasterUserPassword",)
    assert not read(rds, PendingModifiedValues={}).pending_changes


def test_an_instance_without_a_parameter_group_is_read(rds: Pair) -> None:
    reader, stub = rds
    stub.add_response("describe_db_instances", {"DBInstances": [INSTANCE | {"DBParameterGroups": []}]})
    instance = reader.find_instance("staging-1")
    assert instance is not None
    assert instance.settings.parameter_group is None
