"""A function that nobody called for weeks is not ready at first; the pipeline's own retries wait for it."""

import json
import uuid
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.ministack.state_machines.states_shims import NOT_READY, NOT_READY_TAG
from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for
from tooling.environments import REPOSITORY

pytestmark = pytest.mark.local_cloud

RETRY = json.loads((REPOSITORY / "statemachine/aurora_restore.asl.json").read_text())["States"]["Setup DB Users"][
    "Retry"
]


def end_of_a_run(bench: Workbench, times_not_ready: int) -> dict[str, Any]:
    """Run a machine whose only function is not ready so often."""
    role = bench.role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"})
    function = bench.function("def handler(event, context):\n    return event", role)
    bench.cloud.client("lambda").tag_resource(Resource=function, Tags={NOT_READY_TAG: str(times_not_ready)})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {"well": True}},
        "Output": "{% $states.result.Payload %}",
        "Retry": RETRY,
        "End": True,
    }
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": task}})
    states = bench.cloud.client("stepfunctions")
    name = f"idle-{uuid.uuid4().hex[:8]}"
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]

    def ended() -> dict[str, Any] | None:
        answer: dict[str, Any] = states.describe_execution(executionArn=execution)
        return answer if answer["status"] != "RUNNING" else None

    return wait_for(ended, "the end of the execution")


def test_a_function_that_becomes_ready_is_waited_for(cloud: LocalCloud) -> None:
    execution = end_of_a_run(Workbench(cloud), times_not_ready=9)
    assert (execution["status"], json.loads(execution.get("output", "{}"))) == ("SUCCEEDED", {"well": True})


def test_a_function_that_never_becomes_ready_fails_by_its_name(cloud: LocalCloud) -> None:
    execution = end_of_a_run(Workbench(cloud), times_not_ready=1000)
    assert (execution["status"], execution.get("error")) == ("FAILED", NOT_READY)
