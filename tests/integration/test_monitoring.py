"""Whoever watches learns what happened: events, alarms, metrics, dashboard, and a message that helps."""

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.shell import Shell
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for

TARGET = "watched"
SERVICE = {"Name": "service", "Value": "aurora-restore"}


@dataclass(frozen=True)
class Watch:
    """A refresh and a refusal under the eyes of a rule, and what the commands of the message brought back."""

    restored: Outcome
    refused: Outcome
    events: dict[str, list[dict[str, Any]]]
    brought_back_rows: int


@story
def watch(world: World) -> Watch:
    queue = _queue_behind_a_rule(world)
    world.old_target(TARGET)
    restored = world.run({"target": {"cluster_id": TARGET}}, "watched-run").expect_success()
    refused = world.run({"target": {"cluster_id": TARGET}, "no_such_field": 1}, "watched-refusal")
    wanted = {"watched-run": 2, "watched-refusal": 1}
    events: dict[str, list[dict[str, Any]]] = {name: [] for name in wanted}

    def all_came() -> bool:
        for event in _received(world, queue):
            events.setdefault(event["detail"]["operation_id"], []).append(event)
        return all(len(events[name]) >= count for name, count in wanted.items())

    wait_for(all_came, "the events of both runs")
    return Watch(restored, refused, events, _rows_of_what_comes_back(world, restored.messages[0].text))


def _queue_behind_a_rule(world: World) -> str:
    sqs, events = world.client("sqs"), world.client("events")
    url = str(sqs.create_queue(QueueName="listener")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aurora-restore"], "detail": {"target_cluster_id": [TARGET, None]}}
    rule = events.put_rule(Name="listener", EventPattern=json.dumps(pattern))["RuleArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="listener", Targets=[{"Id": "queue", "Arn": arn}])
    return url


def _received(world: World, queue: str) -> list[dict[str, Any]]:
    sqs, found = world.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def _rows_of_what_comes_back(world: World, text: str) -> int:
    """Paste the commands of the message into a shell, and count what the old target had."""
    commands = text.split("with its own logins and passwords:\n\n")[1].split("\n\n")[0]
    with tempfile.TemporaryDirectory() as folder:
        Shell(world.cloud, Path(folder)).run("bash", "-euc", commands)
    name = f"{TARGET}-before"

    def is_there() -> bool:
        return [item["DBInstanceStatus"] for item in world.instances(name)] == ["available"]

    wait_for(is_there, f"the instance of {name}")
    return world.rows_of_old_target(world.cluster(name))


def test_a_rule_of_others_gets_the_start_and_the_success(world: World, watch: Watch) -> None:
    started, succeeded = sorted(watch.events["watched-run"], key=lambda event: str(event["detail-type"]))
    assert {started["source"], succeeded["source"]} == {"aurora-restore"}
    assert started["detail-type"] == "Aurora Restore Operation Started"
    assert succeeded["detail-type"] == "Aurora Restore Operation Succeeded"
    arn = world.execution_arn("watched-run")
    assert started["resources"] == succeeded["resources"] == [arn]
    assert (started["detail"]["status"], started["detail"]["endpoint"]) == ("RUNNING", None)
    detail = succeeded["detail"]
    assert (detail["status"], detail["target_cluster_id"], detail["execution_arn"]) == ("SUCCEEDED", TARGET, arn)
    assert detail["endpoint"] == world.cluster(TARGET)["Endpoint"]
    assert detail["final_snapshot_arn"] == watch.restored.output["final_snapshot"]
    assert detail["seconds"] == watch.restored.output["seconds"]


def test_a_rule_of_others_gets_the_failure_with_its_reason(watch: Watch) -> None:
    [failed] = watch.events["watched-refusal"]
    assert failed["detail-type"] == "Aurora Restore Operation Failed"
    error = failed["detail"]["error"]
    assert (error["name"], error["step"]) == ("InvalidRequest", "Snapshot Check")
    assert error["message"] == watch.refused.cause
    assert failed["detail"]["target_cluster_id"] is None


def test_the_message_can_be_read_by_programs_too(world: World, watch: Watch) -> None:
    [message] = watch.restored.messages
    detail = json.loads(message.attributes.pop("detail"))
    assert message.attributes == {"operation_id": "watched-run", "status": "SUCCEEDED", "target_cluster_id": TARGET}
    assert {**detail, "notification": "sent"} == watch.restored.output
    assert detail["console_url"].endswith(world.execution_arn("watched-run"))


@pytest.mark.usefixtures("watch")
def test_the_commands_of_the_message_bring_the_old_cluster_back(watch: Watch) -> None:
    assert watch.brought_back_rows == 25


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("RestoreSucceeded", 1), ("RecoverySeconds", 2000), ("SnapshotAgeHours", 1), ("RestoredGiB", 1)],
)
@pytest.mark.usefixtures("watch")
def test_the_run_is_measured(world: World, name: str, smallest: float) -> None:
    dimensions = [SERVICE, {"Name": "target_cluster_id", "Value": TARGET}]
    assert _largest(world, name, dimensions) >= smallest


@pytest.mark.parametrize(("phase", "smallest"), [("copy", 1200), ("delete", 360), ("restore", 1020), ("users", 1)])
@pytest.mark.usefixtures("watch")
def test_the_phases_are_measured(world: World, phase: str, smallest: float) -> None:
    assert _largest(world, "PhaseSeconds", [SERVICE, {"Name": "phase", "Value": phase}]) >= smallest


def _largest(world: World, name: str, dimensions: list[dict[str, str]]) -> float:
    now = datetime.now(UTC)
    answer = world.client("cloudwatch").get_metric_statistics(
        Namespace="AuroraRestore", MetricName=name, Dimensions=dimensions, Statistics=["Maximum"],
        StartTime=now - timedelta(hours=2), EndTime=now + timedelta(hours=1), Period=60,
    )  # fmt: skip
    return max(float(point["Maximum"]) for point in answer["Datapoints"])


@pytest.mark.usefixtures("watch")
def test_a_snapshot_beyond_its_rpo_alarms_the_topic(world: World) -> None:
    [alarm] = world.client("cloudwatch").describe_alarms(AlarmNames=["aurora-restore-snapshot-older-than-rpo"])[
        "MetricAlarms"
    ]
    assert (alarm["StateValue"], alarm["Threshold"], alarm["Dimensions"]) == ("ALARM", 1.0, [SERVICE])
    texts = [message.text for message in world.mailbox.messages() if message.subject.startswith("ALARM")]
    assert any("aurora-restore-snapshot-older-than-rpo" in text for text in texts)


def test_the_alarms_are_deployed_and_the_quiet_ones_are_quiet(world: World) -> None:
    alarms = world.client("cloudwatch").describe_alarms(AlarmNamePrefix="aurora-restore-")["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} == {
        "aurora-restore-execution-failed",
        "aurora-restore-execution-timed-out",
        "aurora-restore-execution-aborted",
        "aurora-restore-snapshot-older-than-rpo",
        "aurora-restore-lock-held-too-long",
        "aurora-restore-dead-letters",
        "aurora-restore-fleet-interrupted",
        "aurora-restore-function-errors",
        "aurora-restore-function-errors-swap",
        "aurora-restore-function-throttles",
        "aurora-restore-function-throttles-swap",
    }, "no restore is missed while the schedule is off"
    [topic] = {action for alarm in alarms for action in alarm["AlarmActions"]}
    assert topic.endswith(":aurora-restore-notifications")
    machine = world.deployment.state_machine_arn
    named = {item["Value"] for alarm in alarms for item in alarm["Dimensions"] if item["Name"] == "StateMachineArn"}
    assert named == {machine}


def test_the_dashboard_is_deployed_for_this_region(world: World) -> None:
    found = world.client("cloudwatch").get_dashboard(DashboardName=f"aurora-restore-{TARGET_REGION}")
    widgets = json.loads(found["DashboardBody"])["widgets"]
    assert {widget["properties"]["region"] for widget in widgets} == {TARGET_REGION}
    assert world.deployment.state_machine_arn in found["DashboardBody"]
    assert "${" not in found["DashboardBody"]


def test_the_saved_queries_are_deployed(world: World) -> None:
    found = world.client("logs").describe_query_definitions(queryDefinitionNamePrefix="aurora-restore/")
    names = [query["name"].removeprefix("aurora-restore/") for query in found["queryDefinitions"]]
    assert names == ["AWS calls of one operation", "errors", "last runs", "one operation"]


def test_every_line_of_a_run_bears_its_operation(world: World, watch: Watch) -> None:
    logs, started = world.client("logs"), set()
    groups = [f"/aws/lambda/aurora-restore-{name}" for name in ("snapshot-check", "copy-snapshot", "sns-notification")]
    for group in groups:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [json.loads(e["message"]) for page in pages for e in page["events"] if e["message"].startswith("{")]
        assert lines
        assert all(line.get("operation_id") for line in lines), "logs and metrics alike"
        started |= {group for line in lines if line["operation_id"] == watch.restored.operation_id}
    assert started == set(groups)


def test_the_query_for_the_last_runs_finds_its_fields_in_the_log(world: World, watch: Watch) -> None:
    pages = (
        world.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName="/aws/lambda/aurora-restore-sns-notification")
    )
    lines = [json.loads(e["message"]) for page in pages for e in page["events"] if e["message"].startswith('{"level')]
    [ended] = [
        line["message"]
        for line in lines
        if line["operation_id"] == watch.restored.operation_id and line["message"]["event"] == "LEFT"
    ]
    details = ended["details"]
    assert (details["status"], details["target_cluster_id"]) == ("SUCCEEDED", TARGET)
    assert details["seconds"]["total"] >= 2000
    assert details["snapshot_age_hours"] > 0


def test_dead_letters_of_the_schedule_have_a_place(world: World) -> None:
    schedule = world.client("scheduler").get_schedule(Name="aurora-restore-schedule")
    queue = schedule["Target"]["DeadLetterConfig"]["Arn"]
    assert queue.endswith(":aurora-restore-dead-letters")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    role = schedule["Target"]["RoleArn"].rpartition("/")[2]
    iam = world.client("iam")
    policies = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    sends = [item for policy in policies for item in policy["Statement"] if "sqs:SendMessage" in str(item["Action"])]
    assert [item["Resource"] for item in sends] == [queue]
