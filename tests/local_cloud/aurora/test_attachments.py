"""What hangs on a cluster: custom endpoints, event subscriptions, proxies, activity streams, integrations."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.aurora import Fault, LocalAurora
from tests.local_cloud.aurora.story import Region, refused, wait_until

TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"


@pytest.fixture(scope="module")
def hung(east: Region) -> Region:
    """us-east-1 with the cluster `hung` of two members."""
    east.has_cluster("hung", instances=2)
    return east


def endpoint(region: Region, name: str) -> Any:
    [found] = region.rds.describe_db_cluster_endpoints(DBClusterEndpointIdentifier=name)["DBClusterEndpoints"]
    return found


def test_a_custom_endpoint_is_made_changed_and_gone(aurora: LocalAurora, hung: Region) -> None:
    made = hung.rds.create_db_cluster_endpoint(
        DBClusterIdentifier="hung",
        DBClusterEndpointIdentifier="reports",
        EndpointType="READER",
        StaticMembers=["hung-2"],
        Tags=[{"Key": "for", "Value": "reports"}],
    )
    assert (made["EndpointType"], made["CustomEndpointType"], made["Status"]) == ("CUSTOM", "READER", "creating")
    wait_until(lambda: endpoint(hung, "reports")["Status"], "available")
    assert hung.rds.list_tags_for_resource(ResourceName=made["DBClusterEndpointArn"])["TagList"] == [
        {"Key": "for", "Value": "reports"}
    ]
    assert len(hung.cluster("hung")["CustomEndpoints"]) == 1
    aurora.control.add_fault(Fault(kind="freeze", operation="ModifyDBClusterEndpoint"))
    hung.rds.modify_db_cluster_endpoint(
        DBClusterEndpointIdentifier="reports", EndpointType="ANY", ExcludedMembers=["hung-1"]
    )
    with refused("InvalidDBClusterEndpointStateFault", "modifying"):
        hung.rds.delete_db_cluster_endpoint(DBClusterEndpointIdentifier="reports")
    aurora.control.release()
    wait_until(lambda: endpoint(hung, "reports")["Status"], "available")
    changed = endpoint(hung, "reports")
    assert (changed["CustomEndpointType"], changed["ExcludedMembers"]) == ("ANY", ["hung-1"])
    assert changed.get("StaticMembers", []) == []
    kinds = hung.rds.describe_db_cluster_endpoints(
        DBClusterIdentifier="hung", Filters=[{"Name": "db-cluster-endpoint-type", "Values": ["custom"]}]
    )["DBClusterEndpoints"]
    assert [item["DBClusterEndpointIdentifier"] for item in kinds] == ["reports"]
    hung.rds.delete_db_cluster_endpoint(DBClusterEndpointIdentifier="reports")
    wait_until(lambda: len(hung.cluster("hung").get("CustomEndpoints", [])), 0)


def test_a_custom_endpoint_is_refused_what_does_not_fit(hung: Region) -> None:
    wanted: Any = {"DBClusterIdentifier": "hung", "DBClusterEndpointIdentifier": "odd"}
    with refused("DBInstanceNotFound", "stranger-1"):
        hung.rds.create_db_cluster_endpoint(**wanted, EndpointType="ANY", StaticMembers=["stranger-1"])
    with refused("InvalidParameterCombination", "cannot be specified together"):
        hung.rds.create_db_cluster_endpoint(
            **wanted, EndpointType="ANY", StaticMembers=["hung-1"], ExcludedMembers=["hung-2"]
        )
    with refused("InvalidParameterValue", "WRITER"):
        hung.rds.create_db_cluster_endpoint(**wanted, EndpointType="WRITER")
    with refused("DBClusterEndpointNotFoundFault"):
        hung.rds.modify_db_cluster_endpoint(DBClusterEndpointIdentifier="odd", EndpointType="ANY")
    for number in range(5):
        hung.rds.create_db_cluster_endpoint(
            **wanted | {"DBClusterEndpointIdentifier": f"odd-{number}"}, EndpointType="ANY"
        )
    with refused("DBClusterEndpointAlreadyExistsFault"):
        hung.rds.create_db_cluster_endpoint(**wanted | {"DBClusterEndpointIdentifier": "odd-0"}, EndpointType="ANY")
    with refused("DBClusterEndpointQuotaExceededFault"):
        hung.rds.create_db_cluster_endpoint(**wanted, EndpointType="ANY")


def test_custom_endpoints_go_with_their_cluster_and_lose_members_that_go(east: Region) -> None:
    east.has_cluster("leaving", instances=2)
    east.rds.create_db_cluster_endpoint(
        DBClusterIdentifier="leaving",
        DBClusterEndpointIdentifier="of-leaving",
        EndpointType="ANY",
        StaticMembers=["leaving-1", "leaving-2"],
    )
    east.rds.delete_db_instance(DBInstanceIdentifier="leaving-2", SkipFinalSnapshot=True)
    wait_until(lambda: endpoint(east, "of-leaving")["StaticMembers"], ["leaving-1"])
    east.rds.delete_db_instance(DBInstanceIdentifier="leaving-1", SkipFinalSnapshot=True)
    east.rds.delete_db_cluster(DBClusterIdentifier="leaving", SkipFinalSnapshot=True)
    east.wait_until_cluster_is_gone("leaving")
    assert east.rds.describe_db_cluster_endpoints(DBClusterEndpointIdentifier="of-leaving")["DBClusterEndpoints"] == []


def test_an_event_subscription_names_its_sources(hung: Region) -> None:
    made = hung.rds.create_event_subscription(
        SubscriptionName="pager",
        SnsTopicArn=TOPIC,
        SourceType="db-cluster",
        SourceIds=["hung"],
        EventCategories=["failover", "failure"],
        Enabled=False,
    )["EventSubscription"]
    assert (made["SourceIdsList"], made["EventCategoriesList"], made["Enabled"]) == (
        ["hung"],
        ["failover", "failure"],
        False,
    )
    with refused("SourceNotFound", "nowhere"):
        hung.rds.add_source_identifier_to_subscription(SubscriptionName="pager", SourceIdentifier="nowhere")
    hung.rds.remove_source_identifier_from_subscription(SubscriptionName="pager", SourceIdentifier="hung")
    hung.rds.add_source_identifier_to_subscription(SubscriptionName="pager", SourceIdentifier="hung")
    hung.rds.modify_event_subscription(SubscriptionName="pager", Enabled=True)
    [found] = hung.rds.describe_event_subscriptions(SubscriptionName="pager")["EventSubscriptionsList"]
    assert (found["SourceIdsList"], found["Enabled"], found["Status"]) == (["hung"], True, "active")
    hung.rds.modify_event_subscription(SubscriptionName="pager", SourceType="db-instance")
    [found] = hung.rds.describe_event_subscriptions(SubscriptionName="pager")["EventSubscriptionsList"]
    assert found.get("SourceIdsList", []) == []
    hung.rds.delete_event_subscription(SubscriptionName="pager")
    assert hung.rds.describe_event_subscriptions()["EventSubscriptionsList"] == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"SnsTopicArn": "pager"}, "SNSInvalidTopic"),
        ({"SourceType": "db-cluster", "EventCategories": ["lunch"]}, "SubscriptionCategoryNotFound"),
        ({"SourceType": "db-cluster", "SourceIds": ["nowhere"]}, "SourceNotFound"),
        ({"SourceIds": ["hung"]}, "InvalidParameterCombination"),
        ({"SourceType": "db-planet"}, "InvalidParameterValue"),
    ],
)
def test_an_event_subscription_that_cannot_work_is_refused(hung: Region, settings: Any, code: str) -> None:
    with refused(code):
        hung.rds.create_event_subscription(**{"SubscriptionName": "odd", "SnsTopicArn": TOPIC} | settings)


def test_event_categories_are_those_of_a_source_type(hung: Region) -> None:
    [found] = hung.rds.describe_event_categories(SourceType="db-cluster")["EventCategoriesMapList"]
    assert "failover" in found["EventCategories"]


def test_a_proxy_tracks_one_cluster_and_forgets_one_that_is_gone(east: Region) -> None:
    east.has_cluster("proxied")
    proxy = east.rds.create_db_proxy(
        DBProxyName="pool",
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app"}],
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=["subnet-1", "subnet-2"],
        RequireTLS=True,
    )["DBProxy"]
    assert (proxy["Status"], proxy["RequireTLS"], proxy["IdleClientTimeout"]) == ("available", True, 1800)
    assert ":db-proxy:prx-" in proxy["DBProxyArn"]
    [group] = east.rds.describe_db_proxy_target_groups(DBProxyName="pool")["TargetGroups"]
    assert (group["TargetGroupName"], group["IsDefault"]) == ("default", True)
    east.rds.register_db_proxy_targets(DBProxyName="pool", DBClusterIdentifiers=["proxied"])
    with refused("DBProxyTargetAlreadyRegisteredFault"):
        east.rds.register_db_proxy_targets(DBProxyName="pool", DBClusterIdentifiers=["proxied"])
    targets = east.rds.describe_db_proxy_targets(DBProxyName="pool")["Targets"]
    assert [(item["Type"], item["RdsResourceId"]) for item in targets] == [
        ("RDS_INSTANCE", "proxied-1"),
        ("TRACKED_CLUSTER", "proxied"),
    ]
    assert targets[0]["TargetHealth"]["State"] == "AVAILABLE"

    east.rds.delete_db_instance(DBInstanceIdentifier="proxied-1", SkipFinalSnapshot=True)
    east.rds.delete_db_cluster(DBClusterIdentifier="proxied", SkipFinalSnapshot=True)
    east.wait_until_cluster_is_gone("proxied")
    assert east.rds.describe_db_proxy_targets(DBProxyName="pool")["Targets"] == []
    with refused("DBProxyTargetNotFoundFault"):
        east.rds.deregister_db_proxy_targets(DBProxyName="pool", DBClusterIdentifiers=["proxied"])
    with refused("DBClusterNotFoundFault"):
        east.rds.register_db_proxy_targets(DBProxyName="pool", DBClusterIdentifiers=["proxied"])
    assert [item["DBProxyName"] for item in east.rds.describe_db_proxies()["DBProxies"]] == ["pool"]
    east.rds.delete_db_proxy(DBProxyName="pool")
    with refused("DBProxyNotFoundFault"):
        east.rds.describe_db_proxies(DBProxyName="pool")


def test_an_activity_stream_shows_on_its_cluster(hung: Region) -> None:
    assert hung.cluster("hung")["ActivityStreamStatus"] == "stopped"
    key = "arn:aws:kms:us-east-1:123456789012:key/das"
    hung.control("POST", "activity-stream", {"arn": hung.arn("cluster", "hung"), "kms_key_arn": key})
    cluster = hung.cluster("hung")
    assert (cluster["ActivityStreamStatus"], cluster["ActivityStreamMode"]) == ("started", "async")
    assert cluster["ActivityStreamKmsKeyId"] == key
    assert cluster["ActivityStreamKinesisStreamName"].startswith("aws-rds-das-cluster-")


def test_the_source_of_an_integration_cannot_be_deleted(east: Region) -> None:
    east.has_cluster("mirrored", instances=0)
    arn = east.arn("cluster", "mirrored")
    target = "arn:aws:redshift-serverless:us-east-1:123456789012:namespace/n"
    made = east.control("POST", "integration", {"arn": arn, "target_arn": target, "name": "to-redshift"})["arn"]
    [found] = east.rds.describe_integrations(Filters=[{"Name": "source-arn", "Values": [arn]}])["Integrations"]
    assert (found["IntegrationArn"], found["TargetArn"], found["Status"]) == (made, target, "active")
    assert east.rds.describe_integrations(IntegrationIdentifier=made)["Integrations"]
    with refused("IntegrationNotFoundFault"):
        east.rds.describe_integrations(IntegrationIdentifier="elsewhere")
    with refused("ResourceBusy", "zero-ETL integration to-redshift"):
        east.rds.delete_db_cluster(DBClusterIdentifier="mirrored", SkipFinalSnapshot=True)


def test_neither_side_of_a_blue_green_deployment_can_be_deleted(east: Region) -> None:
    for name in ("blue", "green"):
        east.has_cluster(name, instances=0)
    source, target = east.arn("cluster", "blue"), east.arn("cluster", "green")
    planted = {"arn": source, "target_arn": target, "name": "to-eighteen"}
    made = east.control("POST", "blue-green-deployment", planted)["identifier"]
    for side, arn in (("source", source), ("target", target)):
        [found] = east.rds.describe_blue_green_deployments(Filters=[{"Name": side, "Values": [arn]}])[
            "BlueGreenDeployments"
        ]
        assert (found["BlueGreenDeploymentIdentifier"], found["BlueGreenDeploymentName"]) == (made, "to-eighteen")
        assert (found["Source"], found["Target"], found["Status"]) == (source, target, "AVAILABLE")
    assert made.startswith("bgd-")
    with refused("BlueGreenDeploymentNotFoundFault"):
        east.rds.describe_blue_green_deployments(BlueGreenDeploymentIdentifier="bgd-elsewhere0000000")
    for name in ("blue", "green"):
        with refused("InvalidDBClusterStateFault", "blue/green deployment to-eighteen"):
            east.rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
