"""The local Step Functions waits for a task token as AWS does: for whom, how long, and who may answer."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud
# Puts the token where the test finds it, as SNS Notification puts it into the table of approvals; without boto3.
ASK = """
import os, time
def handler(event, context):
    if event.get("fails"):
        raise ValueError("nobody could be asked")
    with open(event["place"] + ".part", "w") as file:
        file.write(event["token"])
    os.replace(event["place"] + ".part", event["place"])
    if event.get("fails_late"):
        while os.path.exists(event["place"]):
            time.sleep(0.05)
        raise ValueError("somebody had been asked")
"""


@dataclass
class Asking:
    """A state machine whose one task waits for an answer, and who may start it."""

    cloud: LocalCloud
    arn: str
    place: Path

    def start(self, **more: Any) -> str:
        self.place.unlink(missing_ok=True)
        wanted = {"place": str(self.place), "seconds": 500_000, **more}
        states = self.cloud.client("stepfunctions")
        return str(states.start_execution(stateMachineArn=self.arn, input=json.dumps(wanted))["executionArn"])

    def token(self) -> str:
        return wait_for(lambda: self.place.read_text() if self.place.exists() else None, "the token")

    def end_of(self, execution: str) -> dict[str, Any]:
        states = self.cloud.client("stepfunctions")

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return wait_for(ended, "the end of the execution")


@pytest.fixture(scope="module")
def asking(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Asking:
    bench, name = Workbench(cloud), f"asking-{uuid.uuid4().hex[:8]}"
    role = bench.role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "TimeoutSeconds": "{% $states.input.seconds %}",
        "Arguments": {
            "FunctionName": bench.function(ASK, role),
            "Payload": "{% $merge([$states.input, {'token': $states.context.Task.Token}]) %}",
        },
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": task}}
    states = cloud.client("stepfunctions")
    arn = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    return Asking(cloud, arn, tmp_path_factory.mktemp("asking") / "token")


def test_an_answer_is_the_output_of_the_task_and_a_second_one_is_refused(asking: Asking) -> None:
    execution, states = asking.start(), asking.cloud.client("stepfunctions")
    token = asking.token()

    states.send_task_success(taskToken=token, output='{"approved": true}')

    with pytest.raises(ClientError, match=r"TaskTimedOut|TaskDoesNotExist"):
        states.send_task_success(taskToken=token, output='{"approved": false}')
    ended = asking.end_of(execution)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"approved": True})
    with pytest.raises(ClientError, match=r"TaskDoesNotExist|TaskTimedOut|InvalidToken"):
        states.send_task_success(taskToken=token, output="{}")


def test_a_task_that_nobody_answers_ends_at_its_limit_an_expression_in_scaled_time(
    asking: Asking,
) -> None:
    ended = asking.end_of(asking.start(seconds=1000))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


def test_a_call_that_fails_ends_the_task_and_nobody_waits(asking: Asking) -> None:
    ended = asking.end_of(asking.start(fails=True))
    assert (ended["status"], ended["error"]) == ("FAILED", "ValueError")


def test_an_answer_counts_although_the_call_that_asked_fails_afterwards(asking: Asking) -> None:
    execution, states = asking.start(fails_late=True), asking.cloud.client("stepfunctions")
    states.send_task_success(taskToken=asking.token(), output='{"approved": true}')
    asking.place.unlink()
    ended = asking.end_of(execution)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"approved": True})


def test_with_its_execution_the_waiting_ends_and_an_answer_comes_too_late(asking: Asking) -> None:
    execution, states = asking.start(), asking.cloud.client("stepfunctions")
    token = asking.token()

    states.stop_execution(executionArn=execution)

    with pytest.raises(ClientError, match="TaskTimedOut"):
        states.send_task_success(taskToken=token, output="{}")
    assert asking.end_of(execution)["status"] == "ABORTED"


def test_who_may_answer_for_another_state_machine_may_not_for_this_one(asking: Asking) -> None:
    execution = asking.start()
    token, bench = asking.token(), Workbench(asking.cloud)
    endpoint = asking.cloud.environment()["AWS_ENDPOINT_URL"]

    def client(resource: str) -> Any:
        role = bench.role({"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": resource})
        named: Any = bench.session(role)
        return boto3.client("stepfunctions", region_name="us-west-2", endpoint_url=endpoint, **named)

    with pytest.raises(ClientError, match="AccessDenied"):
        client(f"{asking.arn}-other").send_task_success(taskToken=token, output="{}")
    assert asking.cloud.client("stepfunctions").describe_execution(executionArn=execution)["status"] == "RUNNING"
    client(asking.arn).send_task_success(taskToken=token, output="{}")
    assert asking.end_of(execution)["status"] == "SUCCEEDED"
