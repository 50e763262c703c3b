"""Application Auto Scaling of a cluster's readers, and a reader that it made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.regions import TARGET_REGION
from tests.local_cloud.aurora.story import ENGINE, PASSWORD, refused
from tests.local_cloud.conftest import Workbench

ABOUT: Any = {
    "ServiceNamespace": "rds",
    "ResourceId": "cluster:scaled",
    "ScalableDimension": "rds:cluster:ReadReplicaCount",
}
TRACKING: Any = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "RDSReaderAverageCPUUtilization"},
    "ScaleInCooldown": 300,
    "DisableScaleIn": True,
}


@pytest.fixture(scope="module")
def scaling(cloud: LocalCloud) -> Iterator[Any]:
    """Application Auto Scaling of the target Region, where there is the cluster `scaled` with one instance."""
    rds = cloud.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="scaled",
        Engine=ENGINE,
        EngineVersion="17.6",
        MasterUsername="dba",
        MasterUserPassword=PASSWORD,
        Tags=[{"Key": "stage", "Value": "test"}],
    )
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier="scaled", WaiterConfig={"Delay": 1})
    rds.create_db_instance(
        DBInstanceIdentifier="scaled-1", DBInstanceClass="db.r8g.xlarge", Engine=ENGINE, DBClusterIdentifier="scaled"
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="scaled-1", WaiterConfig={"Delay": 1})
    yield cloud.client("application-autoscaling")
    for instance in rds.describe_db_instances()["DBInstances"]:
        rds.delete_db_instance(DBInstanceIdentifier=instance["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="scaled", SkipFinalSnapshot=True)
    rds.get_waiter("db_cluster_deleted").wait(DBClusterIdentifier="scaled", WaiterConfig={"Delay": 1})


@pytest.fixture
def registered(scaling: Any) -> Iterator[Any]:
    scaling.register_scalable_target(**ABOUT, MinCapacity=1, MaxCapacity=4, Tags={"team": "platform"})
    yield scaling
    if scaling.describe_scalable_targets(ServiceNamespace="rds")["ScalableTargets"]:
        scaling.deregister_scalable_target(**ABOUT)


def target_of(scaling: Any) -> Any:
    [target] = scaling.describe_scalable_targets(ServiceNamespace="rds", ResourceIds=["cluster:scaled"])[
        "ScalableTargets"
    ]
    return target


def test_a_target_keeps_what_a_second_registration_leaves_out(registered: Any) -> None:
    registered.register_scalable_target(**ABOUT, MaxCapacity=9, SuspendedState={"DynamicScalingInSuspended": True})
    target = target_of(registered)

    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    tags = registered.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
    assert tags == {"team": "platform"}
    registered.tag_resource(ResourceARN=target["ScalableTargetARN"], Tags={"cost": "42"})
    registered.untag_resource(ResourceARN=target["ScalableTargetARN"], TagKeys=["team"])
    assert registered.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"] == {"cost": "42"}


def test_a_policy_is_kept_with_its_alarms_and_replaced_under_its_name(registered: Any) -> None:
    wanted: Any = {**ABOUT, "PolicyName": "busy", "PolicyType": "TargetTrackingScaling"}
    first = registered.put_scaling_policy(**wanted, TargetTrackingScalingPolicyConfiguration=TRACKING)
    again = registered.put_scaling_policy(
        **wanted, TargetTrackingScalingPolicyConfiguration=TRACKING | {"TargetValue": 40.0}
    )
    assert len(first["Alarms"]) == 2
    assert again["PolicyARN"] == first["PolicyARN"]
    [policy] = registered.describe_scaling_policies(ServiceNamespace="rds", ResourceId="cluster:scaled")[
        "ScalingPolicies"
    ]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING | {"TargetValue": 40.0}
    with refused("ValidationException", "Only one TargetTrackingScaling policy"):
        registered.put_scaling_policy(
            **wanted | {"PolicyName": "busier"}, TargetTrackingScalingPolicyConfiguration=TRACKING
        )
    registered.delete_scaling_policy(**ABOUT, PolicyName="busy")
    assert registered.describe_scaling_policies(ServiceNamespace="rds")["ScalingPolicies"] == []


def test_a_scheduled_action_is_kept(registered: Any) -> None:
    action: Any = {"ScheduledActionName": "night", "Schedule": "cron(0 20 * * ? *)", "Timezone": "Europe/Berlin"}
    registered.put_scheduled_action(**ABOUT, **action, ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0})
    [found] = registered.describe_scheduled_actions(ServiceNamespace="rds")["ScheduledActions"]
    assert {name: found[name] for name in action} == action
    assert found["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 0}
    registered.delete_scheduled_action(**ABOUT, ScheduledActionName="night")
    assert registered.describe_scheduled_actions(ServiceNamespace="rds")["ScheduledActions"] == []


def test_what_is_not_there_cannot_be_scaled(scaling: Any) -> None:
    with refused("ValidationException", "DB cluster not found: cluster:nowhere"):
        scaling.register_scalable_target(**ABOUT | {"ResourceId": "cluster:nowhere"}, MinCapacity=1, MaxCapacity=2)
    with refused("ValidationException", "MinCapacity and MaxCapacity"):
        scaling.register_scalable_target(**ABOUT, MinCapacity=1)
    with refused("ValidationException", "cannot be less than the minimum"):
        scaling.register_scalable_target(**ABOUT, MinCapacity=3, MaxCapacity=2)
    with refused("ObjectNotFoundException", "No scalable target registered"):
        scaling.deregister_scalable_target(**ABOUT)
    with refused("ObjectNotFoundException", "cluster:scaled"):
        scaling.put_scaling_policy(
            **ABOUT,
            PolicyName="busy",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    with refused("NotSupportedByLocalCloud", "dynamodb"):
        scaling.describe_scalable_targets(ServiceNamespace="dynamodb")


def test_deregistering_takes_the_policies_along(registered: Any) -> None:
    registered.put_scaling_policy(
        **ABOUT,
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    registered.deregister_scalable_target(**ABOUT)
    assert registered.describe_scaling_policies(ServiceNamespace="rds")["ScalingPolicies"] == []


@pytest.mark.usefixtures("registered")
def test_a_role_needs_the_right_on_the_targets(cloud: LocalCloud, bench: Workbench) -> None:
    role = bench.role(
        {"Effect": "Allow", "Action": "application-autoscaling:DescribeScalableTargets", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "application-autoscaling:RegisterScalableTarget",
            "Resource": f"arn:aws:application-autoscaling:{TARGET_REGION}:123456789012:scalable-target/*",
        },
    )
    credentials: Any = bench.session(role)
    session: Any = boto3.Session(region_name=TARGET_REGION, **credentials)
    client = session.client("application-autoscaling", endpoint_url=cloud.endpoint)
    assert client.describe_scalable_targets(ServiceNamespace="rds")["ScalableTargets"]
    client.register_scalable_target(**ABOUT, MinCapacity=2)
    with refused("AccessDeniedException", "application-autoscaling:DeregisterScalableTarget"):
        client.deregister_scalable_target(**ABOUT)


def test_a_reader_that_autoscaling_made_has_the_writers_class_and_no_tags(cloud: LocalCloud, scaling: Any) -> None:
    assert scaling.describe_scaling_activities(ServiceNamespace="rds")["ScalingActivities"] == []
    rds = cloud.client("rds")
    arn = rds.describe_db_clusters(DBClusterIdentifier="scaled")["DBClusters"][0]["DBClusterArn"]
    name = cloud.aurora_control("POST", "autoscaled-reader", {"arn": arn})["identifier"]
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})
    [reader] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]

    assert name.startswith("application-autoscaling-")
    assert (reader["DBInstanceClass"], reader["PromotionTier"], reader["TagList"]) == ("db.r8g.xlarge", 15, [])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "stage", "Value": "test"}]
