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


def a_map_from_s3(bucket: str, **config: Any) -> Json:
    """Return a Map over the array in the bucket's object `lists/all.json`."""
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", **config},
        "Arguments": {"Bucket": bucket, "Key": "{% $states.input.key %}"},
    }
    each = a_map({"StartAt": "Answer", "States": {"Answer": ANSWER}}, ItemReader=reader)
    del each["Items"]
    return each


def a_bucket(bench: Workbench, text: str) -> str:
    """Make a bucket with an object `lists/all.json`, and return its name."""
    name, s3 = f"bucket-{uuid.uuid4().hex[:8]}", bench.cloud.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket=name, Key="lists/all.json", Body=text.encode())
    return name


def a_reader(bench: Workbench, bucket: str, *more: str) -> str:
    """Make a role that may read the lists of a bucket."""
    get = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/lists/*"}
    return bench.role(get, *({"Effect": "Allow", "Action": action, "Resource": "*"} for action in more))


def test_items_come_from_a_json_array_in_s3_with_their_numbers(bench: Workbench) -> None:
    bucket = a_bucket(bench, json.dumps(["a", {"b": 1}, 3]))
    selector = {"at": "{% $states.context.Map.Item.Index %}", "item": "{% $states.context.Map.Item.Value %}"}
    each = a_map_from_s3(bucket, MaxItems=2) | {"ItemSelector": selector}
    ended = end_of(bench, start(bench, each, [], role=a_reader(bench, bucket), key="lists/all.json"))
    assert json.loads(ended["output"]) == [{"at": 0, "item": "a"}, {"at": 1, "item": {"b": 1}}]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('{"operations": []}', "Attempting to map over non-iterable node."),
        ("[1, 2", "Unable to parse the dataset as JSON: Expecting ',' delimiter: line 1 column 6 (char 5)"),
    ],
    ids=["an object", "half a list"],
)
def test_what_is_no_json_array_is_not_read(bench: Workbench, text: str, cause: str) -> None:
    bucket = a_bucket(bench, text)
    arn = start(bench, a_map_from_s3(bucket), [], role=a_reader(bench, bucket), key="lists/all.json")
    ended = end_of(bench, arn)
    assert (ended["error"], ended["cause"]) == ("States.ItemReaderFailed", cause)


@pytest.mark.parametrize(
    ("key", "more", "code"),
    [("others/all.json", (), "AccessDenied"), ("lists/gone.json", (), "AccessDenied"),
     ("lists/gone.json", ("s3:ListBucket",), "NoSuchKey")],
    ids=["may not read", "is not there", "is not there, for one who may list"],
)  # fmt: skip
def test_only_what_the_role_may_read_is_read(bench: Workbench, key: str, more: tuple[str, ...], code: str) -> None:
    bucket = a_bucket(bench, "[]")
    arn = start(bench, a_map_from_s3(bucket), [], role=a_reader(bench, bucket, *more), key=key)
    ended = end_of(bench, arn)
    assert ended["error"] == "States.ItemReaderFailed"
    assert f"Error Code: {code}" in ended["cause"]


def test_another_kind_of_dataset_says_that_it_is_not_here(bench: Workbench) -> None:
    bucket = a_bucket(bench, "a,b")
    ended = end_of(bench, start(bench, a_map_from_s3(bucket, InputType="CSV"), [], key="lists/all.json"))
    assert ended["cause"] == "ItemReader: only JSON by s3:getObject is in the local cloud"


@pytest.mark.parametrize("unknown", ["ItemBatcher", "ResultWriter", "ToleratedFailurePercentage"])
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
