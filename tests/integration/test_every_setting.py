"""A target with its settings away from AWS's defaults comes back as it was, on a whole pipeline."""

import json
from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import DEFAULT_SUBNETS, REPLACEABLE, World
from utils.aws.rds_reader import RdsReader
from utils.aws.target.attached import AttachedReader
from utils.aws.target.whole import settings_of
from utils.cluster_settings.origins import Flat, flattened

TARGET = "mirror"
_ABOUT: dict[str, Any] = {
    "ServiceNamespace": "rds",
    "ResourceId": f"cluster:{TARGET}",
    "ScalableDimension": "rds:cluster:ReadReplicaCount",
}


@dataclass(frozen=True)
class Mirror:
    """The settings before and after, and how it went."""

    before: Flat
    after: Flat
    outcome: Outcome


@story
def mirror(world: World) -> Mirror:
    rds = world.target
    family = "aurora-postgresql17"
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="mirror17", DBParameterGroupFamily=family, Description="of the mirror"
    )
    for name in ("mirror17-writer", "mirror17-reader"):
        rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="mirror")
    key = world.client("kms").create_key(Description="of the mirror")["KeyMetadata"]["Arn"]
    tags = {"team": "data", "cost-centre": "42"}
    world.old_target(
        TARGET,
        tags=REPLACEABLE | tags,
        KmsKeyId=key,
        StorageType="aurora-iopt1",
        ServerlessV2ScalingConfiguration={"MinCapacity": 1, "MaxCapacity": 8},
        DBClusterParameterGroupName="mirror17",
        EnableCloudwatchLogsExports=["postgresql"],
        EnableIAMDatabaseAuthentication=True,
        DeletionProtection=True,
        BackupRetentionPeriod=14,
        PreferredBackupWindow="02:10-02:40",
        PreferredMaintenanceWindow="wed:04:10-wed:04:40",
        AutoMinorVersionUpgrade=False,
        EngineLifecycleSupport="open-source-rds-extended-support-disabled",
    )
    role = _role_of_rds(world)
    rds.add_role_to_db_cluster(DBClusterIdentifier=TARGET, RoleArn=role, FeatureName="s3Import")
    _members(world, tags)
    _hangs_on_it(world, role)
    rds.modify_db_cluster(DBClusterIdentifier=TARGET, EnableLocalWriteForwarding=True, ApplyImmediately=True)
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=TARGET, WaiterConfig={"Delay": 1})
    rds.enable_http_endpoint(ResourceArn=world.cluster(TARGET)["DBClusterArn"])
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=TARGET, WaiterConfig={"Delay": 1})
    before = _settings(world)
    request = {"target": {"cluster_id": TARGET}, "override_deletion_protection": True}
    outcome = world.run(request).expect_success()
    return Mirror(before, _settings(world), outcome)


def _members(world: World, tags: dict[str, str]) -> None:
    rds = world.target
    rds.modify_db_instance(
        DBInstanceIdentifier=f"{TARGET}-1",
        PreferredMaintenanceWindow="tue:01:00-tue:01:30",
        AutoMinorVersionUpgrade=False,
        PromotionTier=0,
        ApplyImmediately=True,
    )
    for name, instance_class, tier in (("a-reader", "db.t4g.medium", 7), ("at-night", "db.serverless", 15)):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=TARGET,
            Engine="aurora-postgresql",
            DBInstanceClass=instance_class,
            PromotionTier=tier,
            DBParameterGroupName="mirror17-reader",
            PreferredMaintenanceWindow="fri:01:00-fri:01:30",
            AutoMinorVersionUpgrade=False,
            CACertificateIdentifier="rds-ca-ecc384-g1",
            PubliclyAccessible=False,
            Tags=[{"Key": key, "Value": value} for key, value in (REPLACEABLE | tags | {"name": name}).items()],
        )
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})


def _role_of_rds(world: World) -> str:
    principal = {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    role = world.client("iam").create_role(RoleName="mirror-of-rds", AssumeRolePolicyDocument=trust)
    return str(role["Role"]["Arn"])


def _hangs_on_it(world: World, role: str) -> None:
    rds, scaling = world.target, world.client("application-autoscaling")
    rds.create_db_cluster_endpoint(
        DBClusterIdentifier=TARGET,
        DBClusterEndpointIdentifier="mirror-reports",
        EndpointType="READER",
        StaticMembers=["a-reader", "at-night"],
    )
    rds.create_event_subscription(
        SubscriptionName="mirror-dbas",
        SnsTopicArn="arn:aws:sns:us-west-2:123456789012:pager",
        SourceType="db-instance",
        SourceIds=["a-reader"],
    )
    scaling.register_scalable_target(MinCapacity=0, MaxCapacity=4, **_ABOUT)
    scaling.put_scaling_policy(
        PolicyName="mirror-cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "RDSReaderAverageCPUUtilization"},
        },
        **_ABOUT,
    )
    scaling.put_scheduled_action(
        ScheduledActionName="mirror-mornings",
        Schedule="cron(0 6 * * ? *)",
        ScalableTargetAction={"MinCapacity": 1},
        **_ABOUT,
    )
    rds.create_db_proxy(
        DBProxyName="mirror-proxy",
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:mirror"}],
        RoleArn=role,
        VpcSubnetIds=DEFAULT_SUBNETS,
    )
    rds.register_db_proxy_targets(DBProxyName="mirror-proxy", DBClusterIdentifiers=[TARGET])
    world.cloud.aurora_control("POST", "autoscaled-reader", {"arn": world.cluster(TARGET)["DBClusterArn"]})


def _settings(world: World) -> Flat:
    reader = RdsReader(world.target)
    cluster = reader.find_cluster(TARGET)
    assert cluster is not None
    attached = AttachedReader(world.target, world.client("application-autoscaling"))
    hanging = attached.everything(TARGET, cluster.member_ids)
    return flattened(settings_of(cluster, reader.instances_of(TARGET), hanging))


# What a restored target has otherwise, with the reason.
OTHERWISE = {"engine_version": "the snapshot's"}


def test_every_setting_comes_back(mirror: Mirror) -> None:
    before, after = mirror.before, mirror.after
    different = {
        path: (before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and path not in OTHERWISE
    }
    assert different == {}


def test_the_message_says_so(mirror: Mirror) -> None:
    [message] = mirror.outcome.messages
    assert "settings as before" in message.text
    assert "could not be put back" not in message.text


def test_the_autoscaled_reader_stopped_nothing_and_is_its_policys_business(mirror: Mirror) -> None:
    assert not [path for path in mirror.after if "application-autoscaling" in path]
    assert mirror.after["reader_scaling"].max_readers == 4
