"""CloudWatch and EventBridge of the local cloud do what the monitoring is built on."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.regions import TARGET_REGION
from tests.local_cloud.conftest import Workbench

pytestmark = pytest.mark.local_cloud
BLOB = {
    "_aws": {
        "Timestamp": 0,
        "CloudWatchMetrics": [
            {
                "Namespace": "Shop",
                "Dimensions": [["service"], ["service", "town"]],
                "Metrics": [{"Name": "Sold", "Unit": "Count"}, {"Name": "Open"}],
            }
        ],
    },
    "service": "shop",
    "town": "Bern",
    "Sold": [3.0, 4.0],
    "Open": 1,
}
PRINTS = f"import json\ndef handler(event, context):\n    print('not a metric')\n    print(json.dumps({BLOB!r}))"
TEMPLATE = {
    "Resources": {
        "Saved": {
            "Type": "AWS::Logs::QueryDefinition",
            "Properties": {
                "Name": "shop/errors",
                "LogGroupNames": ["/aws/lambda/shop"],
                "QueryString": "fields @message",
            },
        }
    }
}


def total(cloud: LocalCloud, name: str, **dimensions: str) -> float:
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="Shop",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def test_what_a_function_prints_as_a_metric_becomes_one_under_each_set_of_dimensions(bench: Workbench) -> None:
    bench.invoke(bench.function(PRINTS, bench.role()))

    assert total(bench.cloud, "Sold", service="shop") == 7
    assert total(bench.cloud, "Sold", service="shop", town="Bern") == 7
    assert total(bench.cloud, "Open", service="shop") == 1
    assert total(bench.cloud, "Sold", town="Bern") == 0


def test_an_alarm_is_judged_when_a_value_of_its_own_metric_comes(bench: Workbench) -> None:
    alarms = bench.cloud.client("cloudwatch")

    def states() -> dict[str, str]:
        found = alarms.describe_alarms(AlarmNamePrefix="till-")["MetricAlarms"]
        return {alarm["MetricName"]: alarm["StateValue"] for alarm in found}

    for name in ("Open", "Robbed"):
        alarms.put_metric_alarm(
            AlarmName=f"till-{name}", Namespace="Till", MetricName=name, Statistic="Sum", Period=300,
            EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        alarms.put_metric_data(Namespace="Till", MetricData=[{"MetricName": name, "Value": 1}])
    assert states() == {"Open": "ALARM", "Robbed": "ALARM"}
    alarms.set_alarm_state(AlarmName="till-Open", StateValue="OK", StateReason="for the test")
    alarms.set_alarm_state(AlarmName="till-Robbed", StateValue="OK", StateReason="for the test")

    metrics = [{"Namespace": "Till", "Dimensions": [[]], "Metrics": [{"Name": "Open"}]}]
    blob = {"_aws": {"Timestamp": 0, "CloudWatchMetrics": metrics}, "Open": 1}
    prints = f"import json\ndef handler(event, context):\n    print(json.dumps({blob!r}))"
    bench.invoke(bench.function(prints, bench.role()))

    assert states() == {"Open": "ALARM", "Robbed": "OK"}


def test_a_saved_query_comes_changes_and_goes_with_its_stack(cloud: LocalCloud) -> None:
    stacks, logs = cloud.client("cloudformation"), cloud.client("logs")

    def saved() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = logs.describe_query_definitions(queryDefinitionNamePrefix="shop/")[
            "queryDefinitions"
        ]
        return found

    stacks.create_stack(StackName="queries", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="queries", WaiterConfig={"Delay": 1})
    [query] = saved()
    assert (query["name"], query["queryString"], query["logGroupNames"]) == (
        "shop/errors",
        "fields @message",
        ["/aws/lambda/shop"],
    )

    changed = json.dumps(TEMPLATE).replace("fields @message", "fields @timestamp")
    stacks.update_stack(StackName="queries", TemplateBody=changed)
    stacks.get_waiter("stack_update_complete").wait(StackName="queries", WaiterConfig={"Delay": 1})
    assert [item["queryString"] for item in saved()] == ["fields @timestamp"]

    stacks.delete_stack(StackName="queries")
    stacks.get_waiter("stack_delete_complete").wait(StackName="queries", WaiterConfig={"Delay": 1})
    assert saved() == []


@pytest.mark.parametrize(("source", "may"), [("shop", True), ("bank", False)])
def test_a_role_sends_events_of_the_source_that_it_is_allowed_only(bench: Workbench, source: str, may: bool) -> None:
    role = bench.role(
        {
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": "*",
            "Condition": {"StringEquals": {"events:source": "shop"}},
        }
    )
    session = boto3.Session(region_name=TARGET_REGION, **bench.session(role))  # type: ignore[arg-type]
    client: Any = session.client("events", endpoint_url=bench.cloud.endpoint)
    entry = {"Source": source, "DetailType": "Sold", "Detail": "{}"}
    if may:
        assert client.put_events(Entries=[entry])["FailedEntryCount"] == 0
        return
    with pytest.raises(client.exceptions.ClientError, match="not authorized"):
        client.put_events(Entries=[entry])
