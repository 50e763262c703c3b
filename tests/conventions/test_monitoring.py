"""What alarms, widgets and saved queries read is what the code writes, and nothing is written that nothing reads."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any

import pytest

from deployment.names import Names
from deployment.verify.monitoring_checks import expected_alarms
from docs.event_schema import FILE, event_schema
from tests.conventions.cfn_yaml import REPOSITORY, load_template, references, resources_of_type
from utils.aws.event_bus import DetailType
from utils.operation.model import Helper, StepName
from utils.report.metrics import NAMESPACE, SERVICE, Metric

MONITORING = load_template("infrastructure/monitoring.yaml")
LAMBDA = load_template("infrastructure/lambda.yaml")
PREREQUISITES = load_template("infrastructure/prerequisites.yaml")
FUNCTIONS = {item["FunctionName"] for item in resources_of_type(LAMBDA, "AWS::Serverless::Function").values()}
ALARMS = resources_of_type(MONITORING, "AWS::CloudWatch::Alarm")
QUERIES = resources_of_type(MONITORING, "AWS::Logs::QueryDefinition")
PERIODS_OF_LONG_ALARMS = 3600
# What AWS itself measures, with the dimensions by which it does.
OF_AWS = {
    ("AWS/States", name, ("StateMachineArn",))
    for name in (
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
    )
} | {
    ("AWS/Lambda", "Errors", ("FunctionName",)),
    ("AWS/Lambda", "Throttles", ("FunctionName",)),
    ("AWS/Lambda", "Duration", ("FunctionName",)),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName",)),
}
Read = tuple[str, str, tuple[str, ...]]


def dashboard() -> dict[str, Any]:
    [properties] = resources_of_type(MONITORING, "AWS::CloudWatch::Dashboard").values()
    body = re.sub(r"\$\{RpoHours\}", "26", properties["DashboardBody"]["Fn::Sub"])
    widgets: dict[str, Any] = json.loads(body)
    return widgets


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [item["MetricStat"]["Metric"] for item in alarm.get("Metrics", []) if "MetricStat" in item] or [alarm]


def read_by_alarms() -> Iterator[Read]:
    for alarm in ALARMS.values():
        for metric in metrics_of(alarm):
            yield metric["Namespace"], metric["MetricName"], tuple(item["Name"] for item in metric["Dimensions"])


def read_by_widgets() -> Iterator[Read]:
    for widget in dashboard()["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], dict):
                found = re.match(r"SEARCH\('\{([^}]+)\} MetricName=\"(\w+)\"", metric[0]["expression"])
                assert found, metric
                namespace, *dimensions = found[1].split(",")
                yield namespace, found[2], tuple(dimensions)
            else:
                texts = [part for part in metric if isinstance(part, str)]
                yield texts[0], texts[1], tuple(texts[2::2])


@pytest.mark.parametrize("machine", ["StateMachineArn", "FleetStateMachineArn"])
def test_every_end_but_success_of_an_execution_alarms(machine: str) -> None:
    of_the_machine = [{"Name": "StateMachineArn", "Value": {"Ref": machine}}]
    metrics = [metric for alarm in ALARMS.values() for metric in metrics_of(alarm)]
    alarmed = {metric["MetricName"] for metric in metrics if metric.get("Dimensions") == of_the_machine}
    assert alarmed == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}


def test_every_metric_that_is_read_is_written_and_every_one_that_is_written_is_read() -> None:
    written = {(NAMESPACE, metric.label, names) for metric in Metric for names in metric.dimension_sets}
    read = {*read_by_alarms(), *read_by_widgets()}
    assert {item for item in read if item[0] == NAMESPACE} <= written
    not_read = {item[1] for item in written} - {item[1] for item in read}
    assert not not_read
    assert {item for item in read if item[0] != NAMESPACE} == OF_AWS


def test_the_service_that_the_alarms_name_is_the_one_that_measures() -> None:
    named = {
        item["Value"]
        for alarm in ALARMS.values()
        for metric in metrics_of(alarm)
        for item in metric["Dimensions"]
        if item["Name"] == "service"
    }
    assert named == {SERVICE}
    assert LAMBDA["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == SERVICE


def test_the_phases_that_the_dashboard_names_are_those_that_are_measured() -> None:
    named = {
        metric[5]
        for widget in dashboard()["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if not isinstance(metric[0], dict) and metric[1] == Metric.PHASE_SECONDS.label
    }
    assert named == {"copy", "delete", "restore", "users", "swap"}


# What goes wrong in a function that a step calls is in the message of the run.
TOLD_BY_A_RUN = {f"aurora-restore-{helper.value.lower().replace(' ', '-')}" for helper in Helper}


@pytest.mark.parametrize("kind", ["FunctionErrorsAlarm", "FunctionThrottlesAlarm"])
def test_all_functions_are_watched(kind: str) -> None:
    watching = [metrics_of(alarm) for name, alarm in ALARMS.items() if name.startswith(kind)]
    assert {item["Dimensions"][0]["Value"] for metrics in watching for item in metrics} == FUNCTIONS - TOLD_BY_A_RUN
    assert all(len(metrics) <= 10 for metrics in watching), "CloudWatch takes no more in one alarm: make another"


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_the_topic_and_says_what_to_do(name: str) -> None:
    alarm = ALARMS[name]
    assert references(alarm["AlarmActions"]) == {"TopicArn"}
    assert alarm["TreatMissingData"] in {"breaching", "notBreaching", "ignore"}
    description = alarm["AlarmDescription"]
    text = description["Fn::Sub"] if isinstance(description, dict) else description
    assert len(re.findall(r"[.;]( |$)", text)) >= 2, "what happened, and what to do"


@pytest.mark.parametrize("name", ALARMS)
def test_key_and_topic_let_the_alarm_publish(name: str) -> None:
    policies = [
        PREREQUISITES["Resources"]["SecretsKey"]["Properties"]["KeyPolicy"],
        PREREQUISITES["Resources"]["NotificationTopicPolicy"]["Properties"]["PolicyDocument"],
    ]
    for policy in policies:
        [statement] = [
            item for item in policy["Statement"] if item["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        ]
        pattern = statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].rpartition(":")[2]
        assert fnmatchcase(ALARMS[name]["AlarmName"], pattern)


def test_the_absence_of_restores_alarms_only_while_the_schedule_is_on() -> None:
    alarm = MONITORING["Resources"]["NoSuccessAlarm"]
    assert references(MONITORING["Conditions"][alarm["Condition"]]) == {"ScheduleState", "NoSuccessAlarmHours"}
    properties = alarm["Properties"]
    assert properties["TreatMissingData"] == "breaching"
    assert properties["EvaluationPeriods"] == properties["DatapointsToAlarm"] == {"Ref": "NoSuccessAlarmHours"}
    # CloudWatch looks back for seven days at most, and for one if the period is shorter than an hour.
    assert properties["Period"] == PERIODS_OF_LONG_ALARMS
    for template in (MONITORING, load_template("template.yaml")):
        assert template["Parameters"]["NoSuccessAlarmHours"]["MaxValue"] * PERIODS_OF_LONG_ALARMS == 7 * 24 * 3600


@pytest.mark.parametrize(
    ("parameters", "conditions"),
    [
        ({"FunctionAlarms": "false", "ScheduleState": "DISABLED"}, {None}),
        ({"FunctionAlarms": "true", "ScheduleState": "DISABLED"}, {None, "WatchFunctions"}),
        ({"FunctionAlarms": "false", "ScheduleState": "ENABLED", "NoSuccessAlarmHours": "26"}, {None, "WatchSuccess"}),
        ({"FunctionAlarms": "false", "ScheduleState": "ENABLED", "NoSuccessAlarmHours": "0"}, {None}),
    ],
)
def test_verify_expects_the_alarms_that_the_template_makes(
    parameters: dict[str, str], conditions: set[str | None]
) -> None:
    made = {
        alarm["AlarmName"]
        for name, alarm in ALARMS.items()
        if MONITORING["Resources"][name].get("Condition") in conditions
    }
    assert expected_alarms({"MonitoringLevel": "alarms", **parameters}, Names()) == made
    assert expected_alarms({"MonitoringLevel": "none", **parameters}, Names()) == set()


def test_the_widgets_lie_side_by_side() -> None:
    boxes = [(item["x"], item["y"], item["width"], item["height"]) for item in dashboard()["widgets"]]
    assert all(x + width <= 24 for x, _, width, _ in boxes)
    for (x, y, width, height), (other_x, other_y, other_width, other_height) in combinations(boxes, 2):
        apart_across = x + width <= other_x or other_x + other_width <= x
        assert apart_across or y + height <= other_y or other_y + other_height <= y


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_looks_into_log_groups_that_exist(name: str) -> None:
    assert {group.removeprefix("/aws/lambda/") for group in QUERIES[name]["LogGroupNames"]} <= FUNCTIONS
    assert QUERIES[name]["Name"].startswith("aurora-restore/")


def test_every_function_is_in_the_query_of_one_operation() -> None:
    assert len(QUERIES["OneOperationQuery"]["LogGroupNames"]) == len([*StepName, *Helper])


def test_the_last_runs_of_the_dashboard_are_those_of_the_saved_query() -> None:
    widget = dashboard()["widgets"][0]["properties"]["query"]
    saved = QUERIES["LastRunsQuery"]["QueryString"]
    assert fields(widget) == fields(saved)


def fields(query: str) -> list[str]:
    found = re.search(r"fields ([^|]+)", query)
    assert found
    return [name.strip() for name in found[1].split(",")]


def test_the_schema_of_the_events_is_the_documented_one() -> None:
    assert FILE.read_text() == event_schema(), "run: python -m docs.event_schema"


def test_the_guide_names_every_alarm_metric_event_query_and_parameter() -> None:
    guide = (REPOSITORY / "docs/monitoring.md").read_text()
    parameters = set(MONITORING["Parameters"]) - {
        "TopicArn",
        "StateMachineArn",
        "FleetStateMachineArn",
        "DeadLetterQueueName",
        "Dashboard",
        "NamePrefix",
    }
    names = [
        *(alarm["AlarmName"] for alarm in ALARMS.values()),
        *(metric.label for metric in Metric),
        *(kind.value for kind in DetailType),
        *(query["Name"] for query in QUERIES.values()),
        *parameters,
    ]
    assert [name for name in names if f"`{name}`" not in guide] == []
