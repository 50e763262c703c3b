"""A target with its settings away from AWS's defaults, its members unlike, comes back as it was and as was planned."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from local_cloud.pipeline.aurora_clusters import create_cluster
from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import ApiCall, Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import DATABASE, DEFAULT_SUBNETS, OLD_MASTER, REPLACEABLE, World
from tests.waiting import wait_for
from utils.aws.offers import Offers
from utils.aws.rds_reader import RdsReader
from utils.aws.target.attached import AttachedReader
from utils.aws.target.whole import settings_of
from utils.cluster_settings.origins import Flat, flattened
from utils.identifiers import derived_identifier

TARGET = "mirror"
TLS = (
    ("rds.force_ssl", "1"),
    ("ssl_min_protocol_version", "TLSv1.3"),
    ("ssl_ciphers", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
)
EARLIER = ("aurora-restore-final-mirror-1", "aurora-restore-final-mirror-2", "aurora-restore-final-mirror-3")
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
    rehearsal: Outcome
    outcome: Outcome

    @property
    def plan(self) -> dict[str, Any]:
        """The plan as a dry run tells it, with the names that the run gives."""
        told = json.dumps(self.rehearsal.output["preview"])
        for kind in ("copy", "final"):
            planned, given = (
                derived_identifier(f"aurora-restore-{kind}", TARGET, run.operation_id)
                for run in (self.rehearsal, self.outcome)
            )
            told = told.replace(planned, given)
        plan: dict[str, Any] = json.loads(told)
        return plan


@story
def mirror(world: World) -> Mirror:
    rds = world.target
    family = "aurora-postgresql17"
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="mirror17", DBParameterGroupFamily=family, Description="of the mirror"
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="mirror17",
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"} for name, value in TLS
        ],
    )
    for name in ("mirror17-writer", "mirror17-reader"):
        rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="mirror")
    key = world.client("kms").create_key(Description="of the mirror")["KeyMetadata"]["Arn"]
    tags = {"team": "data", "cost-centre": "42"}
    create_cluster(
        world.cloud,
        TARGET_REGION,
        TARGET,
        OLD_MASTER,
        database=DATABASE,
        tags=REPLACEABLE | tags,
        instances=0,
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
    # It is still available for a moment.
    wait_for(lambda: world.cluster(TARGET)["LocalWriteForwardingStatus"] == "enabled", "write forwarding")
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=TARGET, WaiterConfig={"Delay": 1})
    rds.enable_http_endpoint(ResourceArn=world.cluster(TARGET)["DBClusterArn"])
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=TARGET, WaiterConfig={"Delay": 1})
    _earlier_final_snapshots(world)
    before = _settings(world)
    request = {"target": {"cluster_id": TARGET}, "override_deletion_protection": True, "keep_final_snapshots": 2}
    rehearsal = world.run(request | {"dry_run": True}).expect_success()
    outcome = world.run(request).expect_success()
    return Mirror(before, _settings(world), rehearsal, outcome)


def _members(world: World, tags: dict[str, str]) -> None:
    rds = world.target
    for name, instance_class, zone, tier in (
        ("zz-writer", "db.r8g.8xlarge", "us-west-2c", 1),
        ("a-reader", "db.t4g.medium", "us-west-2a", 7),
        ("at-night", "db.serverless", "us-west-2b", 15),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=TARGET,
            Engine="aurora-postgresql",
            DBInstanceClass=instance_class,
            AvailabilityZone=zone,
            PromotionTier=tier,
            DBParameterGroupName="mirror17-writer" if tier == 1 else "mirror17-reader",
            PreferredMaintenanceWindow="tue:01:00-tue:01:30" if tier == 1 else "fri:01:00-fri:01:30",
            AutoMinorVersionUpgrade=False,
            CACertificateIdentifier="rds-ca-ecc384-g1",
            PubliclyAccessible=False,
            Tags=[{"Key": key, "Value": value} for key, value in (REPLACEABLE | tags | {"name": name}).items()],
        )
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})


def _earlier_final_snapshots(world: World) -> None:
    marks = {"managed": "true", "role": "final", "target-cluster-id": TARGET}
    for name in EARLIER:
        world.target.create_db_cluster_snapshot(
            DBClusterIdentifier=TARGET,
            DBClusterSnapshotIdentifier=name,
            Tags=[{"Key": f"aurora-restore:{key}", "Value": value} for key, value in marks.items()],
        )
        waiter = world.target.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier=name, WaiterConfig={"Delay": 1})


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
    group = cluster.settings.cluster_parameter_group
    assert group is not None
    tls = Offers(world.target, world.client("ec2")).tls_parameters(group)
    hanging = attached.everything(TARGET, cluster.member_ids) | {"tls_parameters": tls}
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


def test_a_mixed_cluster_comes_back_as_it_was(mirror: Mirror) -> None:
    fixed = ("zz-writer", "a-reader", "at-night")
    shape = [
        tuple(mirror.after[f"members.{name}.{what}"] for what in ("instance_class", "availability_zone"))
        for name in fixed
    ]
    assert shape == [
        ("db.r8g.8xlarge", "us-west-2c"),
        ("db.t4g.medium", "us-west-2a"),
        ("db.serverless", "us-west-2b"),
    ]
    created = [call.parameters["DBInstanceIdentifier"] for call in _changes(mirror, "CreateDBInstance")]
    assert created[0] == "zz-writer", "whoever is created first writes"
    assert sorted(created) == sorted(fixed)


def test_the_run_does_what_its_plan_said_and_nothing_else(mirror: Mirror) -> None:
    plan = mirror.plan
    made = [*_named(mirror, "CopyDBClusterSnapshot", "TargetDBClusterSnapshotIdentifier")]
    made += _named(mirror, "CreateDBClusterSnapshot", "DBClusterSnapshotIdentifier")
    made += _named(mirror, "RestoreDBClusterFromSnapshot", "DBClusterIdentifier")
    made += _named(mirror, "CreateDBInstance", "DBInstanceIdentifier")
    assert made == plan["makes"]
    gone = _named(mirror, "DeleteDBInstance", "DBInstanceIdentifier") + _named(
        mirror, "DeleteDBCluster", "DBClusterIdentifier"
    )
    assert sorted(gone) == sorted(plan["deletes"])
    assert len([name for name in gone if name.startswith("application-autoscaling-")]) == 1
    assert sorted(_named(mirror, "DeleteDBClusterSnapshot", "DBClusterSnapshotIdentifier")) == sorted(plan["prunes"])
    assert (sorted(plan["prunes"]), plan["keeps"]) == ([EARLIER[0], EARLIER[1]], [EARLIER[2]])
    steps = dict.fromkeys(call.operation for call in mirror.outcome.changes)
    assert list(steps) == [
        "CopyDBClusterSnapshot",
        "CreateDBClusterSnapshot",
        "ModifyDBCluster",  # deletion protection off, as `protects` says
        "DeleteDBInstance",
        "DeleteDBCluster",
        "RestoreDBClusterFromSnapshot",
        "CreateDBInstance",
        "EnableHttpEndpoint",
        "CreateDBClusterEndpoint",
        "RegisterDBProxyTargets",
        "AddTagsToResource",
        "DeleteDBClusterSnapshot",
    ]


def test_each_setting_comes_out_as_the_plan_said(mirror: Mirror) -> None:
    after = to_jsonable_python(mirror.after, exclude_none=True)
    planned = {setting["name"]: setting["after"] for setting in mirror.plan["settings"]}
    different = {
        name: (value, after.get(name)) for name, value in planned.items() if value is not None and after[name] != value
    }
    assert different == {}
    assert mirror.after["tls_parameters"] == dict(TLS)


def test_what_changes_of_the_old_cluster_and_the_new_is_in_the_plan(mirror: Mirror) -> None:
    changed = [call.parameters for call in _changes(mirror, "ModifyDBCluster")]
    asked = [set(parameters) - {"DBClusterIdentifier", "ApplyImmediately"} for parameters in changed]
    assert asked[0] == {"DeletionProtection"}
    assert asked[-1] == {"MasterUserPassword"}
    assert any("is switched off" in line for line in mirror.plan["protects"])
    by_setting = {
        "PreferredMaintenanceWindow": "maintenance_window",
        "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
        "EnableLocalWriteForwarding": "local_write_forwarding",
        "DeletionProtection": "deletion_protection",
    }
    for (member,) in asked[1:-1]:
        assert by_setting[member] in {setting["name"] for setting in mirror.plan["settings"]}


def _changes(mirror: Mirror, operation: str) -> list[ApiCall]:
    return [call for call in mirror.outcome.changes if call.operation == operation]


def _named(mirror: Mirror, operation: str, parameter: str) -> list[str]:
    return [str(call.parameters[parameter]) for call in _changes(mirror, operation)]
