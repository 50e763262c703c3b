"""Fleets, as their state machine is asked for them."""

import json
from typing import Any

from tests.integration.stage.world import RUN_SECONDS, World
from tests.waiting import wait_for

Execution = dict[str, Any]


def start_fleet(world: World, name: str, request: object) -> str:
    states, machine = world.client("stepfunctions"), world.deployment.state_machine_arn
    fleet = machine.replace("-pipeline", "-fleet")
    return str(states.start_execution(stateMachineArn=fleet, name=name, input=json.dumps(request))["executionArn"])


def end_of(world: World, arn: str) -> Execution:
    def ended() -> Execution | None:
        answer: Execution = world.client("stepfunctions").describe_execution(executionArn=arn)
        return answer if answer["status"] != "RUNNING" else None

    return wait_for(ended, f"the end of {arn}", seconds=2 * RUN_SECONDS)
