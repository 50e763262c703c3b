"""The state machine of fleets: it starts runs and looks at them, and nothing that becomes of it stops one."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.conventions.cfn_yaml import REPOSITORY, as_list, load_template, statements

MACHINE: dict[str, Any] = json.loads((REPOSITORY / "statemachine/aurora_restore_fleet.asl.json").read_text())
STACK = load_template("infrastructure/stepfunctions.yaml")["Resources"]
State = dict[str, Any]


def states_of(machine: State) -> Iterator[tuple[str, State]]:
    for name, state in machine["States"].items():
        yield name, state
        if state["Type"] == "Map":
            yield from states_of(state["ItemProcessor"])


STATES = dict(states_of(MACHINE))
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def test_it_starts_runs_without_owning_them() -> None:
    assert {state["Resource"] for state in TASKS.values()} == {
        "arn:aws:states:::states:startExecution",
        "arn:aws:states:::aws-sdk:sfn:describeExecution",
        "arn:aws:states:::aws-sdk:sns:publish",
    }


def test_its_role_may_stop_no_run() -> None:
    rights = statements(STACK["FleetRole"]["Properties"])
    stopping = [statement for statement in rights if "states:StopExecution" in as_list(statement["Action"])]
    assert [statement["Sid"] for statement in stopping] == ["LookAfterItsMap"]
    assert stopping[0]["Resource"]["Fn::Sub"].endswith(":execution:aurora-restore-fleet/*")


def test_its_role_has_what_a_distributed_map_asks_for_at_least() -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    rights = {statement["Sid"]: statement for statement in statements(STACK["FleetRole"]["Properties"])}
    assert rights["RunItsMap"]["Action"] == "states:StartExecution"
    assert rights["RunItsMap"]["Resource"]["Fn::Sub"].endswith(":stateMachine:aurora-restore-fleet")
    assert rights["LookAtItself"]["Action"] == "states:DescribeExecution"
    assert rights["LookAtItself"]["Resource"]["Fn::Sub"].endswith(":execution:aurora-restore-fleet:*")


def test_its_role_is_lent_to_the_machine_and_to_its_maps_and_to_no_other() -> None:
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html: machine/mapStateLabel
    [trust] = STACK["FleetRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    lent = [arn["Fn::Sub"].rpartition(":")[2] for arn in trust["Condition"]["ArnLike"]["aws:SourceArn"]]
    assert lent == ["aurora-restore-fleet", "aurora-restore-fleet/*"]


def test_how_many_at_a_time_and_how_many_may_fail_is_for_the_request_to_say() -> None:
    each = STATES["Restore Each"]
    assert each["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert each["MaxConcurrency"] == "{% $max_concurrency %}"
    assert each["ToleratedFailureCount"] == "{% $tolerated_failures %}"
    assigned = STATES["Read the Request"]["Assign"]
    assert assigned["max_concurrency"].endswith("? $states.input.max_concurrency : 20 %}")
    assert assigned["tolerated_failures"].endswith("? $states.input.tolerated_failures : 0 %}")


def test_a_list_in_s3_is_restored_as_one_in_the_request_is() -> None:
    inline, listed = STATES["Restore Each"], STATES["Restore Each of the List"]
    own = {"Comment", "Items", "ItemReader", "ItemSelector", "ItemProcessor", "Label"}
    assert {key: inline[key] for key in inline.keys() - own} == {key: listed[key] for key in listed.keys() - own}
    read = dict(listed["ItemSelector"])
    assert "$hash($string($states.context.Map.Item.Value), 'SHA-256') != $read" in read.pop("has_changed")
    assert inline["ItemSelector"] == read
    runs = list(listed["ItemProcessor"]["States"].items())
    (asked, question), *runs, (changed, _) = runs
    assert listed["ItemProcessor"]["StartAt"] == asked
    assert ([way["Next"] for way in question["Choices"]], question["Default"]) == ([changed], runs[0][0])
    # A state's name is there once in a state machine, so each of these has a name of its own, and nothing else.
    names = dict(zip((name for name, _ in runs), inline["ItemProcessor"]["States"], strict=True))
    renamed = {names[name]: with_names(state, names) for name, state in runs}
    assert renamed == inline["ItemProcessor"]["States"]


def with_names(part: Any, names: dict[str, str]) -> Any:
    """Return a part of a definition whose transitions go to other names."""
    if isinstance(part, dict):
        return {
            key: names[value] if key in ("Next", "Default") else with_names(value, names) for key, value in part.items()
        }
    return [with_names(item, names) for item in part] if isinstance(part, list) else part


def test_a_list_is_read_whole_and_judged_before_a_run_is_started() -> None:
    reading = STATES["Read the List"]
    assert reading["ItemReader"] == STATES["Restore Each of the List"]["ItemReader"]
    assert reading["ItemReader"]["ReaderConfig"] == {"InputType": "JSON", "MaxItems": 501}  # one more than it may have
    assert [state["Type"] for state in reading["ItemProcessor"]["States"].values()] == ["Pass"]
    assert (reading["Next"], STATES["Judge the List"]["Next"]) == ("Judge the List", "Is the List Right?")
    assert [way["Next"] for way in reading["Catch"]] == ["Tell That It Is Refused"]


def test_a_fleet_that_is_refused_is_told_too() -> None:
    for name in ("Is the Request Right?", "Is the List Right?"):
        assert STATES[name]["Choices"][0]["Next"] == "Tell That It Is Refused"
    telling = STATES["Tell That It Is Refused"]
    assert {telling["Next"], *(way["Next"] for way in telling["Catch"])} == {"Invalid Request"}


def test_every_task_has_a_time_limit_and_is_tried_again() -> None:
    for name, task in TASKS.items():
        assert task["TimeoutSeconds"] == 60, name
        [retrier] = task["Retry"]
        assert "States.Timeout" in retrier["ErrorEquals"], name
        assert (retrier["JitterStrategy"], retrier["BackoffRate"]) == ("FULL", 2), name
        assert retrier["MaxAttempts"] >= 8, name


def test_a_refusal_to_start_is_known_by_every_name_that_step_functions_gives_it() -> None:
    # The optimised integration names what is not modelled after the first SDK for Java: AWS.. and its service.
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html has ExecutionLimitExceeded.
    wanted = {"AWSStepFunctionsException", "SfnException", "SdkClientException", "ExecutionLimitExceeded"}
    for name, task in TASKS.items():
        if task["Resource"].endswith(":states:startExecution"):
            assert {f"StepFunctions.{error}" for error in wanted} <= set(task["Retry"][0]["ErrorEquals"]), name


def test_a_run_that_was_started_before_is_looked_at() -> None:
    known, other = STATES["Start the Run"]["Catch"]
    assert known["ErrorEquals"] == ["StepFunctions.ExecutionAlreadyExistsException"]
    assert known["Next"] == "Look at the Run"
    assert (other["ErrorEquals"], other["Next"]) == (["States.ALL"], "Not Started")


def test_whatever_becomes_of_the_map_all_runs_are_looked_at_and_told() -> None:
    each = STATES["Restore Each"]
    assert each["Next"] == "Look at All"
    assert [(way["ErrorEquals"], way["Next"]) for way in each["Catch"]] == [(["States.ALL"], "Look at All")]
    assert [way["Next"] for way in STATES["Tell"]["Catch"]] == [STATES["Tell"]["Next"]]


def test_a_child_reads_nothing_but_its_input() -> None:
    # A distributed Map's children do not see the variables of the execution around them.
    inner = json.dumps(STATES["Restore Each"]["ItemProcessor"])
    own, functions = {"states", "execution", "since", "looks"}, {"replace", "not", "toMillis"}
    assert set(re.findall(r"\$([a-zA-Z_]+)", inner)) <= own | functions


def test_a_child_that_looks_for_a_week_stays_within_its_history() -> None:
    assert STATES["Wait for the Run"]["Seconds"] == "{% $looks < 720 ? 60 : 600 %}"
    looks = 720 + (7 * 86_400 - 720 * 60) / 600  # a run may take 604,800 seconds
    assert 9 * looks < 25_000  # events: two of the Wait, five of the Task, two of the Choice


def test_it_has_the_substitutions_of_its_definition() -> None:
    tokens = set(re.findall(r"\$\{(\w+)\}", json.dumps(MACHINE)))
    given = STACK["FleetStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert given == {"StateMachineArn": {"Ref": "StateMachine"}, "TopicArn": {"Ref": "TopicArn"}}
    assert tokens == set(given)
