"""What AWS refuses for its form or its size, the local cloud refuses: a run that works here meets no limit there."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud
KIB = 1024


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """Return code and message of what a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def machine(cloud: LocalCloud) -> str:
    """A state machine that sends its input to a function, which answers with as many bytes as it is told to."""
    bench = Workbench(cloud)
    role = bench.role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"})
    function = bench.function("def handler(event, context):\n    return 'x' * event['bytes']", role)
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Answer",
        "States": {
            "Answer": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": function, "Payload": "{% $states.input %}"},
                "Output": "{% $states.result.Payload %}",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
                "Next": "Done",
            },
            "Done": {"Type": "Succeed"},
            "Caught": {"Type": "Succeed"},
        },
    }
    made = cloud.client("stepfunctions").create_state_machine(
        name=f"limits-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
    )
    return str(made["stateMachineArn"])


@pytest.mark.parametrize("text", ["x", "{", '{"a": 1,}', "", "{'a': 1}", '{"a": NaN}', "[-Infinity]", "[" * 9000])
def test_an_input_that_is_no_json_is_refused(cloud: LocalCloud, machine: str, text: str) -> None:
    """API reference of StartExecution, Errors: InvalidExecutionInput."""
    start = cloud.client("stepfunctions").start_execution

    assert refusal(start, stateMachineArn=machine, input=text)[0] == "InvalidExecutionInput"


def test_an_answer_to_a_task_that_is_no_json_or_too_long_is_refused(cloud: LocalCloud) -> None:
    """API reference of SendTaskSuccess, Errors: InvalidOutput; `output`: length of at most 262,144."""
    send = cloud.client("stepfunctions").send_task_success

    assert refusal(send, taskToken="any", output="{'approved': true}")[0] == "InvalidOutput"
    assert refusal(send, taskToken="any", output=json.dumps("x" * 256 * KIB))[0] == "ValidationException"


@pytest.mark.parametrize(("member", "length"), [("error", 257), ("cause", 32_769)])
def test_a_reason_is_as_short_as_aws_wants_it(cloud: LocalCloud, machine: str, member: str, length: int) -> None:
    """API reference of StopExecution and SendTaskFailure, `error` and `cause`."""
    states, reason = cloud.client("stepfunctions"), {member: "x" * length}
    execution = states.start_execution(stateMachineArn=machine, input='{"bytes": 1}')["executionArn"]

    assert refusal(states.stop_execution, executionArn=execution, **reason)[0] == "ValidationException"
    assert refusal(states.send_task_failure, taskToken="any", **reason)[0] == "ValidationException"


@pytest.mark.parametrize(
    "name", ["two words", "what?", "it's#me", "a/b", "a:b", "50%", "tab\there", "a<b", "a$b", "a&b"]
)
def test_a_name_with_a_forbidden_character_is_refused(cloud: LocalCloud, machine: str, name: str) -> None:
    """API reference of StartExecution, `name`: "A name must not contain …"; Errors: InvalidName."""
    start = cloud.client("stepfunctions").start_execution

    code, message = refusal(start, stateMachineArn=machine, name=name, input='{"bytes": 1}')

    assert code == "InvalidName"
    assert name in message


def test_a_name_of_81_characters_is_refused(cloud: LocalCloud, machine: str) -> None:
    """API reference of StartExecution, `name`: length of at most 80."""
    start = cloud.client("stepfunctions").start_execution

    assert refusal(start, stateMachineArn=machine, name="n" * 81)[0] == "ValidationException"


@pytest.mark.parametrize("name", ["nightly-2026-11-22", "refresh(2)", "it's-me!", "über_nacht"])
def test_a_name_that_aws_takes_is_taken(cloud: LocalCloud, machine: str, name: str) -> None:
    started = cloud.client("stepfunctions").start_execution(
        stateMachineArn=machine, name=f"{name}-{uuid.uuid4().hex[:6]}", input='{"bytes": 1}'
    )

    assert started["executionArn"].rpartition(":")[2].startswith(name)


def test_an_input_above_256_kib_is_refused(cloud: LocalCloud, machine: str) -> None:
    """Step Functions Developer Guide, "Service quotas": 262,144 bytes of UTF-8 for input or output."""
    start = cloud.client("stepfunctions").start_execution
    largest = json.dumps({"bytes": 1, "fill": "x" * (256 * KIB - 24)})
    assert len(largest) == 256 * KIB

    assert refusal(start, stateMachineArn=machine, input=largest + " ")[0] == "ValidationException"
    assert start(stateMachineArn=machine, input=largest)["executionArn"]


@pytest.mark.parametrize(("size", "status"), [(256 * KIB - 200, "SUCCEEDED"), (256 * KIB, "FAILED")])
def test_a_result_above_256_kib_ends_the_execution_whatever_is_caught(
    cloud: LocalCloud, machine: str, size: int, status: str
) -> None:
    """Step Functions Developer Guide, "Handling errors": States.DataLimitExceeded, which States.ALL does not catch."""
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps({"bytes": size}))["executionArn"]

    def end() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    ended = wait_for(end, "the end")

    assert (ended["status"], ended.get("error")) == (
        status,
        "States.DataLimitExceeded" if status == "FAILED" else None,
    )


@pytest.fixture
def table(cloud: LocalCloud) -> Iterator[str]:
    dynamodb, name = cloud.client("dynamodb"), f"limits-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    dynamodb.delete_table(TableName=name)


def test_an_item_above_400_kb_is_refused(cloud: LocalCloud, table: str) -> None:
    """DynamoDB Developer Guide, "Quotas": 400 KB with the attributes' names."""
    dynamodb = cloud.client("dynamodb")
    largest = {"id": {"S": "a"}, "fill": {"S": "x" * (400 * KIB - 7)}}
    dynamodb.put_item(TableName=table, Item=largest)

    larger = {**largest, "fill": {"S": "x" * (400 * KIB - 6)}}
    wanted = ("ValidationException", "Item size has exceeded the maximum allowed size")
    assert refusal(dynamodb.put_item, TableName=table, Item=larger) == wanted
    put = [{"Put": {"TableName": table, "Item": larger}}]
    assert (
        "Item size has exceeded the maximum allowed size"
        in refusal(dynamodb.transact_write_items, TransactItems=put)[1]
    )
    update = refusal(
        dynamodb.update_item,
        TableName=table,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET more = :more",
        ExpressionAttributeValues={":more": {"S": "x"}},
    )
    assert update == ("ValidationException", "Item size to update has exceeded the maximum allowed size")


def test_a_message_above_256_kib_is_refused(cloud: LocalCloud) -> None:
    """API reference of SNS Publish, `Message`: 262,144 bytes of UTF-8; with the attributes ("Message attributes")."""
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=f"limits-{uuid.uuid4().hex[:8]}")["TopicArn"]
    sns.publish(TopicArn=topic, Message="x" * 256 * KIB)

    assert refusal(sns.publish, TopicArn=topic, Message="x" * (256 * KIB + 1))[0] == "InvalidParameter"
    attributes = {"a": {"DataType": "String", "StringValue": "b"}}
    assert (
        refusal(sns.publish, TopicArn=topic, Message="x" * 256 * KIB, MessageAttributes=attributes)[0]
        == "InvalidParameter"
    )


def test_a_subject_above_100_characters_is_refused(cloud: LocalCloud) -> None:
    """API reference of SNS Publish, `Subject`: "less than 100 characters long" (100 pass), printable ASCII."""
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=f"limits-{uuid.uuid4().hex[:8]}")["TopicArn"]

    sns.publish(TopicArn=topic, Subject="s" * 100, Message="m")
    for subject in ("s" * 101, "two\nlines"):
        assert refusal(sns.publish, TopicArn=topic, Subject=subject, Message="m")[0] == "InvalidParameter"


def refused_definition(cloud: LocalCloud, start_at: str, states: dict[str, Any]) -> tuple[str, str]:
    """Return code and message with which a state machine is refused."""
    return refusal(
        cloud.client("stepfunctions").create_state_machine,
        name="never-made",
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": start_at, "States": states}),
        roleArn=Workbench(cloud).role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}),
    )


def test_a_definition_with_two_states_of_one_name_is_refused_wherever_they_are(cloud: LocalCloud) -> None:
    inner = {"StartAt": "Look", "States": {"Look": {"Type": "Pass", "End": True}}}
    each = {"Type": "Map", "Items": [1], "ItemProcessor": inner}
    states = {"First": each | {"Next": "Second"}, "Second": each | {"End": True}}
    code, message = refused_definition(cloud, "First", states)
    # The words of AWS: https://github.com/aws-cloudformation/cfn-lint/issues/3616
    assert code == "InvalidDefinition"
    assert message == "Invalid State Machine Definition: 'DUPLICATE_STATE_NAME: Duplicate State name: Look'"


def test_a_definition_that_goes_on_to_a_state_that_is_not_there_is_refused(cloud: LocalCloud) -> None:
    inner = {"StartAt": "Look", "States": {"Look": {"Type": "Pass", "Next": "Gone"}}}
    each = {"Type": "Map", "Items": [1], "ItemProcessor": inner, "End": True}
    code, message = refused_definition(cloud, "Each", {"Each": each})
    assert code == "InvalidDefinition"
    assert "MISSING_TRANSITION_TARGET: Missing 'Next' target: Gone" in message
