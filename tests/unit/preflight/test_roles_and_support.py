"""Roles that are gone and support that has ended are known before anything is destroyed, or it is said why not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.aws import FakeAws
from tests.unit.steps.rebuild import replaced
from tests.unit.steps.stories import copy_is_ready
from utils import errors
from utils.operation.planned import Outcome, PreflightCheck
from utils.steps.delete_rds import delete_rds

ROLE = "arn:aws:iam::123456789012:role"
OPTED_OUT = {"EngineLifecycleSupport": "open-source-rds-extended-support-disabled"}


@pytest.fixture
def mirror(aws: FakeAws) -> FakeAws:
    """A target with every setting away from its default."""
    away_from_default.stands(aws)
    return aws


def warned(aws: FakeAws, name: str) -> list[PreflightCheck]:
    return [check for check in aws.operation.plan.checks if (check.name, check.outcome) == (name, Outcome.WARN)]


def test_each_role_is_looked_at_once(mirror: FakeAws) -> None:
    mirror.start(override_deletion_protection=True)
    assert mirror.iam.asked == ["import", "monitoring", "kerberos"]
    found = [check.found for check in mirror.operation.plan.checks if check.name == "IAM role"]
    assert found == [f"{ROLE}/import", f"{ROLE}/monitoring", f"{ROLE}/kerberos"]


def test_a_role_that_nothing_uses_is_not_asked_for(aws: FakeAws) -> None:
    aws.has_old_target(MonitoringInterval=0, MonitoringRoleArn=f"{ROLE}/monitoring")
    aws.start()
    assert aws.iam.asked == []
    assert aws.west.asked("describe_db_major_engine_versions") == []


def test_a_role_of_that_name_elsewhere_is_not_the_role(mirror: FakeAws) -> None:
    mirror.west.instances["a-reader"]["MonitoringRoleArn"] = f"{ROLE}/of-rds/monitoring"
    said = (
        r"named\.a-reader\.monitoring\.role_arn: found no IAM role \S+/of-rds/monitoring in the account, but \S+; "
        "expected a role that exists.* make it again, or name another one"
    )
    with pytest.raises(errors.SettingNotFound, match=said):
        mirror.start(override_deletion_protection=True)
    assert mirror.west.changes == []


def test_a_role_that_the_request_leaves_out_may_be_gone(mirror: FakeAws) -> None:
    mirror.iam.gone = {"import"}
    an_invalid_role(mirror)
    mirror.start(override_deletion_protection=True, target={"associated_roles": []})
    assert mirror.iam.asked == ["monitoring", "kerberos"]


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError"])
def test_what_iam_does_not_say_is_said_to_be_unchecked_and_stops_no_run(mirror: FakeAws, code: str) -> None:
    mirror.iam.refuses_with = code
    replaced(mirror)
    unchecked = warned(mirror, "IAM role")
    assert [check.found.partition(":role/")[2].partition(" of ")[0] for check in unchecked[:2]] == [
        "import",
        "monitoring",
    ]
    assert f"of target.associated_roles not checked: {code} from iam:GetRole" in unchecked[0].found
    assert "kerberos of target.domain.role_name not checked" in unchecked[2].found
    assert any("make sure that the role exists" in warning for warning in mirror.operation.plan.warnings)


def test_a_recovery_does_not_wait_for_an_iam_that_is_down_with_its_region(mirror: FakeAws) -> None:
    mirror.iam.is_down = True
    replaced(mirror)
    assert mirror.iam.asked == ["import"] * 3, "once with the plan, and each time before the deletion"
    assert len(warned(mirror, "IAM role")) == 3
    assert all("not checked: no answer from AWS to iam:GetRole" in check.found for check in warned(mirror, "IAM role"))


def test_what_iam_answered_before_it_went_down_counts(mirror: FakeAws) -> None:
    mirror.iam.gone = {"import"}
    answer = mirror.iam.get_role

    def goes_down(**asked: Any) -> Any:
        mirror.iam.is_down = len(mirror.iam.asked) > 0
        return answer(**asked)

    mirror.iam.get_role = goes_down  # type: ignore[method-assign] # a story
    with pytest.raises(errors.SettingNotFound, match="no IAM role arn:aws:iam::123456789012:role/import"):
        mirror.start(override_deletion_protection=True)


def test_a_rate_limit_of_iam_is_waited_out(mirror: FakeAws) -> None:
    mirror.iam.refuses_with = "Throttling"
    with pytest.raises(errors.AwsThrottled):
        mirror.start(override_deletion_protection=True)


@pytest.mark.parametrize("status", ["failed", "enable-kerberos-failed"])
def test_a_directory_that_was_not_joined_is_told(mirror: FakeAws, status: str) -> None:
    in_directory(mirror, status)
    mirror.start(override_deletion_protection=True)
    (check,) = warned(mirror, "directory")
    assert check.found == "the membership of staging in d-1 failed"
    assert check.expected == "status joined or kerberos-enabled"


def test_a_directory_that_was_joined_is_not_warned_of(mirror: FakeAws) -> None:
    in_directory(mirror, "kerberos-enabled")
    mirror.start(override_deletion_protection=True)
    assert warned(mirror, "directory") == []


def in_directory(aws: FakeAws, status: str) -> None:
    cluster = aws.west.clusters["staging"]
    cluster["DomainMemberships"] = [cluster["DomainMemberships"][0] | {"Status": status}]


def an_ended_support(aws: FakeAws) -> None:
    aws.west.ends_of_support["17"] = aws.clock.now() - timedelta(minutes=1)


def an_invalid_role(aws: FakeAws) -> None:
    cluster = aws.west.clusters["staging"]
    cluster["AssociatedRoles"] = [role | {"Status": "INVALID"} for role in cluster["AssociatedRoles"]]


LATER: list[tuple[Callable[[FakeAws], object], type[errors.PermanentError], str]] = [
    (
        lambda aws: aws.iam.gone.add("monitoring"),
        errors.SettingNotFound,
        f"no IAM role {ROLE}/monitoring in the account",
    ),
    (an_invalid_role, errors.TargetNotBuildable, "role/import for s3Import with status INVALID"),
    (an_ended_support, errors.EngineVersionNotRestorable, "standard support ended on 2026-11-22"),
]


@pytest.mark.parametrize(("happens", "error", "said"), LATER)
def test_what_changed_since_the_plan_keeps_the_old_target_whole(
    mirror: FakeAws, happens: Callable[[FakeAws], object], error: type[errors.PermanentError], said: str
) -> None:
    copy_is_ready(mirror, override_deletion_protection=True)
    happens(mirror)
    with pytest.raises(error, match=said):
        mirror.run(delete_rds)
    assert mirror.west.destroyed == []


@pytest.mark.parametrize("target", [{"extended_support": True}, {"engine_version": "18.1"}])
def test_who_pays_or_takes_a_supported_version_is_not_refused(aws: FakeAws, target: dict[str, Any]) -> None:
    aws.has_old_target(**OPTED_OUT)
    an_ended_support(aws)
    aws.west.engine_versions.add("18.1")
    aws.west.ends_of_support["18"] = aws.clock.now() + timedelta(days=900)
    aws.west.cluster_parameter_groups["default.aurora-postgresql18"] = "aurora-postgresql18"
    aws.start(target=target)
    found = [check.found for check in aws.operation.plan.checks if check.name == "standard support"]
    assert found == ([] if target.get("extended_support") else ["until 2029-05-10"])


def test_an_end_that_aws_does_not_name_is_said_to_be_unchecked(aws: FakeAws) -> None:
    aws.has_old_target(**OPTED_OUT)
    aws.west.ends_of_support.clear()
    aws.start()
    (check,) = warned(aws, "standard support")
    assert check.found == "not checked: AWS names no end of standard support for Aurora PostgreSQL 17"


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidAction"])
def test_an_answer_that_is_refused_is_said_to_be_unchecked(aws: FakeAws, code: str) -> None:
    aws.has_old_target(**OPTED_OUT)
    aws.west.refuse("describe_db_major_engine_versions", code, "planned by the test")
    aws.start()
    (check,) = warned(aws, "standard support")
    assert f"not checked: {code} from rds:DescribeDBMajorEngineVersions" in check.found
    assert "make sure that 17 is in standard support" in check.do


def test_the_clusters_own_monitoring_role_is_looked_at(aws: FakeAws) -> None:
    aws.has_old_target(MonitoringInterval=30, MonitoringRoleArn=f"{ROLE}/monitoring")
    aws.iam.gone.add("monitoring")
    with pytest.raises(
        errors.SettingNotFound, match=r"^target\.monitoring\.role_arn: found no IAM role \S+/monitoring"
    ):
        aws.start()


def test_a_drill_is_told_of_a_members_role_by_the_name_that_its_request_takes(mirror: FakeAws) -> None:
    mirror.west.instances["a-reader"]["MonitoringRoleArn"] = f"{ROLE}/of-the-reader"
    mirror.iam.gone.add("of-the-reader")
    drill = {"action": "delete", "after_hours": 0}
    with pytest.raises(errors.SettingNotFound, match=r"^target\.instances\.named\.a-reader\.monitoring\.role_arn: "):
        mirror.start(afterwards=drill)
    other = {"interval_seconds": 60, "role_arn": f"{ROLE}/monitoring"}
    mirror.start(afterwards=drill, target={"instances": {"named": {"a-reader": {"monitoring": other}}}})
    assert mirror.operation.identifiers.drill_of == "staging"
