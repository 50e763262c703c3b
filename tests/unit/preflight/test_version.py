"""What a target has and the version, the class or the network it is rebuilt with does not take, is refused before."""

from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.aws import KEY_ARN, FakeAws
from tests.unit.steps.stories import copy_is_ready
from utils import errors
from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.values import ServerlessV2
from utils.request.model import RestoreRequest
from utils.steps.delete_rds import delete_rds


@pytest.fixture
def mirror(aws: FakeAws) -> FakeAws:
    """A target with every setting away from its default."""
    away_from_default.stands(aws)
    return aws


def refused(aws: FakeAws) -> str:
    with pytest.raises(errors.TargetNotBuildable) as refusal:
        aws.start(override_deletion_protection=True)
    assert "more problem" not in str(refusal.value), "nothing else is wrong"
    assert aws.west.changes == []
    return str(refusal.value)


@pytest.mark.parametrize(
    ("version_takes", "said"),
    [
        ({"ExportableLogTypes": ["postgresql"]}, "log types iam-db-auth-error, which Aurora PostgreSQL 17.4 does not"),
        (
            {"SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1"]},
            "certificate authority rds-ca-ecc384-g1 of the-writer, which",
        ),
        ({"SupportedFeatureNames": ["s3Export"]}, "a role for s3Import, arn:aws:iam::123456789012:role/import, which"),
        ({"SupportsLocalWriteForwarding": False}, "local write forwarding, which"),
        ({"ServerlessV2FeaturesSupport": {"MinCapacity": 0.5, "MaxCapacity": 128.0}}, "min_capacity 0, which"),
        ({"ServerlessV2FeaturesSupport": {"MinCapacity": 0.0, "MaxCapacity": 4.0}}, "max_capacity 8, which"),
    ],
)
def test_a_version_that_takes_less_than_the_target_has_is_refused(
    mirror: FakeAws, version_takes: dict[str, Any], said: str
) -> None:
    mirror.west.version_takes |= version_takes
    assert said in refused(mirror)


@pytest.mark.parametrize(
    ("class_takes", "said"),
    [
        ({"SupportsPerformanceInsights": False}, "which has no Performance Insights for Aurora PostgreSQL 17.4"),
        ({"SupportsEnhancedMonitoring": False}, "which has no Enhanced Monitoring for"),
        ({"SupportsIAMDatabaseAuthentication": False}, "which has no IAM database authentication for"),
        ({"SupportsKerberosAuthentication": False}, "which has no Kerberos authentication for"),
        ({"SupportedNetworkTypes": ["IPV4"]}, "which has no network of type DUAL for"),
    ],
)
def test_a_class_that_takes_less_than_the_target_has_is_refused(
    mirror: FakeAws, class_takes: dict[str, Any], said: str
) -> None:
    mirror.west.class_takes |= class_takes
    with pytest.raises(errors.TargetNotBuildable) as refusal:
        mirror.start(override_deletion_protection=True)
    for name in ("db.r8g.8xlarge", "db.t4g.medium", "db.serverless"):
        assert f"instance class {name}, {said}" in str(refusal.value)


def test_a_class_without_the_storage_type_is_refused_with_those_that_it_has(mirror: FakeAws) -> None:
    mirror.west.storage_types = ["aurora"]
    with pytest.raises(
        errors.TargetNotBuildable, match=r"storage type aurora-iopt1 .*expected the storage type aurora,"
    ):
        mirror.start(override_deletion_protection=True)


def test_a_subnet_group_without_ipv6_takes_no_dual_network(mirror: FakeAws) -> None:
    mirror.west.network_types = ["IPV4"]
    assert "network type DUAL, with a DB subnet group for IPV4;" in refused(mirror)


def test_what_aws_says_nothing_of_is_taken(mirror: FakeAws) -> None:
    mirror.west.version_takes.clear()
    mirror.west.class_takes.clear()
    mirror.start(override_deletion_protection=True)


OF_INSIGHTS = KEY_ARN.replace("mine", "insights")


def test_a_key_of_performance_insights_that_rds_cannot_use_is_refused(mirror: FakeAws) -> None:
    mirror.west.instances["a-reader"]["PerformanceInsightsKMSKeyId"] = OF_INSIGHTS
    mirror.kms.states[OF_INSIGHTS] = "PendingDeletion"
    with pytest.raises(errors.KeyNotUsable, match=rf"insights\.kms_key_id: found KMS key {OF_INSIGHTS} in st"):
        mirror.start(override_deletion_protection=True)
    assert mirror.west.changes == []


def test_a_key_of_performance_insights_that_was_closed_since_the_plan_keeps_the_old_target_whole(
    mirror: FakeAws,
) -> None:
    mirror.west.instances["a-reader"]["PerformanceInsightsKMSKeyId"] = OF_INSIGHTS
    mirror.kms.states[OF_INSIGHTS] = "Enabled"
    copy_is_ready(mirror, override_deletion_protection=True)
    mirror.kms.states[OF_INSIGHTS] = "Disabled"
    with pytest.raises(errors.KeyNotUsable, match="in state Disabled"):
        mirror.run(delete_rds)
    assert mirror.west.destroyed == []


@pytest.mark.parametrize(
    "asked",
    [{"proxies": [{"proxy": "nobodys"}]}, {"event_subscriptions": [{"name": "nobodys", "source_ids": ["staging"]}]}],
)
def test_a_proxy_or_subscription_that_is_not_there_is_refused(mirror: FakeAws, asked: dict[str, Any]) -> None:
    (setting,) = asked
    with pytest.raises(errors.SettingNotFound, match=rf"target\.{setting}: found no .* nobodys in the target Region"):
        mirror.start(override_deletion_protection=True, target=asked)
    assert mirror.west.changes == []


@pytest.mark.parametrize("insights", [{"enabled": False}, {"enabled": True, "retention_days": 7}])
def test_insights_of_the_request_that_do_not_fit_the_mode_of_the_target_are_refused(
    mirror: FakeAws, insights: dict[str, Any]
) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"insights_mode: found advanced; expected insights that are en"):
        mirror.start(override_deletion_protection=True, target={"insights": insights})
    mirror.start(override_deletion_protection=True, target={"insights": insights, "insights_mode": "standard"})


def test_a_scheduled_action_with_limits_the_wrong_way_round_is_refused(mirror: FakeAws) -> None:
    action = {"name": "night", "schedule": "rate(1 day)", "min_readers": 5, "max_readers": 2}
    scaling = {"min_readers": 0, "max_readers": 9, "scheduled": [action]}
    with pytest.raises(errors.InvalidRequest, match=r"reader_scaling\.scheduled: found 5 to 2 in night"):
        mirror.start(override_deletion_protection=True, target={"reader_scaling": scaling})


@pytest.mark.parametrize(
    ("shown", "pause"),
    [
        ({"MinCapacity": 0.5, "MaxCapacity": 512.0}, None),
        ({"MinCapacity": 0.5, "MaxCapacity": 0.5}, None),
        ({"MinCapacity": 1.0, "MaxCapacity": 2.0, "SecondsUntilAutoPause": 300}, None),
        ({"MinCapacity": 0.0, "MaxCapacity": 2.0, "SecondsUntilAutoPause": 60}, 60),
    ],
)
def test_a_capacity_that_no_request_may_have_is_carried_as_aws_shows_it(
    mirror: FakeAws, shown: dict[str, Any], pause: int | None
) -> None:
    mirror.west.version_takes["ServerlessV2FeaturesSupport"] = {"MinCapacity": 0.0, "MaxCapacity": 512.0}
    mirror.west.clusters["staging"]["ServerlessV2ScalingConfiguration"] = shown
    mirror.start(override_deletion_protection=True)
    capacity = mirror.operation.plan.settings.serverless_v2
    assert capacity is not None
    assert (capacity.min_capacity, capacity.max_capacity) == (shown["MinCapacity"], shown["MaxCapacity"])
    assert capacity.seconds_until_auto_pause == pause


def test_a_capacity_of_the_request_is_the_same_setting_as_one_that_aws_shows() -> None:
    asked = {"min_capacity": 0.5, "max_capacity": 4.0}
    request = {"source": {"cluster_id": "prod", "region": "us-east-1"}, "target": {"cluster_id": "x"}}
    target = RestoreRequest.model_validate(request | {"target": {"cluster_id": "x", "serverless_v2": asked}}).target
    settings = TargetSettings.model_validate({"engine_version": "17.4", "serverless_v2": target.serverless_v2})
    assert settings.serverless_v2 == ServerlessV2(min_capacity=0.5, max_capacity=4.0)
