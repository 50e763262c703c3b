"""The restored cluster is like the old target, unless the request says otherwise."""

from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from utils.aws.rds_models import RestoreSettings, ServerlessCapacity
from utils.plan.restore_settings import resolve_settings
from utils.request.model import RestoreRequest


def resolve(aws: FakeAws, **target: Any) -> RestoreSettings:
    asked = {"source": {"cluster_id": "prod", "region": "us-east-1"}, "target": {"cluster_id": "staging"} | target}
    snapshot = aws.services.rds("us-east-1").find_snapshot("prod-nightly")
    assert snapshot is not None
    old = aws.services.rds().find_cluster("staging")
    members = aws.services.rds().instances_of("staging") if old else []
    return resolve_settings(RestoreRequest.model_validate(asked), snapshot, "our-key", old, members)


def test_without_an_old_target_awss_defaults_hold(aws: FakeAws) -> None:
    assert resolve(aws) == RestoreSettings(
        engine_version="17.4", kms_key_id="our-key", instance_class="db.r8g.large", instance_count=1
    )


def test_the_old_targets_settings_are_carried_over(aws: FakeAws) -> None:
    aws.has_old_target(
        Port=5433,
        DBSubnetGroup="private",
        VpcSecurityGroups=[{"VpcSecurityGroupId": "sg-7"}],
        DBClusterParameterGroup="tuned",
        StorageType="aurora-iopt1",
        EnabledCloudwatchLogsExports=["postgresql"],
        IAMDatabaseAuthenticationEnabled=True,
        DeletionProtection=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 1.0, "MaxCapacity": 8.0},
    )
    for instance in aws.west.instances.values():
        instance |= {"DBInstanceClass": "db.serverless", "DBParameterGroups": [{"DBParameterGroupName": "instances"}]}

    assert resolve(aws) == RestoreSettings(
        engine_version="17.4",
        kms_key_id="our-key",
        instance_class="db.serverless",
        instance_count=2,
        port=5433,
        subnet_group="private",
        security_group_ids=["sg-7"],
        cluster_parameter_group="tuned",
        instance_parameter_group="instances",
        storage_type="aurora-iopt1",
        log_exports=["postgresql"],
        iam_authentication=True,
        deletion_protection=False,
        serverless_v2=ServerlessCapacity(min_capacity=1, max_capacity=8),
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [({"count": 3}, ("db.r8g.xlarge", 3)), ({"instance_class": "db.r6g.large"}, ("db.r6g.large", 2))],
)
def test_half_a_wish_for_instances_leaves_the_other_half_to_the_old_target(
    aws: FakeAws, asked: dict[str, Any], expected: tuple[str, int]
) -> None:
    aws.has_old_target()
    for instance in aws.west.instances.values():
        instance["DBInstanceClass"] = "db.r8g.xlarge"
    settings = resolve(aws, instances=asked)
    assert (settings.instance_class, settings.instance_count) == expected


def test_the_request_goes_over_the_old_target(aws: FakeAws) -> None:
    aws.has_old_target(Port=5433, EnabledCloudwatchLogsExports=["postgresql"], IAMDatabaseAuthenticationEnabled=True)
    settings = resolve(
        aws,
        port=6000,
        log_exports=[],
        iam_authentication=False,
        instances={"count": 3, "instance_class": "db.r8g.xlarge"},
        deletion_protection=True,
        tags={"team": "a"},
        engine_version="17.5",
    )
    assert (settings.port, settings.log_exports, settings.iam_authentication) == (6000, [], False)
    assert (settings.instance_count, settings.instance_class) == (3, "db.r8g.xlarge")
    assert (settings.deletion_protection, settings.tags, settings.engine_version) == (True, {"team": "a"}, "17.5")


@pytest.mark.parametrize(("old_version", "kept"), [("17.5", "tuned"), ("16.6", None), ("15.10", None)])
def test_parameter_groups_stay_within_their_major_version(aws: FakeAws, old_version: str, kept: str | None) -> None:
    aws.has_old_target(DBClusterParameterGroup="tuned", EngineVersion=old_version)
    settings = resolve(aws)
    assert settings.cluster_parameter_group == kept
    assert (settings.instance_parameter_group is None) == (kept is None)


def test_a_parameter_group_of_the_request_counts_in_any_version(aws: FakeAws) -> None:
    aws.has_old_target(DBClusterParameterGroup="tuned", EngineVersion="16.6")
    assert resolve(aws, cluster_parameter_group="new").cluster_parameter_group == "new"


def test_an_old_target_without_instances_gives_one_of_the_default_class(aws: FakeAws) -> None:
    aws.west.has_cluster("staging", members=0)
    settings = resolve(aws)
    assert (settings.instance_count, settings.instance_class) == (1, "db.r8g.large")
    assert settings.instance_parameter_group is None
