"""Executions end at their limit, are started once and redriven from their last state; EventBridge hears of ends."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import SHORTEST_WAIT_SECONDS, LocalCloud
from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud

# Fails until the execution was redriven as often as it wants.
CODE = """
def handler(event, context):
    if event["redriven"] < event["wanted"]:
        raise RuntimeError("not yet")
    return event
"""
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Output": "{% $states.result.Payload %}",
}


@dataclass
class Machine:
    """A state machine of one path, and a queue that hears of its ends."""

    cloud: LocalCloud
    arn: str
    queue: str

    def start(self, *, wait: int, redrives_wanted: int = 0) -> str:
        states = self.cloud.client("stepfunctions")
        given = json.dumps({"wait": wait, "wanted": redrives_wanted})
        return str(states.start_execution(stateMachineArn=self.arn, input=given)["executionArn"])

    def end_of(self, execution: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            answer: dict[str, Any] = self.cloud.client("stepfunctions").describe_execution(executionArn=execution)
            return answer if answer["status"] != "RUNNING" else None

        return wait_for(look, "the end of the execution")

    def states_of(self, execution: str) -> list[str]:
        events = self.cloud.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]

    def told(self) -> dict[str, Any]:
        """What EventBridge said last of an end without success."""
        sqs = self.cloud.client("sqs")

        def receive() -> dict[str, Any] | None:
            messages = sqs.receive_message(QueueUrl=self.queue).get("Messages", [])
            for message in messages:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(messages[0]["Body"]) if messages else None

        return wait_for(receive, "word of EventBridge")


@pytest.fixture(scope="module")
def machine(cloud: LocalCloud) -> Machine:
    bench, name = Workbench(cloud), f"machine-{uuid.uuid4().hex[:8]}"
    role = bench.role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"})
    redriven = "{% $exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0 %}"
    wanted = "{% $states.context.Execution.Input.wanted %}"
    payload = {"count": "{% $counted %}", "redriven": redriven, "wanted": wanted}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "First",
        "TimeoutSeconds": 20_000,
        "States": {
            "First": TASK
            | {
                "Arguments": {
                    "FunctionName": bench.function("def handler(event, context):\n    return event", role),
                    "Payload": {"wait": "{% $states.context.Execution.Input.wait %}"},
                },
                "Assign": {"counted": 41},
                "Next": "Pause",
            },
            "Pause": {
                "Type": "Wait",
                "Seconds": "{% $states.input.wait %}",
                "Next": "Last",
            },
            "Last": TASK
            | {
                "Arguments": {"FunctionName": bench.function(CODE, role), "Payload": payload},
                "Next": "Each",
            },
            "Each": {
                "Type": "Map",
                "Items": [1],
                "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
                "Output": "{% $states.input %}",
                "Next": "Enough?",
            },
            "Enough?": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.count = 41 %}", "Next": "Done"}],
                "Default": "Failed",
            },
            "Done": {"Type": "Succeed"},
            "Failed": {"Type": "Fail", "Error": "Other"},
        },
    }
    states = cloud.client("stepfunctions")
    arn = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    queue = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    events = cloud.client("events")
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [arn]},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    queue_arn = f"arn:aws:sqs:us-west-2:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue_arn}])
    return Machine(cloud, str(arn), str(queue))


def test_an_execution_ends_at_its_time_limit_and_word_goes_out(machine: Machine) -> None:
    execution = machine.start(wait=90_000)
    assert machine.end_of(execution)["status"] == "TIMED_OUT"
    word = machine.told()
    assert (word["detail"]["status"], word["detail"]["executionArn"]) == ("TIMED_OUT", execution)
    assert (word["detail"]["redriveCount"], word["detail"]["redriveStatus"]) == (0, "REDRIVABLE")


def test_a_stopped_execution_goes_on_from_the_state_it_was_in(machine: Machine) -> None:
    states = machine.cloud.client("stepfunctions")
    execution = machine.start(wait=3000)
    wait_for(lambda: "Pause" in machine.states_of(execution), "the pause")
    states.stop_execution(executionArn=execution)
    assert machine.told()["detail"]["status"] == "ABORTED"

    states.redrive_execution(executionArn=execution)

    end = machine.end_of(execution)
    assert (end["status"], end["redriveCount"]) == ("SUCCEEDED", 1)
    assert machine.states_of(execution) == ["First", "Pause", "Pause", "Last", "Each", "Enough?", "Done"]
    assert json.loads(end["output"]) == {"count": 41, "redriven": 1, "wanted": 0}


def test_a_failed_execution_goes_on_with_the_step_that_failed(machine: Machine) -> None:
    execution = machine.start(wait=1, redrives_wanted=2)
    assert machine.end_of(execution)["status"] == "FAILED"
    assert machine.told()["detail"]["redriveCount"] == 0
    states = machine.cloud.client("stepfunctions")
    states.redrive_execution(executionArn=execution)
    assert machine.end_of(execution)["status"] == "FAILED"
    assert machine.told()["detail"]["redriveCount"] == 1

    states.redrive_execution(executionArn=execution)

    end = machine.end_of(execution)
    assert (end["status"], end["redriveCount"]) == ("SUCCEEDED", 2)
    assert machine.states_of(execution) == ["First", "Pause", "Last", "Last", "Last", "Each", "Enough?", "Done"]


def test_what_succeeded_or_is_not_there_is_not_redriven(machine: Machine) -> None:
    states = machine.cloud.client("stepfunctions")
    execution = machine.start(wait=1)
    assert machine.end_of(execution)["redriveStatus"] == "NOT_REDRIVABLE"
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        states.redrive_execution(executionArn=execution)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        states.redrive_execution(executionArn=execution + "-unknown")


def test_a_start_is_answered_once_more_while_the_execution_of_that_name_and_input_runs(machine: Machine) -> None:
    """StartExecution in the API reference: idempotent for standard workflows, until the execution is closed."""
    states, name = machine.cloud.client("stepfunctions"), f"once-{uuid.uuid4().hex[:8]}"
    asked = {"stateMachineArn": machine.arn, "name": name, "input": json.dumps({"wait": 3000, "wanted": 0})}
    first = states.start_execution(**asked)
    again = states.start_execution(**asked)
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    assert [item["name"] for item in states.list_executions(stateMachineArn=machine.arn)["executions"]].count(name) == 1
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(**asked | {"input": json.dumps({"wait": 1, "wanted": 0})})
    states.stop_execution(executionArn=first["executionArn"])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(**asked)


def test_a_wait_leaves_others_time_however_fast_time_runs(machine: Machine, cloud: LocalCloud) -> None:
    execution = machine.start(wait=15)  # 15 ms
    assert machine.end_of(execution)["status"] == "SUCCEEDED"
    events = cloud.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    [entered], [exited] = (
        [event["timestamp"] for event in events if event["type"] == kind]
        for kind in ("WaitStateEntered", "WaitStateExited")
    )
    assert (exited - entered).total_seconds() > SHORTEST_WAIT_SECONDS * 0.9
