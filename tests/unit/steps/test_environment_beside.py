"""An environment beside another one: it takes for its own, and marks as its own, what bears its name in the tags."""

import json

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.fakes.rds_items import tags_of
from tests.unit.metrics_log import measured
from utils.errors import TargetNotReplaceable
from utils.report.metrics import Metric, emit
from utils.runtime.contract import ClosingEvent
from utils.steps.check_copy_status import check_copy_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.sns_notification import sns_notification

REPLACEABLE, MANAGED = "aurora-restore:replaceable", "aurora-restore:managed"


@pytest.fixture
def beside(aws: FakeAws) -> FakeAws:
    """The pipeline of the environment prod, whose target is there."""
    aws.services = aws.services_with(OWNERSHIP_MARK="prod")
    return aws


def test_what_it_makes_bears_its_name_where_the_default_environment_says_true(beside: FakeAws) -> None:
    beside.west.has_cluster("staging", tags={REPLACEABLE: "prod"})
    beside.start()
    beside.run(copy_snapshot)
    (asked,) = beside.west.asked("copy_db_cluster_snapshot")
    assert {"Key": MANAGED, "Value": "prod"} in asked["Tags"]
    beside.run(check_copy_status)  # it knows its own copy


@pytest.mark.parametrize(
    ("mark", "told"), [("true", "=true, the mark of another environment"), ("dev", "=dev"), (None, "without the tag")]
)
def test_a_target_of_another_environment_is_refused_with_the_tag_that_this_one_wants(
    beside: FakeAws, mark: str | None, told: str
) -> None:
    beside.west.has_cluster("staging", tags={REPLACEABLE: mark} if mark else {})
    with pytest.raises(TargetNotReplaceable, match=told) as refused:
        beside.start()
    assert f"{REPLACEABLE}=prod" in refused.value.expected
    assert beside.west.changes == []


def test_the_default_environment_refuses_the_target_of_one_beside_it(aws: FakeAws) -> None:
    aws.west.has_cluster("staging", tags={REPLACEABLE: "prod"})
    with pytest.raises(TargetNotReplaceable, match=f"{REPLACEABLE}=prod"):
        aws.start()
    assert aws.west.changes == []


def test_a_target_that_another_environment_takes_over_during_the_run_is_not_deleted(beside: FakeAws) -> None:
    cluster = beside.west.has_cluster("staging", tags={REPLACEABLE: "prod"})
    beside.start(source={"region": "us-east-1"})
    cluster["TagList"] = [{"Key": REPLACEABLE, "Value": "true"}]
    with pytest.raises(TargetNotReplaceable):
        beside.run(delete_rds)
    assert "delete_db_cluster" not in beside.west.changes
    assert tags_of(cluster) == {REPLACEABLE: "true"}


def test_it_measures_under_its_own_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "aurora-restore-prod")
    emit({Metric.RESTORE_SUCCEEDED: 1}, operation_id="nightly", target_cluster_id="shop")
    assert {item.dimensions["service"] for item in measured(capsys.readouterr().out)} == {"aurora-restore-prod"}


def test_whoever_approves_is_told_the_environment_and_its_role(beside: FakeAws) -> None:
    beside.start(approval={"timeout_hours": 2})
    asked = {"operation_id": OPERATION, "execution_arn": EXECUTION_ARN, "task_token": "token-1"}
    sns_notification(ClosingEvent.model_validate(asked), beside.services)
    (message,) = beside.topic.messages
    assert f"./restore.sh approve --env prod {OPERATION} --reason" in message["Message"]
    assert "as aurora-restore-prod-approver:" in message["Message"]


def test_the_commands_of_every_message_lead_to_it(beside: FakeAws) -> None:
    cause = json.dumps({"errorMessage": "resume it (./restore.sh resume other)", "errorType": "TargetNotBuildable"})
    failure = {"Error": "TargetNotBuildable", "Cause": cause}
    ended = {"operation_id": OPERATION, "execution_arn": EXECUTION_ARN, "error": failure, "failed_step": "Restore"}
    sns_notification(ClosingEvent.model_validate(ended), beside.services)
    (message,) = beside.topic.messages
    detail = json.loads(message["MessageAttributes"]["detail"]["StringValue"])
    for text in (message["Message"], json.dumps(detail)):
        assert "(./restore.sh resume --env prod other)" in text
