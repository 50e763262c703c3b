"""An execution that takes longer than the state machine may is closed by the rule."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.stage.world import World
from tests.waiting import wait_for


@pytest.fixture
def ten_seconds(world: World, quiet: None) -> Iterator[None]:  # noqa: ARG001
    """Let whatever starts now time out soon, but not before it has a plan."""
    states, arn = world.client("stepfunctions"), world.deployment.state_machine_arn
    definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
    short = json.dumps(json.loads(definition) | {"TimeoutSeconds": 6000})
    states.update_state_machine(stateMachineArn=arn, definition=short)
    yield
    states.update_state_machine(stateMachineArn=arn, definition=definition)


def test_an_execution_that_times_out_is_closed_and_resumed(world: World, ten_seconds: None) -> None:  # noqa: ARG001
    world.old_target("timed-out")
    world.fault("freeze", "CopyDBClusterSnapshot", "aurora-restore-copy-timed-out-*")
    name = world.start({"target": {"cluster_id": "timed-out"}})
    arn = world.execution_arn(name)
    states = world.client("stepfunctions")
    wait_for(lambda: states.describe_execution(executionArn=arn)["status"] == "TIMED_OUT", "the time-out")
    row = wait_for(lambda: (row := world.row(name)) and row["status"] == "FAILED" and row, "the closed row")
    assert row["error"]["name"] == "ExecutionTimedOut"
    wait_for(lambda: world.row("lock#us-west-2#timed-out") is None, "the release of the lock")
    [message] = wait_for(
        lambda: [item for item in world.mailbox.messages() if name in item.text] or None, "the message"
    )
    assert message.subject == "Aurora restore of timed-out FAILED: ExecutionTimedOut"
    world.cloud.aurora_control("POST", "release", {})
