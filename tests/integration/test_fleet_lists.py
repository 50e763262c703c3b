"""A fleet whose list is in S3: read and judged by the state machine itself, as a schedule's has to be."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import TARGET_REGION
from tests.integration.conftest import SPEED
from tests.integration.stage.fleets import Execution, end_of, start_fleet
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for

BUCKET = f"aurora-restore-lambda-code-{ACCOUNT_ID}-{TARGET_REGION}"
TWO = [{"target": {"cluster_id": f"listed-{name}"}} for name in ("one", "two")]


def put(world: World, key: str, content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    world.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    return f"s3://{BUCKET}/{key}"


def run_list(world: World, name: str, place: str, **more: object) -> Execution:
    return end_of(world, start_fleet(world, name, {"operations_from": place, "dry_run": True, **more}))


def message(world: World, name: str) -> str:
    [found] = [item for item in world.mailbox.messages() if f"fleet {name}" in item.subject]
    return f"{found.subject}\n{found.text}"


@story
def long_list(world: World) -> Execution:
    """Four plans, of which each has 80 KB: more than StartExecution takes."""
    checks = [{"name": f"n{n}", "database": "d", "sql": "SELECT " + "1" * 3900, "at_least": 1} for n in range(20)]
    requests = [{"target": {"cluster_id": f"long-{number}"}, "checks": checks} for number in range(4)]
    assert len(json.dumps(requests)) > 300_000
    return run_list(world, "long", put(world, "fleets/long.json", requests))


@pytest.fixture
def slow_machine(world: World) -> Iterator[str]:
    """The state machine of fleets, with time between the judgement of a list and its first run."""
    states = world.client("stepfunctions")
    fleets = world.deployment.state_machine_arn.replace("-pipeline", "-fleet")
    original = states.describe_state_machine(stateMachineArn=fleets)
    machine = json.loads(original["definition"])
    machine["States"]["Pause"] = {"Type": "Wait", "Seconds": round(5 * SPEED), "Next": "Restore Each of the List"}
    machine["States"]["Is the List Right?"]["Choices"][1]["Next"] = "Pause"
    made = states.create_state_machine(
        name="aurora-restore-fleet-slow", definition=json.dumps(machine), roleArn=original["roleArn"]
    )["stateMachineArn"]
    yield made
    states.delete_state_machine(stateMachineArn=made)


def test_a_list_may_be_longer_than_an_input(world: World, long_list: Execution) -> None:
    assert long_list["status"] == "SUCCEEDED", long_list
    verdict = json.loads(long_list["output"])["verdict"]
    assert verdict == "4 of 4 planned, 0 failed, 0 still under way, 0 not started"
    rows = [world.row(f"long-00{number}") for number in (1, 2, 3, 4)]
    assert [row and row["request"]["target"]["cluster_id"] for row in rows] == [f"long-{number}" for number in range(4)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"operations": TWO}, "operations_from: found no list in PLACE (States.ItemReaderFailed: "),
        ("[", "operations_from: found no list in PLACE (States.ItemReaderFailed: "),
        ([], "operations_from: found no requests in PLACE; expected 1 to 500"),
        ([{}] * 502, "operations_from: found more than 500 requests in PLACE; expected 1 to 500"),
        ([TWO[0], 7], "operations_from[1]: found something that is no JSON object; expected requests, as a single run"),
        ([*TWO, TWO[0]], "operations_from: found listed-one more than once; expected each target once"),
    ],
    ids=["an object", "half a list", "empty", "too long", "no request", "a target twice"],
)
def test_a_list_that_makes_no_sense_starts_nothing_and_is_told(world: World, content: object, problem: str) -> None:
    name = f"odd-list-{abs(hash(problem + str(content)[:9])) % 10**8}"
    place = put(world, f"fleets/{name}.json", content)
    ended = run_list(world, name, place)
    assert ended["error"] == "InvalidRequest"
    assert problem.replace("PLACE", place) in ended["cause"]
    assert world.row(f"{name}-001") is None
    told = message(world, name)
    assert told.startswith(f"Aurora restore: refused, fleet {name}\nFleet {name} was refused; nothing was started.\n")
    assert problem.replace("PLACE", place) in told


@pytest.mark.parametrize("key", ["fleets/gone.json", "elsewhere/list.json"])
def test_a_list_that_may_not_be_read_starts_nothing(world: World, key: str) -> None:
    place = put(world, key, TWO) if key.startswith("elsewhere") else f"s3://{BUCKET}/{key}"
    ended = run_list(world, f"no-list-{key[:4]}", place)
    assert ended["error"] == "InvalidRequest"
    assert f"operations_from: found no list in {place} (States.ItemReaderFailed: Access Denied" in ended["cause"]


def test_what_was_written_after_the_list_was_judged_is_not_started(world: World, slow_machine: str) -> None:
    states, place = world.client("stepfunctions"), put(world, "fleets/changing.json", TWO)
    asked = json.dumps({"operations_from": place, "dry_run": True, "tolerated_failures": 5})
    arn = states.start_execution(stateMachineArn=slow_machine, name="changing", input=asked)["executionArn"]
    wait_for(lambda: "Pause" in _entered(states, arn), "the pause after the judgement")
    other = {"target": {"cluster_id": "listed-other"}}
    put(world, "fleets/changing.json", [TWO[0], other, {"target": {"cluster_id": "listed-more"}}])

    ended = end_of(world, arn)

    verdict, line, *_ = ended["cause"].split("\n")
    assert verdict.startswith("1 of 2 planned, 0 failed, 0 still under way, 1 not started")
    assert line == "listed-two (changing-002): NOT_STARTED"
    assert [world.row(f"changing-00{number}") is not None for number in (1, 2, 3)] == [True, False, False]
    assert f"The list was {place}; what was written there after the fleet had read it" in message(world, "changing")


def _entered(states: Any, arn: str) -> list[str]:
    events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
