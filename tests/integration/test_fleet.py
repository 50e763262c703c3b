"""Many targets at once: each is a run of its own, and one message tells how all of them ended."""

import json
from dataclasses import dataclass

import pytest

from tests.integration.stage.fleets import Execution, end_of, start_fleet
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for
from tooling.environments import REPOSITORY


@dataclass(frozen=True)
class Fleet:
    """A fleet that has ended, and the runs that it started."""

    name: str
    execution: Execution
    runs: list[Outcome]

    def message(self, world: World) -> tuple[str, str]:
        [found] = [item for item in world.mailbox.messages() if f"fleet {self.name}" in item.subject]
        return found.subject, found.text


@story
def fleet_of_three(world: World) -> Fleet:
    for name in ("fleet-one", "fleet-two"):
        world.old_target(name)
    world.old_target("fleet-not-ours", tags={})
    targets = ("fleet-one", "fleet-not-ours", "fleet-two")
    request = {
        "operations": [{"target": {"cluster_id": target}} for target in targets],
        "max_concurrency": 2,
        "tolerated_failures": 1,
    }
    execution = end_of(world, start_fleet(world, "weekly", request))
    runs = [world.end_of(f"weekly-00{number}", target) for number, target in enumerate(targets, 1)]
    return Fleet("weekly", execution, runs)


@story
def fleet_that_fails(world: World) -> Execution:
    request = {"operations": [{"nonsense": number} for number in range(4)], "max_concurrency": 1}
    return end_of(world, start_fleet(world, "failing", request))


@story
def fleet_whose_name_is_taken(world: World) -> Execution:
    world.run({"dry_run": True, "target": {"cluster_id": "fleet-planned"}}, "taken-001")
    request = {"operations": [{"dry_run": True, "target": {"cluster_id": "fleet-planned"}}]}
    return end_of(world, start_fleet(world, "taken", request))


def test_each_target_is_restored_by_a_run_of_its_own(fleet_of_three: Fleet) -> None:
    assert [run.status for run in fleet_of_three.runs] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert fleet_of_three.runs[1].error == "TargetNotReplaceable"
    assert fleet_of_three.execution["status"] == "SUCCEEDED"
    output = json.loads(fleet_of_three.execution["output"])
    assert output["verdict"] == "2 of 3 restored, 1 failed, 0 still under way, 0 not started"
    assert output["message"] == "sent"


def test_one_message_names_what_failed_and_why(world: World, fleet_of_three: Fleet) -> None:
    subject, text = fleet_of_three.message(world)
    assert subject == "Aurora restore: 2 of 3 restored, fleet weekly"
    first, failed, _, last = text.split("\n")
    assert first == "Fleet weekly: 2 of 3 restored, 1 failed, 0 still under way, 0 not started."
    assert failed.startswith("fleet-not-ours (weekly-002): FAILED TargetNotReplaceable: target.cluster_id: found ")
    assert last == "More: ./restore.sh fleet show weekly"


@pytest.mark.parametrize(
    ("machine", "options"), [("aurora-restore-fleet", ""), ("aurora-restore-staging-fleet", " --env staging")]
)
def test_its_last_line_leads_to_the_environment_of_the_fleet(world: World, machine: str, options: str) -> None:
    states = world.client("stepfunctions")
    own = json.loads((REPOSITORY / "statemachine/aurora_restore_fleet.asl.json").read_text())["States"]
    assert "'More: ./restore.sh fleet show' & $options & ' '" in own["Tell"]["Arguments"]["Message"]
    expression = own["Say How It Ended"]["Assign"]["options"].replace("StateMachine.Name", "Execution.Input.machine")
    tell = {"Type": "Pass", "Output": expression, "End": True}
    machine_arn = states.create_state_machine(
        name="names-of-fleets",
        roleArn=states.describe_state_machine(stateMachineArn=world.deployment.state_machine_arn)["roleArn"],
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Tell", "States": {"Tell": tell}}),
    )["stateMachineArn"]
    started = states.start_execution(stateMachineArn=machine_arn, input=json.dumps({"machine": machine}))
    ended = wait_for(lambda: states.describe_execution(executionArn=started["executionArn"]).get("output"), "an output")
    states.delete_state_machine(stateMachineArn=machine_arn)
    assert json.loads(ended) == options


def test_when_more_fail_than_are_tolerated_no_further_run_is_started(world: World, fleet_that_fails: Execution) -> None:
    assert (fleet_that_fails["status"], fleet_that_fails["error"]) == ("FAILED", "FleetNotRestored")
    verdict, first, *others = fleet_that_fails["cause"].split("\n")
    assert verdict == "0 of 4 restored, 1 failed, 0 still under way, 3 not started (message sent)"
    assert first.startswith(" (failing-001): FAILED InvalidRequest: ")
    assert others == [f" (failing-00{number}): NOT_STARTED" for number in (2, 3, 4)]
    assert [world.row(f"failing-00{number}") is not None for number in (1, 2, 3, 4)] == [True, False, False, False]


def test_a_run_of_before_is_not_taken_for_one_of_the_fleets(fleet_whose_name_is_taken: Execution) -> None:
    verdict, line = fleet_whose_name_is_taken["cause"].split("\n")
    assert verdict == "0 of 1 planned, 0 failed, 0 still under way, 1 not started (message sent)"
    assert line == "fleet-planned (taken-001): NOT_STARTED NameIsTaken: another run has had this name"


@pytest.mark.parametrize(
    ("request_of_a_fleet", "problem"),
    [
        ({}, "operations: found nothing; expected a list of requests"),
        ({"operations": {"dry_run": True}}, "operations: found a value that is no list; expected a list of requests"),
        ({"operations": []}, "operations: found 0 requests; expected 1 to 500"),
        ({"operations": [{}] * 501}, "operations: found 501 requests; expected 1 to 500"),
        (
            {"operations": [{}, 7]},
            "operations[1]: found something that is no JSON object; expected requests, as a single run takes them",
        ),
        (
            {"operations": [{}], "max_concurrency": 0, "tolerated_failures": 0.5},
            "max_concurrency: found 0; expected a whole number from 1 to 500; "
            "tolerated_failures: found 0.5; expected a whole number from 0 to 500",
        ),
        (
            {"operations": [{}], "concurrency": 3},
            "found the fields concurrency; expected operations, operations_from, dry_run, max_concurrency, "
            "tolerated_failures",
        ),
        (
            {"operations": [{"target": {"cluster_id": name}} for name in ("one", "Two", "two")]},
            "operations: found two more than once; expected each target once",
        ),
        (
            {"operations": [{}], "operations_from": "s3://lists/a.json", "dry_run": "yes"},
            "operations_from: found a list in S3 and one in operations; expected one of them; "
            "dry_run: found yes; expected true or false",
        ),
        (
            {"operations_from": "https://lists/a.json"},
            "operations_from: found https://lists/a.json; expected s3://bucket/key of a JSON list of requests",
        ),
    ],
    ids=[
        "nothing",
        "no list",
        "an empty list",
        "too many",
        "no requests",
        "numbers",
        "an unknown field",
        "a target twice",
        "two lists",
        "no place in S3",
    ],
)
def test_a_fleet_that_makes_no_sense_starts_nothing(world: World, request_of_a_fleet: object, problem: str) -> None:
    name = f"senseless-{abs(hash(problem)) % 10**8}"
    ended = end_of(world, start_fleet(world, name, request_of_a_fleet))
    assert (ended["error"], ended["cause"]) == ("InvalidRequest", f"{problem}; nothing was started")
    assert world.row(f"{name}-001") is None
