"""What each command asks of AWS, prints, and ends with."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from deployment.account import Refused
from restore_command import commands, following
from restore_command.commands import Wanted
from restore_command.execution import Progress
from restore_command.exit_codes import FAILED, RUNNING, SUCCEEDED, USAGE
from tests.unit.evidence.runs import SWAP_DONE, SWAP_NAMES, a_request, a_restore
from tests.unit.operations import AT, REQUEST, an_operation
from tests.unit.restore_command.desk import MACHINE, Desk, FakeStates, execution
from utils.operation.model import ExecutionRecord, OperationStatus, UsersRecord
from utils.operation.records import CopyRecord, OperationError, RestoreRecord

ALL = Wanted(target=None, status=None, since=None, limit=20)
BROKEN = OperationError(name="CopyFailed", message="found failed, expected available", step="Check Copy Status")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.0)
    with mock_aws():
        yield


def test_a_run_is_started_with_the_request_under_the_name() -> None:
    desk = Desk()

    code = commands.start(desk.pipeline, desk.output(), json.dumps(REQUEST), "tonight", watch=False)

    assert code == SUCCEEDED
    [asked] = desk.states.started
    assert asked == {"stateMachineArn": MACHINE, "name": "tonight", "input": json.dumps(REQUEST)}
    assert "./restore.sh watch tonight" in desk.printed


def test_a_request_without_fields_is_one_with_the_stacks_defaults() -> None:
    desk = Desk(SourceClusterId="prod", TargetClusterId="staging")

    assert commands.start(desk.pipeline, desk.output(), "{}", "", watch=False) == SUCCEEDED
    assert desk.states.started[0]["input"] == "{}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "source.cluster_id"),
        ('{"source": {"clusterid": "prod"}}', "'cluster_id' perhaps"),
        ("prod", "found no JSON"),
        ("[]", "expected"),
        ('{"operations": [{}]}', "the request of a fleet; start it with ./restore.sh fleet start"),
        ("[" * 100_000, "found no JSON"),
        ('{"dry_run": true, "dry_run": false}', "found no JSON ('dry_run' twice in one object)"),
    ],
)
def test_nothing_is_started_for_a_request_that_does_not_fit(text: str, told: str) -> None:
    desk = Desk()

    assert commands.start(desk.pipeline, desk.output(), text, "tonight", watch=True) == USAGE
    assert desk.states.started == []
    assert told in desk.noted


def test_what_no_request_may_take_away_is_told_before_the_start() -> None:
    desk = Desk(MandatoryRequest='{"close_outbound": true}')

    request = json.dumps({**REQUEST, "close_outbound": False})

    assert commands.start(desk.pipeline, desk.output(), request, "", watch=False) == USAGE
    assert "MandatoryRequest" in desk.noted
    assert desk.states.started == []


def test_a_plan_is_a_dry_run_whatever_the_request_says() -> None:
    desk = Desk(FakeStates(output={"dry_run": True, "plan": ["copy it", "restore it"]}))

    code = commands.plan(desk.pipeline, desk.output(), json.dumps({**REQUEST, "dry_run": False}))

    assert code == SUCCEEDED
    assert json.loads(desk.states.started[0]["input"])["dry_run"] is True
    assert "Nothing was changed.\n\nA run would\n   1. copy it\n   2. restore it" in desk.printed


@pytest.mark.parametrize("is_terminal", [False, True])
def test_on_a_terminal_a_plan_has_colours_and_no_line_is_broken_or_coloured_by_what_it_tells(is_terminal: bool) -> None:
    check = {"name": "KMS key", "outcome": "warn", "found": "old \ue001 \x1b[31m", "expected": "new", "do": "rotate it"}
    lists = ("settings", "rejected", "protects", "copies", "makes", "prunes", "keeps", "not_put_back")
    preview = {
        **dict.fromkeys(lists, ()), "actions": ["copy " + "x" * 120], "checks": [check], "deletes": ["staging"],
        "expected_minutes": {"copy": 20.0}, "earlier_runs": 1,
    }  # fmt: skip
    desk = Desk(FakeStates(output={"dry_run": True, "preview": preview}))
    commands.plan(desk.pipeline, desk.output(terminal=is_terminal), json.dumps(REQUEST))
    assert "   1. copy " + "x" * 120 in desk.printed
    assert "copy 20 min (the middle of 1 earlier run)" in desk.printed
    assert ("\x1b[33mwarn\x1b[0m" in desk.printed) is is_terminal
    assert ("\x1b[33mstaging\x1b[0m" in desk.printed) is is_terminal
    assert "\x1b[31m" not in desk.printed


def test_a_run_is_watched_to_its_end_and_its_failure_is_the_exit_code() -> None:
    desk = Desk(FakeStates(running_looks=2, status="FAILED", error="CopyFailed", cause="found failed", names=["last"]))

    assert commands.watch(desk.pipeline, desk.output(), None) == FAILED
    assert desk.noted.splitlines() == ["Snapshot Check", "Copy Snapshot"]
    assert "✗ FAILED in 9 min 00 s\nCopyFailed\n  found failed" in desk.printed
    assert "./restore.sh show last" in desk.printed


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_watch_it_again() -> None:
    desk = Desk(FakeStates(running_looks=5, interrupted_at=3, names=["last"]))

    assert commands.watch(desk.pipeline, desk.output(), "last") == RUNNING
    assert "last goes on. Watch it again: ./restore.sh watch last" in desk.noted


def test_on_a_terminal_the_state_that_goes_on_is_shown_with_its_time() -> None:
    desk = Desk(FakeStates(running_looks=2, names=["last"]))

    assert commands.watch(desk.pipeline, desk.output(terminal=True), None) == SUCCEEDED
    assert "…" in desk.printed
    assert "Copy Snapshot" in desk.printed


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(30, "usually 30 min 00 s: until about 04:30 UTC"), (0.1, "longer than usual (6 s)")],
)
def test_on_a_terminal_the_expected_end_is_told_from_earlier_runs(
    monkeypatch: pytest.MonkeyPatch, minutes: float, told: str
) -> None:
    monkeypatch.setattr(following, "usual_seconds", lambda *_: {"restore": round(minutes * 60)})
    monkeypatch.setattr(Progress, "seconds", 540.0)
    desk = Desk(FakeStates(running_looks=2, names=["last"]))
    desk.store.create(an_operation("last"))

    commands.watch(desk.pipeline, desk.output(terminal=True), None)

    assert f"  9 min 00 s, {told}" in desk.printed


def test_an_operation_that_was_resumed_is_watched_in_the_execution_that_works_on_it() -> None:
    desk = Desk(FakeStates(names=["resume-1", "nightly-1"]))
    worked = [ExecutionRecord(execution_arn=execution(name), started_at=AT) for name in ("nightly-1", "resume-1")]
    desk.store.create(an_operation("nightly-1", executions=worked))

    commands.watch(desk.pipeline, desk.output(as_json=True), "nightly-1")

    assert json.loads(desk.printed)["execution"] == "resume-1"


def test_runs_are_chosen_by_target_status_and_time() -> None:
    desk = Desk()
    desk.store.create(an_operation("old", status=OperationStatus.SUCCEEDED, finished_at=AT))
    desk.store.create(an_operation("broken", created_at=AT + timedelta(days=1), status=OperationStatus.FAILED))

    wanted = Wanted(target="staging", status=OperationStatus.FAILED, since=AT + timedelta(hours=1), limit=5)
    commands.runs(desk.pipeline, desk.output(as_json=True), wanted)

    assert [run["operation_id"] for run in json.loads(desk.printed)] == ["broken"]


def test_a_list_of_nothing_says_so_and_is_still_json_for_programs() -> None:
    desk = Desk()

    assert commands.runs(desk.pipeline, desk.output(), ALL) == SUCCEEDED
    assert desk.noted == "No run yet.\n"
    commands.runs(desk.pipeline, desk.output(as_json=True), ALL)
    assert json.loads(desk.printed) == []


def test_one_run_is_shown_with_what_was_done_and_what_to_do_next() -> None:
    desk = Desk()
    users = UsersRecord(proofs={"app_user": ["shop: logs in"]}, shut_out=["shop_app", "[red]not markup"])
    desk.store.create(an_operation("nightly-1", status=OperationStatus.FAILED, error=BROKEN, users=users))
    for second in range(3):
        desk.leaves_in_trail("nightly-1", "Check Copy Status", AT + timedelta(seconds=second), status="IN_PROGRESS")

    assert commands.show(desk.pipeline, desk.output(), "nightly-1") == SUCCEEDED
    for words in (
        "CopyFailed: found failed, expected available", "- copy it", "shop: logs in", "[red]not markup",
        "./restore.sh resume nightly-1", "Check Copy Status, 3 times", "nothing was changed",
    ):  # fmt: skip
        assert words in desk.printed, words


def test_what_a_phase_took_is_shown_beside_what_it_usually_takes() -> None:
    desk = Desk()
    for night, minutes in enumerate((10, 12)):
        began = AT + timedelta(days=night)
        copied = CopyRecord(started_at=began, finished_at=began + timedelta(minutes=minutes))
        done = an_operation(f"nightly-{night}", copied=copied, status=OperationStatus.SUCCEEDED, created_at=began)
        desk.store.create(done)
    desk.store.create(an_operation("nightly-2", created_at=AT + timedelta(days=2)))

    commands.show(desk.pipeline, desk.output(), "nightly-1")
    assert re.search(r"Took\n *copy +12 min 00 s, usually 10 min 00 s\n", desk.printed)
    commands.show(desk.pipeline, desk.output(), "nightly-2")
    assert desk.printed.count("Took") == 1, "nothing took time yet"


def test_an_operation_that_was_resumed_is_shown_with_its_executions() -> None:
    desk = Desk()
    worked = [
        ExecutionRecord(execution_arn=execution("nightly-1"), started_at=AT, error=BROKEN),
        ExecutionRecord(execution_arn=execution("resume-1"), started_at=AT + timedelta(hours=1)),
    ]
    desk.store.create(an_operation("nightly-1", executions=worked))

    commands.show(desk.pipeline, desk.output(), "resume-1")

    assert f"- nightly-1, started {AT:%Y-%m-%d %H:%M} UTC: CopyFailed at Check Copy Status\n" in desk.printed
    assert f"- resume-1, started {AT + timedelta(hours=1):%Y-%m-%d %H:%M} UTC\n" in desk.printed


def test_a_swap_is_shown_with_how_long_it_can_be_undone() -> None:
    desk = Desk()
    desk.store.create(a_restore("swapped", identifiers=SWAP_NAMES, swap=SWAP_DONE, request=a_request(strategy="swap")))

    commands.show(desk.pipeline, desk.output(), None)

    assert SWAP_DONE.finished_at is not None
    end = SWAP_DONE.finished_at + timedelta(hours=24)
    assert f"staging-old-1 is kept, until {end:%Y-%m-%d %H:%M} UTC: ./restore.sh undo swapped" in desk.printed


def test_a_run_that_goes_on_is_shown_with_how_far_its_copy_is() -> None:
    desk = Desk()
    copied = CopyRecord(started_at=AT, percent=62)
    desk.store.create(an_operation("nightly-1", copied=copied))

    commands.show(desk.pipeline, desk.output(), None)

    assert "(62 % copied)" in desk.printed


@pytest.mark.parametrize(
    ("made", "told"), [(["staging-1"], "(1 instance)"), (["staging-1", "staging-2"], "(2 instances)")]
)
def test_a_run_that_goes_on_is_shown_with_how_many_instances_it_has_made(made: list[str], told: str) -> None:
    desk = Desk()
    desk.store.create(an_operation("nightly-1", restore=RestoreRecord(started_at=AT, instance_ids=made)))

    commands.show(desk.pipeline, desk.output(), None)

    assert told in desk.printed


def test_one_run_is_shown_as_json_with_its_whole_audit_trail() -> None:
    desk = Desk()
    desk.store.create(an_operation("nightly-1", status=OperationStatus.FAILED, error=BROKEN))
    desk.leaves_in_trail("nightly-1", "Check Copy Status", AT, api_calls=["rds:DescribeDBClusterSnapshots"])

    commands.show(desk.pipeline, desk.output(as_json=True), None)

    shown = json.loads(desk.printed)
    assert shown["message"] == BROKEN.message
    assert shown["summary"]["snapshot"].startswith("arn:aws:rds:")
    assert shown["audit_trail"][0]["api_calls"] == ["rds:DescribeDBClusterSnapshots"]


def test_an_operation_is_resumed_by_a_request_that_only_names_it() -> None:
    desk = Desk()
    desk.store.create(an_operation("nightly-1", status=OperationStatus.FAILED, error=BROKEN))

    assert commands.resume(desk.pipeline, desk.output(), "nightly-1", watch=False) == SUCCEEDED
    assert json.loads(desk.states.started[0]["input"]) == {"resume": "nightly-1"}


@pytest.mark.parametrize(("name", "told"), [("nightly-1", "is at work"), ("nightly-9", "no operation nightly-9")])
def test_what_is_at_work_or_does_not_exist_is_not_resumed(name: str, told: str) -> None:
    desk = Desk()
    desk.store.create(an_operation("nightly-1"))

    with pytest.raises(Refused, match=told):
        commands.resume(desk.pipeline, desk.output(), name, watch=False)
    assert desk.states.started == []


def test_a_fleet_that_is_taken_for_an_operation_is_named() -> None:
    desk = Desk()
    desk.store.create(a_restore("weekly-001"))
    desk.states.names = ["weekly-001"]

    for command in (commands.watch, commands.show):
        with pytest.raises(Refused, match=r"weekly is a fleet, no operation: \./restore\.sh fleet show weekly"):
            command(desk.pipeline, desk.output(), "weekly")
    with pytest.raises(Refused, match="No operation weekly-9"):
        commands.watch(desk.pipeline, desk.output(), "weekly-9")


def test_what_succeeded_is_not_resumed_and_what_is_no_swap_is_not_undone() -> None:
    desk = Desk()
    desk.store.create(a_restore("nightly-1"))

    with pytest.raises(Refused, match=r"nightly-1 succeeded.*\./restore\.sh start"):
        commands.resume(desk.pipeline, desk.output(), "nightly-1", watch=False)
    with pytest.raises(Refused, match="nightly-1 exchanged no names"):
        commands.undo(desk.pipeline, desk.output(), "nightly-1", watch=False)
    assert desk.states.started == []


def test_a_swap_is_undone_by_a_request_that_only_names_it() -> None:
    desk = Desk()
    desk.store.create(a_restore("swapped", identifiers=SWAP_NAMES, swap=SWAP_DONE, request=a_request(strategy="swap")))

    assert commands.undo(desk.pipeline, desk.output(), "swapped", watch=False) == SUCCEEDED
    assert json.loads(desk.states.started[0]["input"]) == {"undo": "swapped"}


@pytest.mark.parametrize(
    ("code", "told"), [("ExecutionAlreadyExists", "a new name"), ("InvalidName", "1 to 80 letters")]
)
def test_a_name_that_no_run_can_have_is_refused_with_what_would_do(
    monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    def refuse(**_asked: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "StartExecution")

    desk = Desk()
    monkeypatch.setattr(desk.states, "start_execution", refuse)
    with pytest.raises(Refused, match=f"--name: found 'nightly 1'.*{told}.*nothing was started"):
        commands.start(desk.pipeline, desk.output(), json.dumps(REQUEST), "nightly 1", watch=False)


@pytest.mark.parametrize(("hours", "asked"), [(24.0, {"postpone_hours": 24.0}), (None, {"cancel": True})])
def test_what_becomes_of_a_cluster_is_changed_by_an_execution_whose_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, hours: float | None, asked: dict[str, object]
) -> None:
    monkeypatch.setattr(commands, "_LOOK_SECONDS", 0.0)
    desk = Desk()
    desk.states.output = {"details": {"afterwards": "stop staging at 2026-11-27 04:00 UTC"}}

    assert commands.afterwards(desk.pipeline, desk.output(), "nightly-1", hours) == SUCCEEDED

    [started] = desk.states.started
    assert json.loads(started["input"]) == {"afterwards_of": "nightly-1", **asked}
    assert "stop staging at 2026-11-27 04:00 UTC" in desk.printed


def test_a_change_that_is_refused_says_why() -> None:
    desk = Desk()
    desk.states.status, desk.states.error, desk.states.cause = "FAILED", "InvalidRequest", "found nothing of it"

    with pytest.raises(Refused, match="found nothing of it"):
        commands.afterwards(desk.pipeline, desk.output(), "nightly-1", None)
