"""A Map of mode DISTRIBUTED: children of their own, so many at a time, none after too many have failed."""

import json
import uuid
from typing import Any

import pytest

from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud
Json = dict[str, Any]
FAIL = {"Type": "Fail", "Error": "Broken", "Cause": "as asked"}
LONG = {"Type": "Wait", "Seconds": 3600, "End": True}
ANSWER = {"Type": "Pass", "Output": "{% $states.input %}", "End": True}
BY_ITEM = {
    "Type": "Choice",
    "Choices": [
        {"Condition": "{% $states.input.does = 'fail' %}", "Next": "Fail"},
        {"Condition": "{% $states.input.does = 'wait' %}", "Next": "Wait"},
    ],
    "Default": "Answer",
}
CHILD = {"StartAt": "Choose", "States": {"Choose": BY_ITEM, "Fail": FAIL, "Wait": LONG, "Answer": ANSWER}}


def a_map(child: Json = CHILD, **fields: Any) -> Json:
    """Return a Map over the input's items."""
    mode = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemProcessor": {**mode, **child},
        "End": True,
        **fields,
    }


def start(bench: Workbench, state: Json, items: list[Any], role: str = "", **before: Any) -> str:
    """Start an execution of that one Map, and return its ARN."""
    states = bench.cloud.client("stepfunctions")
    first = {"Type": "Pass", "Assign": {"outside": "{% 'seen' %}"}, "Next": "Each"}
    definition = {"QueryLanguage": "JSONata", "StartAt": "First", "States": {"First": first, "Each": state}}
    machine = states.create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role or bench.role()
    )["stateMachineArn"]
    asked = json.dumps({"items": items, **before})
    return str(states.start_execution(stateMachineArn=machine, input=asked)["executionArn"])


def end_of(bench: Workbench, arn: str) -> Json:
    def ended() -> Json | None:
        answer: Json = bench.cloud.client("stepfunctions").describe_execution(executionArn=arn)
        return answer if answer["status"] != "RUNNING" else None

    return wait_for(ended, "the end of the execution")


def test_a_child_gets_what_the_selector_makes_of_its_item(bench: Workbench) -> None:
    selector = {"number": "{% $states.context.Map.Item.Index %}", "item": "{% $states.context.Map.Item.Value.n %}"}
    ended = end_of(bench, start(bench, a_map(ItemSelector=selector), [{"n": "a"}, {"n": "b"}]))
    assert json.loads(ended["output"]) == [{"number": 0, "item": "a"}, {"number": 1, "item": "b"}]


def test_a_child_does_not_see_the_variables_around_it(bench: Workbench) -> None:
    look = {"Type": "Pass", "Output": "{% $exists($outside) %}", "End": True}
    ended = end_of(bench, start(bench, a_map({"StartAt": "Look", "States": {"Look": look}}), [{}]))
    assert json.loads(ended["output"]) == [False]


def test_as_many_may_fail_as_are_tolerated(bench: Workbench) -> None:
    items = [{"does": "fail"}, {"does": "answer"}]
    ended = end_of(bench, start(bench, a_map(ToleratedFailureCount="{% $states.input.most %}"), items, most=1))
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])[0] == {"Error": "Broken", "Cause": "as asked"}


def test_one_more_ends_the_map_although_others_go_on(bench: Workbench) -> None:
    items = [{"does": "wait"}, {"does": "fail"}, {"does": "answer"}]
    ended = end_of(bench, start(bench, a_map(MaxConcurrency="{% $states.input.most %}"), items, most=2))
    assert ended["error"] == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize("unknown", ["ItemReader", "ItemBatcher", "ResultWriter", "ToleratedFailurePercentage"])
def test_what_is_not_here_says_so(bench: Workbench, unknown: str) -> None:
    value: Any = 5 if unknown.startswith("Tolerated") else {}
    ended = end_of(bench, start(bench, a_map() | {unknown: value}, [{}]))
    assert (ended["error"], ended["cause"]) == ("States.Runtime", f"{unknown} is not there in the local cloud")


def test_nothing_more_is_started_after_the_execution_was_stopped(bench: Workbench) -> None:
    states = bench.cloud.client("stepfunctions")
    empty = {"QueryLanguage": "JSONata", "StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    other = states.create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}", definition=json.dumps(empty), roleArn=bench.role()
    )["stateMachineArn"]
    begin = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {"StateMachineArn": other, "Name": "{% $states.input.name %}", "Input": {}},
        "Next": "Wait",
    }
    arn = start(
        bench,
        a_map({"StartAt": "Begin", "States": {"Begin": begin, "Wait": LONG}}, MaxConcurrency=1),
        [{"name": "first"}, {"name": "second"}],
        role=bench.role({"Effect": "Allow", "Action": "states:StartExecution", "Resource": other}),
    )

    def begun() -> list[str]:
        return [run["name"] for run in states.list_executions(stateMachineArn=other)["executions"]]

    wait_for(lambda: begun() == ["first"], "the first child")
    states.stop_execution(executionArn=arn)
    # As long as the first child waits, and a little longer.
    assert end_of(bench, start(bench, a_map(), [{"does": "wait"}]))["status"] == "SUCCEEDED"
    assert begun() == ["first"]


def test_a_child_may_do_what_its_machines_role_may(bench: Workbench) -> None:
    look = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution",
        "Arguments": {"ExecutionArn": "{% $states.input %}"},
        "Output": "{% $states.result.Status %}",
        "End": True,
    }
    one = a_map({"StartAt": "Look", "States": {"Look": look}})
    itself = start(bench, a_map(), [])
    end_of(bench, itself)
    allowed = bench.role({"Effect": "Allow", "Action": "states:DescribeExecution", "Resource": itself})
    ended = end_of(bench, start(bench, one, [itself], role=allowed))
    assert json.loads(ended["output"]) == ["SUCCEEDED"]
    refused = end_of(bench, start(bench, {**one, "ToleratedFailureCount": 1}, [itself]))
    assert json.loads(refused["output"])[0]["Error"] == "Sfn.SfnException"


def test_what_is_not_found_has_the_name_of_the_sdks_exception(bench: Workbench) -> None:
    nobodys = "arn:aws:states:us-west-2:123456789012:execution:nobodys:run"
    look = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution",
        "Arguments": {"ExecutionArn": nobodys},
        "End": True,
    }
    one = a_map({"StartAt": "Look", "States": {"Look": look}}, ToleratedFailureCount=1)
    allowed = bench.role({"Effect": "Allow", "Action": "states:DescribeExecution", "Resource": "*"})
    ended = end_of(bench, start(bench, one, [{}], role=allowed))
    assert json.loads(ended["output"])[0]["Error"] == "Sfn.ExecutionDoesNotExistException"
