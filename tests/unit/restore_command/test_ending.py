"""What is told of a run that ended: who serves now, and what is still to come of its clusters."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from moto import mock_aws

from restore_command import commands, following
from tests.unit.evidence.runs import SWAP_DONE, SWAP_NAMES, a_request, a_restore
from tests.unit.operations import AT, an_operation
from tests.unit.restore_command.desk import Desk, FakeStates
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import ApprovalRecord, OperationError
from utils.operation.retirement import afterwards_id, retirement_id


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def watched(*rows: Operation) -> str:
    """Return what is told at the end of the first run."""
    desk = Desk()
    for row in rows:
        desk.store.create(row)
    desk.states.names = [rows[0].operation_id]
    commands.watch(desk.pipeline, desk.output(), rows[0].operation_id)
    return desk.printed


def shown(*rows: Operation) -> str:
    """Return what is to be done next, as the first run is shown."""
    desk = Desk()
    for row in rows:
        desk.store.create(row)
    commands.show(desk.pipeline, desk.output(), rows[0].operation_id)
    return " ".join(desk.printed.partition("\nNext\n")[2].partition("\n\n")[0].split())


def a_swap(operation_id: str = "swapped", **other: object) -> Operation:
    request = a_request(strategy="swap")
    return a_restore(operation_id, identifiers=SWAP_NAMES, swap=SWAP_DONE, request=request, **other)


def what_comes_after(run: Operation, status: OperationStatus, **record: object) -> Operation:
    afterwards = AfterwardsRecord.model_validate({"action": "stop", "due_at": AT + timedelta(hours=10)} | record)
    error = OperationError(name="AccessDenied", message="found no right", step="Delete RDS")
    failed = error if status is OperationStatus.FAILED else None
    name, of = afterwards_id(run.operation_id), run.operation_id
    return a_restore(name, retires=of, afterwards=afterwards, status=status, error=failed, restore=None)


def test_a_restored_cluster_is_told_with_its_endpoint() -> None:
    run = a_restore()
    assert run.restore is not None
    assert f"staging is at {run.restore.endpoint}:{run.restore.port}\n" in watched(run)


def test_an_undo_tells_whose_name_is_whose_and_no_endpoint() -> None:
    told = watched(a_swap("undo-1", undoes="swapped", restore=None))
    assert "staging is the old cluster again, what swapped restored is staging-old-1\n" in told
    assert "None" not in told


def test_a_drill_tells_where_its_removal_is_followed() -> None:
    drill = a_restore(request=a_request(afterwards={"action": "delete", "after_hours": 0}))
    assert "staging is proven; its removal: ./restore.sh watch nightly-1-afterwards\n" in watched(drill)


def test_what_only_stops_or_deletes_has_no_endpoint_to_tell() -> None:
    assert " is at " not in watched(what_comes_after(a_restore(), OperationStatus.SUCCEEDED))


@pytest.mark.parametrize("status", OperationStatus)
def test_a_swap_can_be_undone_until_it_is_or_its_old_cluster_is_gone(status: OperationStatus) -> None:
    retirement = a_restore(retirement_id("swapped"), retires="swapped", status=status)
    can_be = status is not OperationStatus.SUCCEEDED
    assert ("./restore.sh undo swapped" in shown(a_swap(), retirement)) is can_be


def test_of_a_cluster_that_stays_nothing_is_to_come() -> None:
    assert shown(a_restore()) == ""


@pytest.mark.parametrize(
    ("status", "record", "told"),
    [
        (OperationStatus.RUNNING, {}, "./restore.sh afterwards nightly-1 --postpone HOURS, or --cancel"),
        (OperationStatus.RUNNING, {"is_drill": True}, "is removed now: ./restore.sh watch nightly-1-afterwards"),
        (OperationStatus.FAILED, {}, "to stop staging failed: ./restore.sh show nightly-1-afterwards"),
        (OperationStatus.SUCCEEDED, {}, "nothing: staging was stopped after the run"),
        (OperationStatus.SUCCEEDED, {"action": "delete"}, "nothing: staging was deleted after the run"),
        (OperationStatus.SUCCEEDED, {"ended": "called off"}, "nothing: staging was not stopped: called off"),
    ],
)
def test_what_becomes_of_a_cluster_is_told_with_its_run(
    status: OperationStatus, record: dict[str, object], told: str
) -> None:
    run = a_restore()
    assert told in shown(run, what_comes_after(run, status, **record))


@pytest.mark.parametrize("terminal", [True, False])
def test_a_run_that_waits_for_a_person_is_watched_with_the_command_that_answers(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.0)
    desk = Desk(FakeStates(running_looks=2))
    asked = ApprovalRecord(asked_at=AT, expires_at=AT + timedelta(hours=24))
    desk.store.create(an_operation("nightly-1", approval=asked))
    commands.watch(desk.pipeline, desk.output(terminal=terminal), "nightly-1")
    told = desk.printed + desk.noted
    assert "Answer it: ./restore.sh approve nightly-1, or ./restore.sh reject nightly-1 --reason …\n" in told
    assert terminal or told.count("./restore.sh approve") == 1


def test_what_could_not_stop_or_delete_a_cluster_goes_on_with_its_own_state_machine() -> None:
    failed = what_comes_after(a_restore(), OperationStatus.FAILED)
    told = shown(failed)
    machine = failed.execution_arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    asked = f"""--input '{{"operation_id": "{failed.operation_id}", "wait_seconds": 0}}'"""
    assert "./restore.sh resume" not in told
    assert f"aws stepfunctions start-execution --region us-west-2 --state-machine-arn {machine} {asked}" in told


def test_an_undo_that_cannot_be_resumed_is_begun_again_and_not_as_a_restore() -> None:
    error = OperationError(name="TargetChanged", message="found another cluster", step="Swap Clusters")
    told = shown(a_restore("undo-1", undoes="swapped", status=OperationStatus.FAILED, error=error))
    assert told.endswith("then ./restore.sh undo swapped")
