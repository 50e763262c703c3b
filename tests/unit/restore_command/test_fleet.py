"""`./restore.sh fleet`: what it asks of AWS, prints, and ends with."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from moto import mock_aws

from deployment.account import Refused
from restore_command.exit_codes import FAILED, RUNNING, SUCCEEDED, USAGE
from restore_command.fleet import commands
from tests.unit.operations import REQUEST, an_operation
from tests.unit.restore_command.desk import FLEETS, NOW, Desk, FakeStates, execution
from utils.operation.model import ExecutionRecord, Operation, OperationStatus
from utils.operation.records import OperationError

BROKEN = OperationError(name="CopyFailed", message="found failed, expected available", step="Check Copy Status")
THREE = {"operations": [{**REQUEST, "target": {"cluster_id": name}} for name in ("one", "two", "three")]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(commands, "_LOOK_SECONDS", 0.0)
    with mock_aws():
        yield


def run_of(name: str, status: OperationStatus = OperationStatus.SUCCEEDED) -> Operation:
    """Return a run that has ended, or goes on."""
    is_over = status is not OperationStatus.RUNNING
    began = NOW + timedelta(minutes=1)
    finished_at = began + timedelta(minutes=40) if is_over else None
    error = BROKEN if status is OperationStatus.FAILED else None
    return an_operation(operation_id=name).model_copy(
        update={
            "execution_arn": execution(name),
            "created_at": began,
            "status": status,
            "finished_at": finished_at,
            "error": error,
        }
    )


def a_fleet_of_three(states: FakeStates) -> Desk:
    """Return a pipeline whose newest fleet restored one, failed one, and never started the third."""
    desk = Desk(states)
    states.names = ["nightly"]
    states.started = [{"input": json.dumps(THREE)}]
    desk.store.create(run_of("nightly-001"))
    desk.store.create(run_of("nightly-002", OperationStatus.FAILED))
    return desk


def test_a_fleet_is_started_with_its_list_under_its_name() -> None:
    desk = Desk()

    code = commands.start(desk.pipeline, desk.output(), json.dumps(THREE), "nightly", watch=False)

    assert code == SUCCEEDED
    [asked] = desk.states.started
    assert (asked["stateMachineArn"], asked["name"]) == (FLEETS, "nightly")
    assert json.loads(asked["input"]) == {**THREE, "dry_run": False, "max_concurrency": 20, "tolerated_failures": 0}
    assert desk.printed.splitlines()[0] == "started nightly, 3 restores"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("prod", "found no JSON"),
        ("[" * 100_000, "found no JSON (values nested too deep)"),
        ("[]", 'found a JSON list; expected an object, {"operations": [REQUEST, ...]}'),
        ("{}", "request: found operations and operations_from, or neither; expected one of them"),
        ('{"operations": []}', "operations: List should have at least 1 item"),
        ('{"operations": [{}], "concurrency": 4}', "concurrency: found an unknown field; expected one of operations, "),
        (json.dumps({**THREE, "max_concurrency": 0}), "max_concurrency: Input should be greater than or equal to 1"),
        (json.dumps({"operations": [REQUEST, {**REQUEST, "dryrun": True}]}), "operations[1]: dryrun"),
        (
            json.dumps({"operations": [REQUEST, REQUEST]}),
            "operations[1].target.cluster_id: found staging, which operations[0] has as well; expected each once",
        ),
        (
            json.dumps({"operations": [{"resume": "weekly-007"}, {"resume": "weekly-007"}]}),
            "operations[1].resume: found weekly-007, which operations[0] has as well; expected each once",
        ),
        (json.dumps({"operations": [{"resume": 7}]}), "operations[0]: resume: found int 7; expected the operation_id"),
        (json.dumps({"operations": [{"target": {"cluster_id": "-"}}] * 50}), "restore.sh: and "),
        (
            json.dumps({"operations": [{**REQUEST, "target": {"cluster_id": f"t{n}"}, "checks": [
                {"name": "n", "database": "d", "sql": "SELECT " + "1" * 3900}]} for n in range(80)]}),
            "characters of JSON; expected at most 262,144; put the list into s3://lists/fleets/, and give "
            '{"operations_from": "s3://lists/fleets/NAME.json"}',
        ),
    ],
    ids=["no JSON", "deep", "a bare list", "nothing", "no operation", "unknown", "number", "an operation",
         "a target twice", "resumed twice", "no operation to resume", "too many problems", "too large"],
)  # fmt: skip
def test_nothing_is_started_for_a_list_that_does_not_fit(given: str, told: str) -> None:
    desk = Desk()

    assert commands.start(desk.pipeline, desk.output(), given, "nightly", watch=True) == USAGE
    assert told in desk.noted
    assert desk.states.started == []


def test_a_name_that_leaves_no_room_for_numbers_is_refused() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="found 77 characters; expected at most 76"):
        commands.start(desk.pipeline, desk.output(), json.dumps(THREE), "n" * 77, watch=False)
    assert desk.states.started == []


def test_a_plan_is_a_fleet_of_dry_runs_of_which_any_may_be_refused() -> None:
    desk = Desk()

    commands.plan(desk.pipeline, desk.output(), json.dumps(THREE))

    asked = json.loads(desk.states.started[0]["input"])
    assert (asked["operations"], asked["dry_run"]) == (THREE["operations"], True)
    assert asked["tolerated_failures"] == 3


def test_a_resumption_has_no_plan() -> None:
    desk = Desk()
    assert commands.plan(desk.pipeline, desk.output(), json.dumps({"operations": [{"resume": "weekly-007"}]})) == USAGE
    assert "operations[0]: found a resumption, of which there is no dry run; leave it out" in desk.noted
    assert desk.states.started == []


def test_a_fleet_of_dry_runs_is_never_said_to_have_restored_anything(tmp_path: Path) -> None:
    desk = Desk()
    desk.states.names = ["plan"]
    desk.states.started = [{"input": json.dumps({**THREE, "dry_run": True})}]
    desk.store.create(run_of("plan-001"))
    desk.store.create(run_of("plan-002", OperationStatus.FAILED))

    commands.show(desk.pipeline, desk.output(), "plan", tmp_path / "fleet.html")

    assert "1 of 3 planned, 1 failed, 1 not started" in desk.printed
    assert "Nothing was changed." in desk.printed
    assert "1 OF 3 TARGETS PLANNED" in (tmp_path / "fleet.html").read_text()


def test_each_target_is_a_line_and_what_failed_says_what_to_type() -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED"))

    assert commands.show(desk.pipeline, desk.output(), None, None) == SUCCEEDED

    assert "1 of 3 restored, 1 failed, 1 not started" in desk.printed
    lines = {line.split()[0]: line for line in desk.printed.splitlines() if "nightly-0" in line}
    assert "✓ SUCCEEDED" in lines["nightly-001"]
    assert "CopyFailed at Snapshot Check" in lines["nightly-002"]
    assert "three" in lines["nightly-003"]
    assert "NOT_STARTED" in lines["nightly-003"]
    assert "./restore.sh fleet resume nightly" in desk.printed


def test_programs_get_the_same_as_json() -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED"))
    commands.show(desk.pipeline, desk.output(as_json=True), "nightly", None)
    told = json.loads(desk.printed)
    assert told["counts"] == {"FAILED": 1, "NOT_STARTED": 1, "SUCCEEDED": 1}
    assert [item["status"] for item in told["operations"]] == ["SUCCEEDED", "FAILED", "NOT_STARTED"]
    assert told["operations"][1]["run"]["error"] == "CopyFailed"


def test_a_page_has_every_target_and_nothing_in_it_is_markup(tmp_path: Path) -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED"))
    evil = [*THREE["operations"][:2], {"target": {"cluster_id": "<script>alert(1)</script>"}}]
    desk.states.started = [{"input": json.dumps({"operations": evil})}]

    commands.show(desk.pipeline, desk.output(), "nightly", tmp_path / "fleet.html")

    page = (tmp_path / "fleet.html").read_text()
    assert "1 OF 3 TARGETS RESTORED" in page
    assert "CopyFailed at Snapshot Check" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


def test_a_fleet_that_was_refused_says_why(tmp_path: Path) -> None:
    desk = Desk(FakeStates(status="FAILED", error="InvalidRequest", cause="operations: found nothing"))
    desk.states.names = ["empty"]
    commands.show(desk.pipeline, desk.output(), "empty", tmp_path / "fleet.html")
    assert "operations: found nothing" in desk.printed
    assert "operations: found nothing" in (tmp_path / "fleet.html").read_text()


def test_there_is_no_fleet_of_that_name() -> None:
    desk = Desk(FakeStates(names=["nightly"]))
    with pytest.raises(Refused, match="No fleet weekly"):
        commands.show(desk.pipeline, desk.output(), "weekly", None)


@pytest.mark.parametrize("terminal", [False, True])
def test_a_fleet_is_followed_to_its_end(terminal: bool) -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED", running_looks=2))
    assert commands.watch(desk.pipeline, desk.output(terminal=terminal), "nightly") == FAILED
    assert "1 of 3 restored" in desk.printed
    assert ("1 of 3 restored" in desk.noted) == (not terminal)


def test_ctrl_c_leaves_a_fleet_alone() -> None:
    desk = a_fleet_of_three(FakeStates(running_looks=9, interrupted_at=3))
    assert commands.watch(desk.pipeline, desk.output(), "nightly") == RUNNING
    assert "nightly goes on. Watch it again: ./restore.sh fleet watch nightly" in desk.noted


def test_what_failed_goes_on_under_its_own_id_and_what_never_began_is_started() -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED"))
    desk.states.started = [{"input": json.dumps({**THREE, "max_concurrency": 7})}]

    assert commands.resume(desk.pipeline, desk.output(), "nightly", watch=False) == SUCCEEDED

    asked = json.loads(desk.states.started[-1]["input"])
    assert asked["operations"] == [{"resume": "nightly-002"}, THREE["operations"][2]]
    assert (asked["max_concurrency"], asked["tolerated_failures"]) == (7, 0)


def test_what_cannot_be_resumed_is_started_anew() -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED"))
    refused = OperationError(name="TargetChanged", message="another cluster", step="Delete RDS")
    desk.store.create(run_of("nightly-003", OperationStatus.FAILED).model_copy(update={"error": refused}))

    commands.resume(desk.pipeline, desk.output(), "nightly", watch=False)

    asked = json.loads(desk.states.started[-1]["input"])
    assert asked["operations"] == [{"resume": "nightly-002"}, THREE["operations"][2]]


def test_a_run_that_was_resumed_is_told_in_the_fleet_that_resumed_it() -> None:
    desk = a_fleet_of_three(FakeStates())
    records = [ExecutionRecord(execution_arn=execution(name), started_at=NOW) for name in ("weekly-007", "again-001")]
    row = run_of("weekly-007").model_copy(update={"executions": records, "created_at": NOW - timedelta(days=1)})
    desk.store.create(row)
    desk.states.names = ["again"]
    desk.states.started = [{"input": json.dumps({"operations": [{"resume": "weekly-007"}]})}]

    commands.show(desk.pipeline, desk.output(), "again", None)

    assert "1 of 1 restored" in desk.printed
    assert "weekly-007" in desk.printed


def test_a_run_that_began_before_the_fleet_is_not_the_fleets() -> None:
    desk = a_fleet_of_three(FakeStates(status="FAILED"))
    desk.store.create(run_of("nightly-003").model_copy(update={"created_at": NOW - timedelta(days=1)}))
    commands.show(desk.pipeline, desk.output(as_json=True), "nightly", None)
    assert json.loads(desk.printed)["operations"][2]["status"] == "NOT_STARTED"


def test_a_fleet_at_work_or_without_failures_is_not_gone_on_with() -> None:
    desk = a_fleet_of_three(FakeStates(running_looks=9))
    with pytest.raises(Refused, match="is at work"):
        commands.resume(desk.pipeline, desk.output(), "nightly", watch=False)
    desk.states.running_looks, desk.states.looks = 0, 0
    desk.states.started = [{"input": json.dumps({"operations": THREE["operations"][:1]})}]
    with pytest.raises(Refused, match="nightly left nothing to go on with"):
        commands.resume(desk.pipeline, desk.output(), "nightly", watch=False)
