"""What hangs on a cluster, to the letter of the calls: the stubs refuse what AWS does not know."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from utils.aws.target.attached import AttachedReader, AttachedWriter
from utils.cluster_settings.values import (
    CustomEndpoint,
    EventSubscription,
    ProxyTarget,
    ReaderScaling,
    ScalingPolicy,
    ScheduledScaling,
)

ABOUT = {"ServiceNamespace": "rds", "ScalableDimension": "rds:cluster:ReadReplicaCount"}
RESOURCE = ABOUT | {"ResourceId": "cluster:staging"}
TRACKING: dict[str, Any] = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "RDSReaderAverageCPUUtilization"},
}
ENDPOINT = CustomEndpoint(identifier="reports", kind="READER", static_members=["a", "b"])
SCALING = ReaderScaling(
    min_readers=1,
    max_readers=4,
    suspended=["scale_in"],
    policies=[
        ScalingPolicy(name="cpu", kind="TargetTrackingScaling", configuration=json.dumps(TRACKING, sort_keys=True))
    ],
    scheduled=[
        ScheduledScaling(name="mornings", schedule="cron(0 7 * * ? *)", time_zone="Europe/Berlin", min_readers=2)
    ],
)
SUSPENDED = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


@pytest.fixture
def clients() -> Iterator[tuple[Any, Any, Stubber, Stubber]]:
    rds = boto3.client("rds", region_name="us-west-2")
    scaling = boto3.client("application-autoscaling", region_name="us-west-2")
    with Stubber(rds) as of_rds, Stubber(scaling) as of_scaling:
        yield rds, scaling, of_rds, of_scaling
        of_rds.assert_no_pending_responses()
        of_scaling.assert_no_pending_responses()


Clients = tuple[Any, Any, Stubber, Stubber]


def test_everything_that_hangs_on_a_cluster_is_read(clients: Clients) -> None:
    rds, scaling, of_rds, of_scaling = clients
    endpoint = {
        "DBClusterEndpointIdentifier": "reports",
        "Status": "available",
        "EndpointType": "CUSTOM",
        "CustomEndpointType": "READER",
        "StaticMembers": ["b", "a"],
    }
    going = {"DBClusterEndpointIdentifier": "old", "Status": "deleting"}
    of_rds.add_response("describe_db_cluster_endpoints", {"DBClusterEndpoints": [endpoint, going]})
    of_scaling.add_response(
        "describe_scalable_targets",
        {
            "ScalableTargets": [
                {
                    **RESOURCE,
                    "MinCapacity": 1,
                    "MaxCapacity": 4,
                    "RoleARN": "role",
                    "CreationTime": 0,
                    "SuspendedState": SUSPENDED,
                }
            ]
        },
        ABOUT | {"ResourceIds": ["cluster:staging"]},
    )
    policy = RESOURCE | {
        "PolicyARN": "arn:of-the-policy",
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
        "CreationTime": 0,
    }
    of_scaling.add_response("describe_scaling_policies", {"ScalingPolicies": [policy]}, RESOURCE)
    action = RESOURCE | {
        "ScheduledActionName": "mornings",
        "ScheduledActionARN": "arn:of-the-action",
        "Schedule": "cron(0 7 * * ? *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": {"MinCapacity": 2},
        "CreationTime": 0,
    }
    of_scaling.add_response("describe_scheduled_actions", {"ScheduledActions": [action]}, RESOURCE)
    of_rds.add_response("describe_db_proxies", {"DBProxies": [{"DBProxyName": "shop"}, {"DBProxyName": "other"}]})
    for cluster in ("other", "staging"):
        target = {"Type": "TRACKED_CLUSTER", "RdsResourceId": cluster}
        proxy = "shop" if cluster == "staging" else "other"
        of_rds.add_response("describe_db_proxy_targets", {"Targets": [target]}, {"DBProxyName": proxy})
    subscriptions = [
        {"CustSubscriptionId": "dbas", "SourceIdsList": ["a", "staging", "other"]},
        {"CustSubscriptionId": "of-others", "SourceIdsList": ["other"]},
    ]
    of_rds.add_response("describe_event_subscriptions", {"EventSubscriptionsList": subscriptions})

    found = AttachedReader(rds, scaling).everything("staging", ["a", "b"])

    assert found == {
        "custom_endpoints": [ENDPOINT],
        "reader_scaling": SCALING,
        "proxies": [ProxyTarget(proxy="shop")],
        "event_subscriptions": [EventSubscription(name="dbas", source_ids=["a", "staging"])],
    }


def test_a_cluster_without_scaling_is_read(clients: Clients) -> None:
    rds, scaling, _, of_scaling = clients
    of_scaling.add_response("describe_scalable_targets", {"ScalableTargets": []})
    assert AttachedReader(rds, scaling).reader_scaling("staging") is None


def test_what_hangs_on_a_cluster_is_made_again(clients: Clients) -> None:
    rds, scaling, of_rds, of_scaling = clients
    of_rds.add_response(
        "create_db_cluster_endpoint",
        {},
        {
            "DBClusterIdentifier": "staging",
            "DBClusterEndpointIdentifier": "reports",
            "EndpointType": "READER",
            "StaticMembers": ["a", "b"],
        },
    )
    of_rds.add_response(
        "register_db_proxy_targets",
        {},
        {"DBProxyName": "shop", "TargetGroupName": "default", "DBClusterIdentifiers": ["staging"]},
    )
    of_rds.add_response(
        "add_source_identifier_to_subscription", {}, {"SubscriptionName": "dbas", "SourceIdentifier": "staging"}
    )
    limits = {"MinCapacity": 1, "MaxCapacity": 4, "SuspendedState": SUSPENDED}
    of_scaling.add_response("register_scalable_target", {}, RESOURCE | limits)
    of_scaling.add_response(
        "put_scaling_policy",
        {"PolicyARN": "arn:of-the-policy"},
        RESOURCE
        | {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": TRACKING,
        },
    )
    of_scaling.add_response(
        "put_scheduled_action",
        {},
        RESOURCE
        | {
            "ScheduledActionName": "mornings",
            "Schedule": "cron(0 7 * * ? *)",
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": 2},
        },
    )
    writer = AttachedWriter(rds, scaling)
    writer.create_endpoint("staging", ENDPOINT)
    writer.register_proxy("staging", ProxyTarget(proxy="shop"))
    writer.subscribe("dbas", "staging")
    writer.scale_readers("staging", SCALING)
