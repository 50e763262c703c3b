"""The restored cluster is like the old target, unless the request says otherwise."""

from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from utils.aws.target.whole import settings_of
from utils.cluster_settings.model import Member, TargetSettings
from utils.cluster_settings.origins import Origin
from utils.cluster_settings.values import ServerlessV2
from utils.errors import InvalidRequest, TargetNotBuildable
from utils.plan.inherited import Base
from utils.plan.restore_settings import Resolved, resolve_settings
from utils.request.model import RestoreRequest


def resolved(aws: FakeAws, **target: Any) -> Resolved:
    asked = {"source": {"cluster_id": "prod", "region": "us-east-1"}, "target": {"cluster_id": "staging"} | target}
    snapshot = aws.services.rds("us-east-1").find_snapshot("prod-nightly")
    assert snapshot is not None
    old = aws.services.rds().find_cluster("staging")
    members = aws.services.rds().instances_of("staging") if old else []
    base = Base(settings=settings_of(old, members), origin=Origin.OLD_TARGET) if old else None
    return resolve_settings(RestoreRequest.model_validate(asked), snapshot, ("our-key", Origin.STACK), base)


def resolve(aws: FakeAws, **target: Any) -> TargetSettings:
    return resolved(aws, **target).settings


def classes(settings: TargetSettings) -> list[str | None]:
    return [member.instance_class for member in settings.members]


def test_without_an_old_target_awss_defaults_hold(aws: FakeAws) -> None:
    found = resolved(aws)
    assert found.settings == TargetSettings(
        engine_version="17.4",
        kms_key_id="our-key",
        members=[Member(identifier="staging-1", instance_class="db.r8g.large", publicly_accessible=False)],
    )
    assert set(found.origins.values()) == {Origin.AWS_DEFAULT, Origin.SNAPSHOT, Origin.STACK}
    assert {path for path, origin in found.origins.items() if origin is Origin.SNAPSHOT} == {"engine_version", "port"}


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

    settings = resolve(aws)
    assert settings.model_dump(exclude_none=True, exclude={"members"}) == {
        "engine_version": "17.4",
        "kms_key_id": "our-key",
        "port": 5433,
        "subnet_group": "private",
        "security_group_ids": ["sg-7"],
        "cluster_parameter_group": "tuned",
        "storage_type": "aurora-iopt1",
        "log_exports": ["postgresql"],
        "iam_authentication": True,
        "deletion_protection": True,
        "data_api": False,
        "associated_roles": [],
        "tags": {},
        "serverless_v2": ServerlessV2(min_capacity=1, max_capacity=8).model_dump(exclude_none=True),
        "manage_master_user_password": False,
    }
    assert classes(settings) == ["db.serverless", "db.serverless"]
    assert [member.parameter_group for member in settings.members] == ["instances", "instances"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [({"count": 3}, ["db.r8g.xlarge"] * 3), ({"instance_class": "db.r6g.large"}, ["db.r6g.large"] * 2)],
)
def test_half_a_wish_for_instances_leaves_the_other_half_to_the_old_target(
    aws: FakeAws, asked: dict[str, Any], expected: list[str]
) -> None:
    aws.has_old_target()
    for instance in aws.west.instances.values():
        instance["DBInstanceClass"] = "db.r8g.xlarge"
    assert classes(resolve(aws, instances=asked)) == expected


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
    assert classes(settings) == ["db.r8g.xlarge"] * 3
    assert (settings.deletion_protection, settings.tags, settings.engine_version) == (True, {"team": "a"}, "17.5")


@pytest.mark.parametrize(("old_version", "kept"), [("17.5", "tuned"), ("16.6", None), ("15.10", None)])
def test_parameter_groups_stay_within_their_major_version(aws: FakeAws, old_version: str, kept: str | None) -> None:
    aws.has_old_target(DBClusterParameterGroup="tuned", EngineVersion=old_version)
    aws.west.instances["staging-2"]["DBParameterGroups"] = [{"DBParameterGroupName": "tuned-instances"}]
    found = resolved(aws)
    assert found.settings.cluster_parameter_group == kept
    assert [member.parameter_group is None for member in found.settings.members] == [kept is None] * 2
    assert [line.split(",")[0] for line in found.not_taken_over] == (
        [] if kept else ["cluster_parameter_group tuned", "members.staging-2.parameter_group tuned-instances"]
    )


def test_a_parameter_group_of_the_request_counts_in_any_version(aws: FakeAws) -> None:
    aws.has_old_target(DBClusterParameterGroup="tuned", EngineVersion="16.6")
    assert resolve(aws, cluster_parameter_group="new").cluster_parameter_group == "new"


def test_an_old_target_without_instances_gives_one_of_the_default_class(aws: FakeAws) -> None:
    aws.west.has_cluster("staging", members=0)
    settings = resolve(aws)
    assert settings.members == [
        Member(identifier="staging-1", instance_class="db.r8g.large", publicly_accessible=False)
    ]


def test_each_member_keeps_what_is_its_own_whichever_one_rds_lists_first(aws: FakeAws) -> None:
    aws.west.has_cluster("staging", members=0)
    aws.west.has_instance("a-reader", "staging", DBInstanceClass="db.t4g.medium", AvailabilityZone="us-west-2b")
    aws.west.has_instance("the-writer", "staging", DBInstanceClass="db.r8g.8xlarge", AvailabilityZone="us-west-2a")
    aws.west.instances["a-reader"]["PromotionTier"] = 15
    aws.west.clusters["staging"]["DBClusterMembers"] = [
        {"DBInstanceIdentifier": "a-reader", "IsClusterWriter": False},
        {"DBInstanceIdentifier": "the-writer", "IsClusterWriter": True},
    ]
    writer, reader = resolve(aws).members
    assert (writer.identifier, writer.instance_class, writer.availability_zone) == (
        "the-writer",
        "db.r8g.8xlarge",
        "us-west-2a",
    )
    assert (reader.identifier, reader.instance_class, reader.availability_zone, reader.promotion_tier) == (
        "a-reader",
        "db.t4g.medium",
        "us-west-2b",
        15,
    )


def test_a_reader_of_application_auto_scaling_is_its_policys_business(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.west.has_instance("application-autoscaling-9d1c", "staging")
    assert [member.identifier for member in resolve(aws).members] == ["staging-1", "staging-2"]


@pytest.mark.parametrize(
    ("cluster", "members", "stay"),
    [
        ("available", {"staging-2": "deleting"}, ["staging-1"]),
        ("available", {"staging-1": "creating"}, ["staging-1", "staging-2"]),
        ("deleting", {"staging-2": "deleting"}, ["staging-1", "staging-2"]),
        ("available", {"staging-1": "deleting", "staging-2": "deleting"}, ["staging-1", "staging-2"]),
    ],
)
def test_an_instance_that_somebody_is_deleting_does_not_come_back(
    aws: FakeAws, cluster: str, members: dict[str, str], stay: list[str]
) -> None:
    aws.has_old_target(Status=cluster)
    for name, status in members.items():
        aws.west.instances[name]["DBInstanceStatus"] = status
    assert [member.identifier for member in resolve(aws).members] == stay


def test_a_wish_for_one_instance_goes_over_its_role_and_that_over_all(aws: FakeAws) -> None:
    aws.has_old_target()
    found = resolved(
        aws,
        instances={
            "count": 4,
            "promotion_tier": 3,
            "instance_class": "db.r8g.large",
            "writer": {"instance_class": "db.r8g.4xlarge", "promotion_tier": 0},
            "readers": {"instance_class": "db.r8g.xlarge"},
            "named": {"staging-3": {"instance_class": "db.serverless"}},
        },
    )
    assert classes(found.settings) == ["db.r8g.4xlarge", "db.r8g.xlarge", "db.serverless", "db.r8g.xlarge"]
    assert [member.promotion_tier for member in found.settings.members] == [0, 3, 3, 3]
    assert [member.identifier for member in found.settings.members][2:] == ["staging-3", "staging-4"]
    assert found.origins["members.staging-3.instance_class"] is Origin.REQUEST


def test_a_wish_for_an_instance_that_will_not_be_there_is_refused(aws: FakeAws) -> None:
    aws.has_old_target()
    with pytest.raises(InvalidRequest, match=r"staging-7.*staging-1, staging-2"):
        resolve(aws, instances={"named": {"staging-7": {"promotion_tier": 1}}})


def test_nothing_is_inherited_when_that_is_switched_off(aws: FakeAws) -> None:
    aws.has_old_target(Port=5433, DBSubnetGroup="private", DeletionProtection=True)
    settings = resolve(aws, inherit_settings=False, subnet_group="other")
    assert (settings.port, settings.subnet_group, settings.deletion_protection) == (None, "other", None)
    assert classes(settings) == ["db.r8g.large"]


def test_zones_are_those_where_instances_are_and_another_subnet_group_has_its_own(aws: FakeAws) -> None:
    aws.has_old_target(AvailabilityZones=["us-west-2a", "us-west-2b", "us-west-2c"])
    aws.west.instances["staging-1"]["AvailabilityZone"] = "us-west-2a"
    assert resolve(aws).availability_zones == ["us-west-2a"]
    moved = resolve(aws, subnet_group="private")
    assert (moved.availability_zones, moved.members[0].availability_zone) == (None, None)


def test_tags_of_the_pipeline_and_of_aws_are_not_carried_as_peoples(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.west.clusters["staging"]["TagList"] += [
        {"Key": "team", "Value": "data"},
        {"Key": "aws:cloudformation:stack-name", "Value": "shop"},
        {"Key": "aurora-restore:operation-id", "Value": "nightly-0"},
    ]
    assert resolve(aws).tags == {"team": "data"}
    assert resolve(aws, tags={}).tags == {}


def test_settings_that_would_not_fit_into_a_row_are_refused_before_anything_is_changed(aws: FakeAws) -> None:
    long_tags = {f"key-{number}": "v" * 256 for number in range(45)}
    aws.has_old_target()
    instances = {"count": 16, "tags": long_tags}
    with pytest.raises(TargetNotBuildable, match=r"settings of 195,\d{3} characters, 16 instances with all their tags"):
        aws.start(target={"instances": instances})
    assert aws.west.changes == []


def test_where_each_instance_comes_from_is_known(aws: FakeAws) -> None:
    aws.has_old_target()
    origins = resolved(aws, instances={"count": 3}).origins
    assert [origins[f"members.staging-{number}"] for number in (1, 2, 3)] == [
        Origin.OLD_TARGET,
        Origin.OLD_TARGET,
        Origin.REQUEST,
    ]
