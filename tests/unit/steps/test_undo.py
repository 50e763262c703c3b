"""Undoing a swap: the old data under the name again, the new cluster put aside; nothing is deleted."""

from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws, Step
from tests.fakes.rds_items import aws_error
from tests.unit.steps.swaps import Door, aside, resource_id, swap, to_the_end, up_to_the_users
from utils.errors import DatabaseLoginRefused, InvalidRequest, OperationInProgress, TargetNotReplaceable
from utils.operation.model import Operation, OperationStatus
from utils.runtime.contract import ClosingEvent, StartEvent, StepResult, StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_swap_status import check_swap_status
from utils.steps.delete_rds import delete_rds
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

TARGET, UNDO = "staging", "undo-1"
UNDO_ARN = EXECUTION_ARN.replace(OPERATION, UNDO)


@pytest.fixture
def swapped(aws: FakeAws, door: Door) -> FakeAws:
    """A swap that came to its end, and whose old cluster is kept."""
    assert door
    aws.has_old_target()
    up_to_the_users(aws)
    to_the_end(aws)
    aws.run(archive_snapshot)
    sns_notification(ClosingEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN), aws.services)
    return aws


def undo(aws: FakeAws, operation_id: str = OPERATION, **beside: Any) -> StepResult:
    event = StartEvent(operation_id=UNDO, execution_arn=UNDO_ARN, request={"undo": operation_id} | beside)
    return snapshot_check(event, aws.services)


def row(aws: FakeAws, operation_id: str) -> Operation:
    found = aws.operations.find(operation_id)
    assert found is not None
    return found


def test_the_old_data_is_back_under_the_name_and_the_new_cluster_is_put_aside(swapped: FakeAws, door: Door) -> None:
    old, new = resource_id(swapped, aside(swapped)), resource_id(swapped, TARGET)
    door.refusal = DatabaseLoginRefused("another password", expected="ours", action="look")
    answer = undo(swapped)
    assert (answer.status, answer.operation_id) == (StepStatus.UNDO, UNDO)
    swapped.goes_on_as(UNDO)
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)
    names = row(swapped, UNDO).identifiers.swap
    assert names is not None
    assert {name: resource_id(swapped, name) for name in swapped.west.clusters} == {TARGET: old, names.aside: new}
    of_old = {name for name, item in swapped.west.instances.items() if item["DBClusterIdentifier"] == TARGET}
    assert of_old == {"staging-1", "staging-2"}
    assert not {"delete_db_cluster", "delete_db_instance"} & {*swapped.west.destroyed}


def test_its_end_is_told_with_the_name_of_what_was_put_aside(swapped: FakeAws) -> None:
    undo(swapped)
    swapped.goes_on_as(UNDO)
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)
    assert swapped.run(archive_snapshot).details == {}
    sns_notification(ClosingEvent(operation_id=UNDO, execution_arn=UNDO_ARN), swapped.services)
    message = swapped.topic.messages[-1]
    names = row(swapped, UNDO).identifiers.swap
    assert names is not None
    assert message["Subject"] == "Aurora restore of staging UNDONE"
    assert f"Put aside         {names.aside}, the cluster that {OPERATION} had restored" in message["Message"]
    assert row(swapped, UNDO).status is OperationStatus.SUCCEEDED
    record = swapped.operations.find_target_record("us-west-2", TARGET)
    old = row(swapped, OPERATION).old_target
    assert record is not None
    assert old is not None
    assert record.settings == old.settings, "what the target is like is what the old one was like"


def close_undo(aws: FakeAws, error: str | None = None) -> None:
    """End the undo as the state machine does."""
    caught = {"Error": error, "Cause": "{}"} if error else None
    sns_notification(ClosingEvent(operation_id=UNDO, execution_arn=UNDO_ARN, error=caught), aws.services)


def retire(aws: FakeAws, step: Step) -> StepResult:
    """Call a step as the retirement's state machine does."""
    name = f"{OPERATION}-retirement"
    aws.goes_on_as(name)
    answer = aws.run(step)
    aws.goes_on_as(UNDO)
    return answer


def test_the_retirement_is_ended_once_the_undo_has_succeeded(swapped: FakeAws) -> None:
    undo(swapped)
    retirement = row(swapped, f"{OPERATION}-retirement")
    assert (retirement.status, swapped.executions.stopped) == (OperationStatus.RUNNING, []), "not before"
    swapped.goes_on_as(UNDO)
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)
    swapped.run(archive_snapshot)
    close_undo(swapped)
    retirement = row(swapped, f"{OPERATION}-retirement")
    assert retirement.status is OperationStatus.SUCCEEDED
    assert retirement.notified_at is not None
    assert swapped.executions.stopped == [retirement.execution_arn]


def test_while_the_names_are_given_back_the_retirement_waits(swapped: FakeAws) -> None:
    undo(swapped)
    before = list(swapped.west.changes)
    answer = retire(swapped, delete_rds)
    assert (answer.status, answer.wait_seconds) == (StepStatus.IN_PROGRESS, 900)
    assert answer.details == {"waiting_for": f"the end of {UNDO}, which undoes the swap"}
    assert retire(swapped, check_delete_status).status is StepStatus.SNAPSHOT_READY, "Delete RDS looks again"
    assert swapped.west.changes == before
    assert row(swapped, f"{OPERATION}-retirement").deletion is None


def test_after_an_undo_that_failed_the_old_cluster_is_retired_as_planned(swapped: FakeAws) -> None:
    undo(swapped)
    close_undo(swapped, error="PhaseTimedOut")
    assert row(swapped, UNDO).status is OperationStatus.FAILED
    assert swapped.executions.stopped == [], "its execution still waits"
    name = aside(swapped)
    assert retire(swapped, delete_rds).details["waiting_for"] == f"the final snapshot of {name} (available)"
    swapped.west.settle()
    retire(swapped, delete_rds)
    assert swapped.west.clusters[name]["Status"] == "deleting"
    assert swapped.west.clusters[TARGET]["Status"] == "available"


def test_stopped_half_way_an_undo_says_which_cluster_is_which(swapped: FakeAws) -> None:
    undo(swapped)
    swapped.goes_on_as(UNDO)
    swap(swapped, arn=UNDO_ARN, operation_id=UNDO)
    close_undo(swapped, error="ExecutionStopped")
    error, names = row(swapped, UNDO).error, row(swapped, UNDO).identifiers.swap
    assert error is not None
    assert names is not None
    assert f"nobody may serve as staging: the restored cluster is {names.aside} or about to be" in error.message
    assert f"have the restored data serve again by hand: rename {names.aside} to staging" in error.message


def test_stopped_half_way_an_undo_keeps_the_old_cluster_from_being_retired_until_it_is_resumed(
    swapped: FakeAws,
) -> None:
    undo(swapped)
    swapped.goes_on_as(UNDO)
    swap(swapped, arn=UNDO_ARN, operation_id=UNDO)
    close_undo(swapped, error="ExecutionStopped")
    before = list(swapped.west.changes)
    assert retire(swapped, delete_rds).details == {
        "waiting_for": f"the end of {UNDO}, which undoes the swap and stopped half-way: resume it"
    }
    assert retire(swapped, check_delete_status).status is StepStatus.SNAPSHOT_READY
    assert swapped.west.changes == before, "nobody has the name, and this is whom it was to be given to"
    again = StartEvent(operation_id="again", execution_arn=f"{UNDO_ARN}-again", request={"resume": UNDO})
    assert snapshot_check(again, swapped.services).status is StepStatus.UNDO


def test_of_an_old_cluster_that_is_not_there_it_is_not_said_that_it_was_deleted(swapped: FakeAws) -> None:
    name = aside(swapped)
    del swapped.west.clusters[name]
    for step in (delete_rds, check_delete_status):
        answer = retire(swapped, step)
    assert answer.status is StepStatus.READY
    arn = row(swapped, f"{OPERATION}-retirement").execution_arn
    sns_notification(ClosingEvent(operation_id=f"{OPERATION}-retirement", execution_arn=arn), swapped.services)
    text = swapped.topic.messages[-1]["Message"]
    assert f"There is no cluster {name} any more" in text
    assert "is deleted" not in text


@pytest.mark.parametrize("calls", range(1, 10))
def test_wherever_an_undo_is_stopped_resuming_finishes_it(swapped: FakeAws, calls: int) -> None:
    old, looks = resource_id(swapped, aside(swapped)), False
    undo(swapped)
    swapped.goes_on_as(UNDO)
    for _ in range(calls):
        answer = swapped.run(check_swap_status) if looks else swap(swapped, arn=UNDO_ARN, operation_id=UNDO)
        assert answer.status is not StepStatus.READY
        swapped.west.settle()
        looks = answer.status is not StepStatus.SWAP_AGAIN
    close_undo(swapped, error="ExecutionStopped")
    again = StartEvent(operation_id="again", execution_arn=f"{UNDO_ARN}-again", request={"resume": UNDO})
    assert snapshot_check(again, swapped.services).status is StepStatus.UNDO
    to_the_end(swapped, arn=f"{UNDO_ARN}-again", operation_id=UNDO)
    assert resource_id(swapped, TARGET) == old
    of_old = {name for name, item in swapped.west.instances.items() if item["DBClusterIdentifier"] == TARGET}
    assert of_old == {"staging-1", "staging-2"}


def test_an_undo_that_failed_is_resumed_under_the_same_hold_unless_the_retirement_has_begun(swapped: FakeAws) -> None:
    undo(swapped)
    close_undo(swapped, error="PhaseTimedOut")
    event = StartEvent(operation_id="again", execution_arn=f"{UNDO_ARN}-again", request={"resume": UNDO})
    assert snapshot_check(event, swapped.services).status is StepStatus.UNDO
    assert retire(swapped, delete_rds).details["waiting_for"].startswith("the end of undo-1")
    arn = f"{UNDO_ARN}-again"
    sns_notification(
        ClosingEvent(operation_id=UNDO, execution_arn=arn, error={"Error": "PhaseTimedOut", "Cause": "{}"}),
        swapped.services,
    )
    retire(swapped, delete_rds)
    third = StartEvent(operation_id="third", execution_arn=f"{UNDO_ARN}-third", request={"resume": UNDO})
    with pytest.raises(InvalidRequest, match=r"the retirement of staging-old-.* at work since"):
        snapshot_check(third, swapped.services)


@pytest.mark.parametrize(("quicker", "is_planned"), [(UNDO, True), ("", False)])
def test_a_second_call_of_the_same_undo_finds_its_hold_and_no_retirement_that_begins(
    swapped: FakeAws, monkeypatch: pytest.MonkeyPatch, quicker: str, is_planned: bool
) -> None:
    """Lambda may run a call twice: the other one holds the retirement between this one's look and its write."""
    find, name, looks = swapped.operations.find, f"{OPERATION}-retirement", list[str]()

    def overtaken(operation_id: str) -> Operation | None:
        found = find(operation_id)
        looks.append(operation_id)
        if looks.count(name) == 2 and operation_id == name:
            other = row(swapped, name)
            other.held_by = quicker or None
            swapped.operations.save(other)
        return found

    monkeypatch.setattr(swapped.operations, "find", overtaken)
    if is_planned:
        assert undo(swapped).status is StepStatus.UNDO
        assert row(swapped, name).held_by == UNDO
    else:
        with pytest.raises(InvalidRequest, match="beginning just now"):
            undo(swapped)


def test_a_retirement_whose_cluster_has_its_name_back_ends_without_a_word(swapped: FakeAws) -> None:
    undo(swapped)
    undone = row(swapped, UNDO)
    undone.status = OperationStatus.SUCCEEDED
    swapped.operations.save(undone)
    messages, before = len(swapped.topic.messages), list(swapped.west.changes)
    answer = retire(swapped, delete_rds)
    assert (answer.status, answer.details) == (StepStatus.READY, {"operation": f"undone by {UNDO}"})
    assert row(swapped, f"{OPERATION}-retirement").status is OperationStatus.SUCCEEDED
    assert (len(swapped.topic.messages), swapped.west.changes) == (messages, before)


def test_an_execution_that_cannot_be_stopped_changes_no_undo(swapped: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: str) -> None:
        raise aws_error("AccessDeniedException")

    undo(swapped)
    swapped.goes_on_as(UNDO)
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)
    swapped.run(archive_snapshot)
    monkeypatch.setattr(swapped.executions, "stop_execution", refused)
    close_undo(swapped)
    assert row(swapped, UNDO).status is OperationStatus.SUCCEEDED
    assert row(swapped, f"{OPERATION}-retirement").status is OperationStatus.SUCCEEDED


@pytest.mark.parametrize("gone", ["deleted", "deleting"])
def test_after_the_grace_it_is_refused_with_what_can_be_done(swapped: FakeAws, gone: str) -> None:
    name, final = aside(swapped), swapped.operation.identifiers.final_snapshot_id
    if gone == "deleted":
        del swapped.west.clusters[name]
    else:
        swapped.west.clusters[name]["Status"] = "deleting"
    before = len(swapped.west.changes)
    with pytest.raises(InvalidRequest, match=f"restore its final snapshot {final}") as refused:
        undo(swapped)
    assert f"the old cluster {name} as {'gone' if gone == 'deleted' else 'deleting'};" in str(refused.value)
    assert len(swapped.west.changes) == before
    assert swapped.operations.find(UNDO) is None
    another = StartEvent(operation_id="next", execution_arn=EXECUTION_ARN.replace(OPERATION, "next"), request={})
    assert snapshot_check(another, swapped.services).status is StepStatus.READY, "the lock was given back"


def test_once_a_later_run_has_the_name_that_one_is_to_be_undone(swapped: FakeAws) -> None:
    swapped.west.clusters[TARGET]["TagList"] = []
    with pytest.raises(InvalidRequest, match="undo the later run instead"):
        undo(swapped)


@pytest.mark.parametrize("status", ["stopping", "stopped"])
def test_a_swap_whose_new_cluster_is_stopped_is_undone_once_that_is_started(swapped: FakeAws, status: str) -> None:
    swapped.west.clusters[TARGET]["Status"] = status
    before = len(swapped.west.changes)
    with pytest.raises(InvalidRequest, match="RDS renames no stopped one; what to do: start it"):
        undo(swapped)
    assert len(swapped.west.changes) == before
    assert row(swapped, f"{OPERATION}-retirement").held_by is None
    swapped.west.clusters[TARGET]["Status"] = "available"
    assert undo(swapped).status is StepStatus.UNDO


def test_a_retirement_that_has_begun_is_not_undone(swapped: FakeAws) -> None:
    retirement = row(swapped, f"{OPERATION}-retirement")
    retirement.deletion_record().started_at = swapped.clock.now()
    swapped.operations.save(retirement)
    with pytest.raises(InvalidRequest, match=r"the retirement of staging-old-.* at work since"):
        undo(swapped)


@pytest.mark.parametrize("operation_id", ["nobody", f"{OPERATION}-retirement"])
def test_only_a_swap_can_be_undone(swapped: FakeAws, operation_id: str) -> None:
    with pytest.raises(InvalidRequest, match="undo: found"):
        undo(swapped, operation_id)


def test_an_undo_cannot_be_undone_and_says_what_can_be_done(swapped: FakeAws) -> None:
    undo(swapped)
    swapped.goes_on_as(UNDO)
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)
    swapped.run(archive_snapshot)
    close_undo(swapped)
    event = StartEvent(operation_id="back", execution_arn=UNDO_ARN.replace(UNDO, "back"), request={"undo": UNDO})
    with pytest.raises(InvalidRequest, match=r"operation undo-1, which undid nightly-1.* rename staging and "):
        snapshot_check(event, swapped.services)
    with pytest.raises(InvalidRequest, match="staging as another cluster than operation nightly-1 made"):
        snapshot_check(event.model_copy(update={"request": {"undo": OPERATION}}), swapped.services)


def test_a_swap_that_is_not_over_is_resumed_before_it_is_undone(swapped: FakeAws) -> None:
    unfinished = row(swapped, OPERATION)
    assert unfinished.swap is not None
    unfinished.swap.finished_at = None
    swapped.operations.save(unfinished)
    with pytest.raises(InvalidRequest, match=r"whose exchange of names is not over.*\./restore\.sh resume nightly-1"):
        undo(swapped)


def test_of_two_undos_at_once_one_is_refused_and_takes_nothing_from_the_other(swapped: FakeAws) -> None:
    undo(swapped)
    swapped.executions.running.add(UNDO_ARN)
    second = StartEvent(
        operation_id="undo-2", execution_arn=UNDO_ARN.replace(UNDO, "undo-2"), request={"undo": OPERATION}
    )
    with pytest.raises(OperationInProgress, match="operation undo-1 on staging"):
        snapshot_check(second, swapped.services)
    assert row(swapped, f"{OPERATION}-retirement").held_by == UNDO
    assert retire(swapped, delete_rds).details["waiting_for"].startswith("the end of undo-1")
    swapped.goes_on_as(UNDO)
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)


def test_a_retirement_that_begins_while_an_undo_is_planned_finds_the_undo_that_holds_it(
    swapped: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, before, answers = swapped.operations.save, list(swapped.west.changes), list[StepResult]()

    def then_the_retirement_begins(operation: Operation) -> None:
        save(operation)
        if operation.held_by == UNDO and not answers:
            monkeypatch.setattr(swapped.operations, "save", save)
            answers.append(retire(swapped, delete_rds))

    monkeypatch.setattr(swapped.operations, "save", then_the_retirement_begins)
    undo(swapped)
    assert [answer.details["waiting_for"] for answer in answers] == ["the end of undo-1, which undoes the swap"]
    assert swapped.west.changes == before


def test_a_call_of_an_undo_that_was_killed_before_its_hold_holds_when_it_is_made_again(
    swapped: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = swapped.operations.save

    def killed(operation: Operation) -> None:
        if operation.held_by == UNDO:
            raise InterruptedError
        save(operation)

    monkeypatch.setattr(swapped.operations, "save", killed)
    with pytest.raises(InterruptedError):
        undo(swapped)
    monkeypatch.setattr(swapped.operations, "save", save)
    assert undo(swapped).status is StepStatus.UNDO
    assert row(swapped, f"{OPERATION}-retirement").held_by == UNDO


@pytest.mark.parametrize("status", ["backing-up", "maintenance", "modifying"])
def test_an_old_cluster_that_aws_works_on_is_waited_for_before_anything_is_renamed(
    swapped: FakeAws, status: str
) -> None:
    old = swapped.west.clusters[aside(swapped)]
    old["Status"] = status
    assert undo(swapped).status is StepStatus.UNDO
    swapped.goes_on_as(UNDO)
    before = list(swapped.west.changes)
    for _ in range(3):
        answer = swap(swapped, arn=UNDO_ARN, operation_id=UNDO)
        assert answer.details["waiting_for"] == f"{old['DBClusterIdentifier']} ({status})"
    assert swapped.west.changes == before
    old["Status"] = "available"
    to_the_end(swapped, arn=UNDO_ARN, operation_id=UNDO)
    assert swapped.west.clusters[TARGET]["DbClusterResourceId"] == old["DbClusterResourceId"]


def test_an_old_cluster_that_somebody_stopped_is_to_be_started_first(swapped: FakeAws) -> None:
    name = aside(swapped)
    swapped.west.clusters[name]["Status"] = "stopped"
    with pytest.raises(
        InvalidRequest, match=f"found {name} as stopped.*start-db-cluster --db-cluster-identifier {name}"
    ):
        undo(swapped)


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_an_old_cluster_that_somebody_took_the_tag_from_is_not_renamed_nor_is_the_other(
    swapped: FakeAws, kind: str
) -> None:
    name = aside(swapped)
    members = [item for item in swapped.west.instances.values() if item["DBClusterIdentifier"] == name]
    untagged = swapped.west.clusters[name] if kind == "cluster" else members[0]
    untagged["TagList"] = []
    undo(swapped)
    before = list(swapped.west.changes)
    with pytest.raises(TargetNotReplaceable):
        swap(swapped, arn=UNDO_ARN, operation_id=UNDO)
    assert swapped.west.changes == before, "IAM would have refused it its name once the other had lost it"
    assert swap(swapped, back=True, arn=UNDO_ARN, operation_id=UNDO).status is StepStatus.READY


def test_undo_stands_alone_in_its_request(swapped: FakeAws) -> None:
    with pytest.raises(InvalidRequest, match="and other fields beside it"):
        undo(swapped, dry_run=True)


def test_a_run_that_works_on_the_target_is_waited_for(swapped: FakeAws) -> None:
    arn = EXECUTION_ARN.replace(OPERATION, "other")
    swapped.executions.running.add(arn)
    snapshot_check(StartEvent(operation_id="other", execution_arn=arn, request={}), swapped.services)
    with pytest.raises(OperationInProgress):
        undo(swapped)
