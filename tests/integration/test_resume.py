"""What failed, was stopped or timed out goes on: with another execution that names the operation, or with a redrive."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World, tags_of
from tests.waiting import wait_for


@dataclass(frozen=True)
class Resumption:
    """A run that ended early, and the execution that went on with it."""

    old: dict[str, Any]
    first: Outcome
    second: Outcome
    row: dict[str, Any]

    def expect_one_restore(self, world: World) -> None:
        """Fail unless the second execution restored the target, under the first one's id."""
        self.second.expect_success()
        assert self.second.output["operation_id"] == self.first.operation_id
        assert (self.row["status"], "error" in self.row) == ("SUCCEEDED", False)
        first, second = self.row["executions"]
        assert first["execution_arn"] == world.execution_arn(self.first.operation_id)
        assert second["execution_arn"] == world.execution_arn(self.second.operation_id)
        assert first["error"]["name"] == self.first.error
        cluster = world.cluster(self.first.target_id)
        assert tags_of(cluster)["aurora-restore:operation-id"] == self.first.operation_id
        assert cluster["Status"] == "available"
        assert self.second.lock is None


def resumed(world: World, target: str, operation: str, identifier: str, status: str) -> Resumption:
    """Let a call start what ends in a status, run into that, then go on."""
    old = world.old_target(target)
    world.fault("end-in", operation, identifier, status=status)
    calls = len(world.journal())
    first = world.run({"target": {"cluster_id": target}})
    second = world.start({"resume": first.operation_id}, f"{first.operation_id}-again")
    return Resumption(old, first, world.end_of(second, target, calls), world.row(first.operation_id) or {})


@story
def resumed_after_the_copy(world: World) -> Resumption:
    return resumed(world, "resume-copy", "CopyDBClusterSnapshot", "aurora-restore-copy-resume-copy-*", "failed")


@story
def resumed_after_the_final_snapshot(world: World) -> Resumption:
    return resumed(world, "resume-final", "CreateDBClusterSnapshot", "aurora-restore-final-resume-final-*", "failed")


@story
def resumed_after_the_restore(world: World) -> Resumption:
    return resumed(world, "resume-restore", "RestoreDBClusterFromSnapshot", "resume-restore", "incompatible-restore")


@story
def resumed_after_an_instance(world: World) -> Resumption:
    return resumed(world, "resume-instance", "CreateDBInstance", "resume-instance-1", "incompatible-network")


def test_after_a_failed_copy_the_operation_goes_on(world: World, resumed_after_the_copy: Resumption) -> None:
    resumed_after_the_copy.first.expect_failure("CopyFailed", "resume the operation")
    resumed_after_the_copy.expect_one_restore(world)


def test_after_a_failed_final_snapshot_the_operation_goes_on(
    world: World, resumed_after_the_final_snapshot: Resumption
) -> None:
    resumed_after_the_final_snapshot.first.expect_failure("DeleteFailed", "resume the operation")
    resumed_after_the_final_snapshot.expect_one_restore(world)


def test_after_a_failed_restore_the_operation_goes_on(world: World, resumed_after_the_restore: Resumption) -> None:
    resumed_after_the_restore.first.expect_failure("RestoreFailed", "resume the operation")
    resumed_after_the_restore.expect_one_restore(world)


def test_after_a_failed_instance_the_operation_goes_on(world: World, resumed_after_an_instance: Resumption) -> None:
    resumed_after_an_instance.first.expect_failure("RestoreFailed", "resume the operation")
    resumed_after_an_instance.expect_one_restore(world)


def test_what_was_done_is_not_done_again(resumed_after_the_restore: Resumption) -> None:
    operations = resumed_after_the_restore.second.changed_operations
    assert operations.count("CopyDBClusterSnapshot") == 1
    assert operations.count("CreateDBClusterSnapshot") == 1
    assert operations.count("RestoreDBClusterFromSnapshot") == 2


def test_the_message_of_the_failure_says_how_to_go_on(resumed_after_the_copy: Resumption) -> None:
    [message] = [item for item in resumed_after_the_copy.first.messages if "FAILED" in item.subject]
    assert json.dumps({"resume": resumed_after_the_copy.first.operation_id}) in message.text


@dataclass(frozen=True)
class Stopped:
    """A run that was stopped while its copy was made, its row then, and what a redrive made of it."""

    name: str
    row: dict[str, Any]
    lock: dict[str, Any] | None
    redriven: Outcome


@story
def stopped_and_redriven(world: World) -> Stopped:
    world.old_target("redriven")
    world.fault("freeze", "CopyDBClusterSnapshot", "aurora-restore-copy-redriven-*")
    states = world.client("stepfunctions")
    name = world.start({"target": {"cluster_id": "redriven"}})
    copy = wait_for(lambda: next(iter(world.snapshots("copy", "redriven")), None), "the copy")
    states.stop_execution(executionArn=world.execution_arn(name), cause="Planted-Pa55word")
    closed = wait_for(lambda: (row := world.row(name)) and row["status"] == "FAILED" and row, "the closed row")
    wait_for(lambda: any(name in item.text for item in world.mailbox.messages()), "the message")
    lock = world.row("lock#us-west-2#redriven")
    world.cloud.aurora_control("POST", "release", {"arn": copy["DBClusterSnapshotArn"]})
    states.redrive_execution(executionArn=world.execution_arn(name))
    return Stopped(name, closed, lock, world.end_of(name, "redriven"))


def test_a_stopped_execution_leaves_a_closed_row_and_no_lock(world: World, stopped_and_redriven: Stopped) -> None:
    error = stopped_and_redriven.row["error"]
    assert error["name"] == "ExecutionStopped"
    assert error["step"] in ("Copy Snapshot", "Check Copy Status")
    assert stopped_and_redriven.lock is None
    told = [item for item in world.mailbox.messages() if stopped_and_redriven.name in item.text]
    assert [item.subject for item in told] == [
        "Aurora restore of redriven FAILED: ExecutionStopped",
        "Aurora restore of redriven SUCCEEDED",
    ] or [item.subject for item in told] == ["Aurora restore of redriven FAILED: ExecutionStopped"]
    assert not any("Planted" in item.text for item in told)


def test_a_redrive_of_it_goes_on_where_it_was(stopped_and_redriven: Stopped) -> None:
    outcome = stopped_and_redriven.redriven.expect_success()
    assert outcome.states.count("Snapshot Check") == 1
    assert outcome.changed_operations.count("CopyDBClusterSnapshot") == 1
    first, second = outcome.row["executions"]
    assert (first["redrive_count"], second["redrive_count"]) == (0, 1)
    assert first["error"]["name"] == "ExecutionStopped"


@story
def resumed_twice_at_once(world: World) -> tuple[Outcome, list[Outcome]]:
    world.old_target("resume-twice")
    world.fault("end-in", "CopyDBClusterSnapshot", "aurora-restore-copy-resume-twice-*", status="failed")
    first = world.run({"target": {"cluster_id": "resume-twice"}})
    names = [world.start({"resume": first.operation_id}, f"{first.operation_id}-{letter}") for letter in "ab"]
    return first, [world.end_of(name, "resume-twice") for name in names]


def test_of_two_that_resume_at_once_one_works(resumed_twice_at_once: tuple[Outcome, list[Outcome]]) -> None:
    first, both = resumed_twice_at_once
    [winner] = [outcome for outcome in both if outcome.status == "SUCCEEDED"]
    [loser] = [outcome for outcome in both if outcome.status == "FAILED"]
    assert loser.error == "OperationInProgress"
    assert first.operation_id in loser.cause
    assert winner.changed_operations.count("RestoreDBClusterFromSnapshot") == 1


@pytest.mark.parametrize(
    ("request_of_it", "error"),
    [
        ({"resume": "nobody-knows-it"}, "OperationNotFound"),
        ({"resume": 7}, "InvalidRequest"),
        ({"resume": "a b"}, "InvalidRequest"),
        ({"resume": "x", "dry_run": True}, "InvalidRequest"),
    ],
)
def test_what_cannot_be_resumed_is_refused(world: World, request_of_it: dict[str, Any], error: str) -> None:
    expect_refusal(world.run(request_of_it), error, "nothing was changed")


def expect_refusal(outcome: Outcome, error: str, words: str) -> None:
    """Fail unless the resuming execution was refused; its audit is the operation's that it named."""
    assert (outcome.status, outcome.error) == ("FAILED", error)
    assert words in outcome.cause
    assert outcome.row["error"]["name"] == error
    [message] = outcome.messages
    assert message.subject == f"Aurora restore of {outcome.operation_id} FAILED: {error}"


def test_a_success_is_not_resumed(world: World, resumed_after_the_copy: Resumption) -> None:
    outcome = world.run({"resume": resumed_after_the_copy.first.operation_id})
    expect_refusal(outcome, "OperationNotResumable", "which succeeded")
    refused = [row for row in world.audit_rows(resumed_after_the_copy.first.operation_id) if row["event"] == "FAILED"]
    assert refused[-1]["status"] == "OperationNotResumable"
