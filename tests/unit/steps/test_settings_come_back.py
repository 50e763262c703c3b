"""A target comes back as it was: every setting of the cluster and of each of its instances."""

from typing import Any

import pytest
from pydantic import BaseModel

from tests.fakes import away_from_default
from tests.fakes.aws import FakeAws
from tests.fakes.rds_items import tags_of
from tests.unit.steps.rebuild import rebuilt, replaced, settings_now
from utils import errors
from utils.cluster_settings.comparison import Comparison
from utils.cluster_settings.model import ClusterSettings, MemberOptions, TargetSettings
from utils.cluster_settings.origins import flattened
from utils.runtime.contract import StepStatus
from utils.steps.check_restore_status import check_restore_status
from utils.steps.restore_snapshot import restore_snapshot

# What a restored target has otherwise, and why.
OTHERWISE: dict[str, str] = {}


# A copy of production has no public address, and an endpoint has static members or excluded ones.
NOT_AWAY = {"publicly_accessible", "excluded_members"}


def compared(aws: FakeAws) -> Comparison:
    restore = aws.operation.restore
    assert restore is not None
    assert restore.settings.comparison is not None
    return restore.settings.comparison


def test_every_setting_of_the_model_is_away_from_its_default_here() -> None:
    aws = FakeAws()
    aws.has_production()
    away_from_default.stands(aws)
    flat = flattened(settings_now(aws))
    for name in ClusterSettings.model_fields:
        assert flat[name] not in (None, [], {}), name
    for name in set(MemberOptions.model_fields):
        assert len({str(flat[f"members.{member}.{name}"]) for member in away_from_default.MEMBERS}) >= 1
        assert all(flat[f"members.{member}.{name}"] is not None for member in away_from_default.MEMBERS), name


def test_every_setting_is_otherwise_than_that_of_a_target_of_which_nothing_was_asked(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    away = settings_now(aws)
    plain = FakeAws()
    plain.has_production()
    rebuilt(replaced(plain))
    default = settings_now(plain)
    same = {name for name in ClusterSettings.model_fields if getattr(away, name) == getattr(default, name)}
    for member in away.members:
        same |= {n for n in MemberOptions.model_fields if getattr(member, n) == getattr(default.members[0], n)}
    assert same <= NOT_AWAY
    assert _says_nothing(away) <= NOT_AWAY


def _says_nothing(settings: TargetSettings) -> set[str]:
    """Name the innermost fields that have no value in any place where they stand."""
    places: dict[str, list[Any]] = {}
    pending: list[tuple[str, Any]] = [("", settings)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, BaseModel):
            pending += [(field, getattr(value, field)) for field in type(value).model_fields]
        elif isinstance(value, list) and value:
            pending += [(name, item) for item in value]
        else:
            places.setdefault(name, []).append(value)
    return {name for name, values in places.items() if all(value in (None, [], {}) for value in values)}


def test_a_target_with_every_setting_away_from_its_default_comes_back_as_it_was(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    before = flattened(settings_now(aws))

    rebuilt(replaced(aws))

    after = flattened(settings_now(aws))
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set(OTHERWISE)
    found = compared(aws)
    assert (found.changed_count, found.differences, found.not_put_back) == (0, [], [])
    assert str(found) == f"{found.as_before} settings as before"
    known = [path for path, value in before.items() if value is not None]
    assert found.as_before == len(known) - 1, "all but the version, which is the snapshot's"


def test_the_writer_is_the_writer_and_each_instance_has_its_own_tags(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws))
    created = [asked["DBInstanceIdentifier"] for asked in aws.west.asked("create_db_instance")]
    assert created[0] == "the-writer"
    assert sorted(created) == sorted(away_from_default.MEMBERS)
    assert tags_of(aws.west.instances["a-reader"])["name"] == "a-reader"
    assert "name" not in tags_of(aws.west.clusters["staging"])


def test_a_reader_of_application_auto_scaling_goes_with_the_old_target_and_stops_no_run(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    assert "application-autoscaling-9d1c" not in aws.west.instances
    rebuilt(aws)
    aws.west.has_instance("application-autoscaling-77aa", "staging", DBInstanceStatus="creating")
    assert aws.run(check_restore_status).status is StepStatus.READY
    restore = aws.operation.restore
    assert restore is not None
    assert "application-autoscaling-77aa" not in restore.instance_ids


def test_deletion_protection_comes_last(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws))
    protection = [asked.get("DeletionProtection") for asked in aws.west.asked("modify_db_cluster")]
    assert protection[-1] is True
    assert "DeletionProtection" not in aws.west.asked("restore_db_cluster_from_snapshot")[0]


def test_what_was_asked_for_is_counted_apart(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws, target={"port": 6000, "backup_retention_days": 7, "iam_authentication": True}))
    found = compared(aws)
    assert found.changed == ["backup_retention_days", "port"]
    assert str(found) == f"{found.as_before} settings as before, 2 changed as asked"


def test_a_setting_that_aws_refuses_for_good_is_told_and_ends_no_run(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    aws.west.refuse("enable_http_endpoint", "InvalidParameterValue", "no Data API for this class")
    assert rebuilt(aws).status is StepStatus.READY
    found = compared(aws)
    assert [difference.path for difference in found.differences] == ["data_api"]
    assert str(found).endswith("1 could not be put back: data_api: wanted True, found False")
    restore = aws.operation.restore
    assert restore is not None
    assert "no Data API for this class" in restore.settings.refused["data_api"]


def test_a_change_that_rds_takes_and_never_shows_is_given_up_and_told(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    aws.west.forgets.add("HttpEndpointEnabled")
    assert rebuilt(aws).status is StepStatus.READY
    assert len(aws.west.asked("enable_http_endpoint")) == 3
    assert [difference.path for difference in compared(aws).differences] == ["data_api"]


def test_a_change_while_another_is_under_way_is_asked_for_again(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    for _ in range(2):
        aws.run(restore_snapshot)
        aws.west.settle()
    aws.west.fail("enable_http_endpoint", "InvalidDBClusterStateFault")
    aws.run(restore_snapshot)
    assert aws.run(check_restore_status).details["settings_to_apply"][0] == "data_api"
    assert rebuilt(aws).status is StepStatus.READY
    assert compared(aws).differences == []


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("VpcSecurityGroups", [{"VpcSecurityGroupId": "sg-default"}], "security_group_ids"),
        ("KmsKeyId", "arn:aws:kms:us-west-2:123456789012:key/another", "kms_key_id"),
        ("IAMDatabaseAuthenticationEnabled", False, "iam_authentication"),
        ("DBClusterParameterGroup", "default.aurora-postgresql17", "cluster_parameter_group"),
        ("EnabledCloudwatchLogsExports", [], "log_exports"),
        ("DBSubnetGroup", "default", "subnet_group"),
    ],
)
def test_what_would_not_be_safe_to_open_stops_the_run_before_users_are_opened(
    aws: FakeAws, field: str, value: Any, path: str
) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    aws.run(restore_snapshot)
    aws.west.settle()
    aws.west.clusters["staging"][field] = value
    with pytest.raises(errors.RestoreFailed, match=rf"{path}: wanted .* found .* before anybody is let in"):
        rebuilt(aws)


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        ("rds.force_ssl", "0", "'rds.force_ssl': '0'"),
        ("ssl_min_protocol_version", "TLSv1", "'ssl_min_protocol_version': 'TLSv1'"),
        ("ssl_ciphers", "A,B", "'ssl_ciphers': 'A,B'"),
    ],
)
def test_a_group_of_the_same_name_that_now_lets_in_more_stops_the_run_before_users_are_opened(
    aws: FakeAws, parameter: str, value: str, said: str
) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    aws.run(restore_snapshot)
    aws.west.settle()
    aws.west.parameters["tuned"] |= {parameter: value}
    with pytest.raises(errors.RestoreFailed, match=rf"tls_parameters: wanted .* found .*{said}.* before anybody"):
        rebuilt(aws)


def test_a_group_that_forces_more_than_before_stops_nothing(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    aws.west.parameters["tuned"] |= {"ssl_min_protocol_version": "TLSv1.3", "ssl_ciphers": "A"}
    assert rebuilt(aws).status is StepStatus.READY
    assert compared(aws).differences == []


def test_what_hangs_on_the_cluster_is_asked_for_once_and_nothing_of_others(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws))
    (endpoint,) = aws.west.asked("create_db_cluster_endpoint")
    assert endpoint == {
        "DBClusterIdentifier": "staging",
        "DBClusterEndpointIdentifier": "reports",
        "EndpointType": "READER",
        "StaticMembers": ["a-reader", "at-night"],
    }
    assert aws.west.asked("register_db_proxy_targets") == [
        {"DBProxyName": "shop-proxy", "TargetGroupName": "default", "DBClusterIdentifiers": ["staging"]}
    ]
    subscribed = [asked["SourceIdentifier"] for asked in aws.west.asked("add_source_identifier_to_subscription")]
    assert subscribed == ["staging", "the-writer"]
    assert (aws.west.proxies["somebody-elses"], aws.west.subscriptions["to-the-dbas"][0]) == (["other"], "other")


def test_an_endpoint_of_members_that_are_no_more_is_not_made(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws, target={"instances": {"count": 1}}))
    assert aws.west.asked("create_db_cluster_endpoint") == []
    assert aws.operation.plan.not_put_back == [
        "the custom endpoint reports: the target will have no a-reader and no at-night"
    ]
    assert compared(aws).changed_otherwise == ["custom_endpoints"]


def test_what_names_an_instance_that_is_no_more_is_made_without_it_and_that_is_said(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.west.endpoints["reports"]["StaticMembers"].append("application-autoscaling-9d1c")
    aws.west.subscriptions["to-the-dbas"].append("application-autoscaling-9d1c")
    rebuilt(replaced(aws))
    (endpoint,) = aws.west.asked("create_db_cluster_endpoint")
    assert endpoint["StaticMembers"] == ["a-reader", "at-night"]
    assert aws.operation.plan.not_put_back == [
        "application-autoscaling-9d1c in the custom endpoint reports: the target will not have it",
        "application-autoscaling-9d1c in the event subscription to-the-dbas: the target will not have it",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"custom_endpoints": [{"identifier": "reports", "kind": "READER", "static_members": ["a-raeder"]}]},
        {"custom_endpoints": [{"identifier": "reports", "kind": "ANY", "excluded_members": ["a-raeder"]}]},
        {"event_subscriptions": [{"name": "to-the-dbas", "source_ids": ["staging", "a-raeder"]}]},
    ],
)
def test_an_instance_that_only_the_request_names_is_refused(aws: FakeAws, asked: dict[str, Any]) -> None:
    away_from_default.stands(aws)
    (setting,) = asked
    with pytest.raises(errors.InvalidRequest, match=rf"target\.{setting}: found a-raeder, which the target will not"):
        aws.start(override_deletion_protection=True, target=asked)


def test_an_instance_with_less_than_the_cluster_says_so(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.west.instances["a-reader"] |= {"PerformanceInsightsEnabled": False, "MonitoringInterval": 0}
    rebuilt(replaced(aws))
    (reader,) = [one for one in aws.west.asked("create_db_instance") if one["DBInstanceIdentifier"] == "a-reader"]
    assert (reader["EnablePerformanceInsights"], reader["MonitoringInterval"]) == (False, 0)


def test_changes_that_wait_and_the_masters_secret_are_named_before_anything_is_destroyed(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    secret = "arn:aws:secretsmanager:us-west-2:123456789012:secret:rds!cluster-1"
    aws.west.clusters["staging"] |= {
        "MasterUserSecret": {"SecretArn": secret, "SecretStatus": "active"},
        "PendingModifiedValues": {"EngineVersion": "17.5", "MasterUserPassword": "****"},
    }
    aws.west.instances["a-reader"]["PendingModifiedValues"] = {"DBInstanceClass": "db.r8g.large"}
    aws.start(override_deletion_protection=True)
    assert aws.operation.plan.not_put_back == [
        f"the master user's secret {secret}, which goes with the cluster: RDS makes another",
        "the pending change of the cluster: EngineVersion, for its next maintenance window",
        "the pending change of a-reader: DBInstanceClass, for its next maintenance window",
    ]


def test_an_activity_stream_is_named_before_anything_is_destroyed(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.west.clusters["staging"] |= {"ActivityStreamStatus": "started", "ActivityStreamKinesisStreamName": "audit"}
    aws.start(override_deletion_protection=True)
    assert aws.operation.plan.not_put_back == ["the database activity stream audit"]


def test_public_access_is_never_taken_over_and_said(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.west.instances["the-writer"]["PubliclyAccessible"] = True
    rebuilt(replaced(aws))
    assert all(asked["PubliclyAccessible"] is False for asked in aws.west.asked("create_db_instance"))
    (lost,) = compared(aws).not_put_back
    assert lost == "public access to the-writer: a copy of production has none unless asked for"


def test_public_access_that_is_asked_for_is_made_where_the_stack_allows_it(aws: FakeAws) -> None:
    aws.services = aws.services_with(ALLOW_PUBLIC_ACCESS="true")
    away_from_default.stands(aws)
    rebuilt(replaced(aws, target={"instances": {"named": {"a-reader": {"publicly_accessible": True}}}}))
    asked = {one["DBInstanceIdentifier"]: one["PubliclyAccessible"] for one in aws.west.asked("create_db_instance")}
    assert asked == {"the-writer": False, "a-reader": True, "at-night": False}
    assert compared(aws).changed == ["members.a-reader.publicly_accessible"]


def test_an_instance_that_somebody_opened_to_the_internet_stops_the_run_before_users_are_opened(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    for _ in range(2):
        aws.run(restore_snapshot)
        aws.west.settle()
    aws.west.instances["a-reader"]["PubliclyAccessible"] = True
    with pytest.raises(errors.RestoreFailed, match=r"members\.a-reader\.publicly_accessible: wanted False, found True"):
        rebuilt(aws)
