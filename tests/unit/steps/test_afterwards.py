"""What becomes of a restored cluster when its hours are over: stopped or deleted, and nothing that is another's."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import aws_error
from tests.unit.metrics_log import measured
from tests.unit.steps.afterwards import (
    AFTERWARDS,
    AFTERWARDS_ARN,
    afterwards,
    change,
    check,
    close,
    end,
    follow,
    look,
    to_the_end,
    up_to_the_users,
)
from tests.unit.steps.stories import LOCK, SECOND_ARN, ended, resume
from tests.unit.steps.swaps import Door
from utils import tags
from utils.errors import InvalidRequest, OperationNotResumable, TargetProtected
from utils.operation.model import OperationStatus
from utils.operation.store import TargetLock
from utils.runtime.contract import StartEvent, StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.snapshot_check import snapshot_check

STOP = {"action": "stop", "after_hours": 8}
DELETE = {"action": "delete", "after_hours": 8}


@pytest.fixture
def fresh(aws: FakeAws, door: Door) -> FakeAws:
    """An old target, and a database that lets the users in."""
    assert door
    aws.has_old_target()
    return aws


def text(aws: FakeAws) -> str:
    return str(aws.topic.messages[-1]["Message"])


AT_ONCE = {"action": "delete", "after_hours": 0}
NO_SENSE: list[tuple[dict[str, Any], str, str]] = [
    ({"afterwards": DELETE, "strategy": "swap"}, "afterwards", "strategy replace, or action stop"),
    ({"afterwards": AT_ONCE, "source": {"snapshot": "new"}}, "afterwards", 'a source.snapshot other than "new"'),
    ({"afterwards": STOP | {"after_hours": 1e-300}}, "afterwards.after_hours", "at least 0.001 hours"),
    ({"afterwards": STOP | {"after_hours": 8001}}, "afterwards.after_hours", "less than or equal to 8000"),
    ({"afterwards": STOP | {"action": "sell"}}, "afterwards.action", "'stop' or 'delete'"),
    ({"afterwards": {"action": "stop"}}, "afterwards.after_hours", "a value"),
]
SAID_OF_THE_END = [(True, "with final snapshot aurora-restore-final-staging-"), (False, "without a final snapshot")]


class TestThePlan:
    def test_says_when_it_is_stopped_and_that_aws_starts_it_again_after_seven_days(self, aws: FakeAws) -> None:
        aws.start(afterwards=STOP)
        said = "\n".join(aws.operation.plan.actions)
        assert "stop staging 8 hours after the run, if it is still the cluster of this run" in said
        assert "AWS starts a cluster again that has been stopped for seven days" in said

    @pytest.mark.parametrize(("final", "words"), SAID_OF_THE_END)
    def test_says_that_it_is_deleted_and_what_stays_of_it(self, aws: FakeAws, final: bool, words: str) -> None:
        aws.start(afterwards=DELETE, final_snapshot=final)
        said = "\n".join(aws.operation.plan.actions)
        assert "delete staging 8 hours after the run, " + words in said

    @pytest.mark.parametrize("override", [True, False])
    def test_says_what_will_keep_it_from_being_deleted(self, aws: FakeAws, override: bool) -> None:
        aws.start(afterwards=DELETE, override_deletion_protection=override, target={"deletion_protection": True})
        said = "\n".join(aws.operation.plan.actions)
        assert ("its deletion protection keeps it until somebody switches that off" in said) is not override

    @pytest.mark.parametrize(("request_", "field", "words"), NO_SENSE)
    def test_refuses_what_makes_no_sense(self, aws: FakeAws, request_: Any, field: str, words: str) -> None:
        with pytest.raises(InvalidRequest) as raised:
            aws.start(**request_)
        assert str(raised.value).startswith(f"{field}: ")
        assert words in str(raised.value)
        assert aws.west.changes == []

    def test_starts_nothing_before_the_run_has_proven_its_cluster(self, fresh: FakeAws) -> None:
        up_to_the_users(fresh, afterwards=STOP)
        assert fresh.operations.find(AFTERWARDS) is None
        end(fresh, error="UsersNotProven")
        assert fresh.operations.find(AFTERWARDS) is None, "a failed run leaves its cluster to the next one"


class TestAStop:
    def test_comes_when_the_hours_are_over_and_not_before(self, fresh: FakeAws) -> None:
        starts = to_the_end(fresh, afterwards=STOP)
        assert starts == [{"name": AFTERWARDS, "input": {"operation_id": AFTERWARDS, "wait_seconds": 8 * 3600}}]
        answer = look(fresh)
        assert answer.status is StepStatus.IN_PROGRESS
        assert answer.wait_seconds is not None
        assert 8 * 3600 - 60 < answer.wait_seconds <= 8 * 3600
        assert check(fresh).status is StepStatus.SNAPSHOT_READY, "Delete RDS looks and acts in one"
        assert fresh.west.asked("stop_db_cluster") == []
        fresh.clock.advance(seconds=8 * 3600)
        follow(fresh)
        assert fresh.west.asked("stop_db_cluster") == [{"DBClusterIdentifier": "staging"}]
        assert fresh.west.clusters["staging"]["Status"] == "stopped"
        assert afterwards(fresh).status is OperationStatus.SUCCEEDED
        assert "staging, which operation nightly-1 restored, is stopped" in text(fresh)
        assert "stopped for seven days" in text(fresh)

    def test_is_asked_for_once_however_often_it_is_looked_at(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        look(fresh)
        look(fresh)
        assert len(fresh.west.asked("stop_db_cluster")) == 1
        assert fresh.west.clusters["staging"]["Status"] == "stopping"

    def test_waits_until_the_cluster_can_be_stopped(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        fresh.west.clusters["staging"]["Status"] = "backing-up"
        answer = look(fresh)
        assert answer.details == {"waiting_for": "staging (backing-up) to be stopped"}
        assert fresh.west.asked("stop_db_cluster") == []

    def test_does_nothing_to_the_cluster_of_a_later_run(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        later = tags.own_tags(tags.Role.TARGET, "nightly-2", "staging")
        fresh.west.has_cluster("staging", members=2, tags=later)
        before = list(fresh.west.changes)
        follow(fresh)
        assert fresh.west.changes == before
        assert "staging is another cluster by now, made by nightly-2" in text(fresh)

    def test_does_nothing_to_a_cluster_with_its_tags_and_another_resource_id(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        fresh.west.clusters["staging"]["DbClusterResourceId"] = "cluster-ANOTHER"
        before = list(fresh.west.changes)
        follow(fresh)
        assert fresh.west.changes == before
        assert "staging is another cluster by now, made by nightly-1" in text(fresh)

    def test_looks_at_the_cluster_once_nobody_else_can_be_at_work_on_its_name(
        self, fresh: FakeAws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        lock = fresh.operations.acquire_lock

        def after_another_run(*args: Any, **named: Any) -> TargetLock:
            fresh.west.has_cluster("staging", members=2, tags=tags.own_tags(tags.Role.TARGET, "nightly-2", "staging"))
            return lock(*args, **named)

        monkeypatch.setattr(fresh.operations, "acquire_lock", after_another_run)
        follow(fresh)
        assert fresh.west.asked("stop_db_cluster") == []
        assert "staging is another cluster by now, made by nightly-2" in text(fresh)

    def test_waits_while_another_run_has_the_target_and_gives_the_lock_back(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        now = fresh.operation.created_at
        held = TargetLock(holder="nightly-2", execution_arn="arn:2", acquired_at=now, expires_at=now.replace(year=2099))
        fresh.operations.acquire_lock("us-west-2", "staging", held)
        fresh.executions.running.add("arn:2")
        answer = look(fresh)
        assert (answer.status, answer.wait_seconds) == (StepStatus.IN_PROGRESS, 900)
        assert "operation nightly-2 on staging" in answer.details["waiting_for"]
        fresh.operations.release_lock("us-west-2", "staging", "nightly-2")
        follow(fresh)
        assert LOCK not in fresh.operations.locks

    def test_has_a_row_from_the_day_of_its_run_and_measures_no_lock_as_old_as_that(
        self, fresh: FakeAws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        assert capsys.readouterr()
        look(fresh)
        names = {item.name for item in measured(capsys.readouterr().out)}
        assert names == {"Polls"}


class TestADeletion:
    def test_takes_a_final_snapshot_first_and_leaves_what_the_next_run_builds_from(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "delete", "after_hours": 1})
        fresh.clock.advance(seconds=3600)
        follow(fresh)
        assert "staging" not in fresh.west.clusters
        final = afterwards(fresh).identifiers.final_snapshot_id
        assert fresh.west.snapshots[final]["Status"] == "available"
        assert final != fresh.operation.identifiers.final_snapshot_id
        assert final in "\n".join(fresh.operation.plan.actions), "as the plan said"
        assert f"Final snapshot: {fresh.west.snapshots[final]['DBClusterSnapshotArn']}" in text(fresh)
        assert fresh.operations.find_target_record("us-west-2", "staging") is not None

    @pytest.mark.parametrize("override", [False, True])
    def test_leaves_a_cluster_that_somebody_has_protected(self, fresh: FakeAws, override: bool) -> None:
        wanted = {"action": "delete", "after_hours": 1}
        to_the_end(fresh, afterwards=wanted, override_deletion_protection=override)
        fresh.clock.advance(seconds=3600)
        fresh.west.clusters["staging"]["DeletionProtection"] = True
        with pytest.raises(TargetProtected):
            look(fresh)
        close(fresh, error="TargetProtected")
        assert fresh.west.clusters["staging"]["Status"] == "available"
        assert "Left behind: staging, staging-1, staging-2" in text(fresh)

    def test_overrides_the_protection_that_the_run_gave_where_the_request_says_so(self, fresh: FakeAws) -> None:
        fresh.west.clusters["staging"]["DeletionProtection"] = True
        wanted = {"action": "delete", "after_hours": 1}
        to_the_end(fresh, afterwards=wanted, override_deletion_protection=True)
        assert fresh.operation.plan.settings.deletion_protection is True, "as the old target had it"
        fresh.west.clusters["staging"]["DeletionProtection"] = True
        fresh.clock.advance(seconds=3600)
        follow(fresh)
        assert "staging" not in fresh.west.clusters

    def test_is_told_as_its_own_when_delete_rds_is_called_again_once_the_cluster_is_gone(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "delete", "after_hours": 1})
        fresh.clock.advance(seconds=3600)
        look(fresh)
        while "staging" in fresh.west.clusters:
            fresh.west.settle()
            if check(fresh).status is StepStatus.SNAPSHOT_READY:
                look(fresh)
        follow(fresh)
        assert "somebody deleted or renamed it" not in text(fresh)
        final = fresh.west.snapshots[afterwards(fresh).identifiers.final_snapshot_id]
        assert f"Final snapshot: {final['DBClusterSnapshotArn']}" in text(fresh)

    def test_is_done_when_somebody_else_was_faster(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "delete", "after_hours": 1})
        fresh.clock.advance(seconds=3600)
        fresh.west.clusters.clear()
        fresh.west.instances.clear()
        follow(fresh)
        assert "somebody deleted or renamed it" in text(fresh)
        deletion = afterwards(fresh).deletion
        assert deletion is not None
        assert deletion.finished_at is not None


class TestAChange:
    def test_puts_it_off_for_as_long_as_it_has_not_begun(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards=STOP)
        answer = change(fresh, afterwards_of=OPERATION, postpone_hours=20)
        assert answer.status is StepStatus.AFTERWARDS_CHANGED
        assert answer.details["afterwards"].startswith("stop staging at ")
        fresh.clock.advance(seconds=8 * 3600)
        waits = look(fresh).wait_seconds
        assert waits is not None
        assert 12 * 3600 - 60 < waits <= 12 * 3600
        fresh.clock.advance(seconds=12 * 3600)
        follow(fresh)
        assert fresh.west.clusters["staging"]["Status"] == "stopped"

    def test_calls_it_off_for_good_and_says_so_again(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards=STOP)
        first = change(fresh, afterwards_of=OPERATION, cancel=True)
        again = change(fresh, afterwards_of=OPERATION, cancel=True)
        assert "staging stays: to stop it is called off" in first.details["afterwards"]
        assert "was called off" in again.details["afterwards"]
        fresh.clock.advance(seconds=9 * 3600)
        answer = look(fresh)
        assert answer.details == {"operation": "SUCCEEDED, nothing is left to do"}
        assert fresh.west.clusters["staging"]["Status"] == "available"

    def test_tells_nobody_that_it_had_no_run(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards=STOP)
        change(fresh, afterwards_of=OPERATION, cancel=True)
        told = len(fresh.topic.messages)
        assert ended(fresh, "SUCCEEDED", f"{EXECUTION_ARN}-change").status is StepStatus.READY
        assert len(fresh.topic.messages) == told
        assert fresh.operations.find_unplanned(f"{OPERATION}-change") is None

    @pytest.mark.parametrize(
        ("request_", "words"),
        [
            ({"afterwards_of": "nightly-9", "cancel": True}, "operation nightly-9, after which nothing is to become"),
            ({"afterwards_of": OPERATION}, '"cancel": true in place of the hours'),
            ({"afterwards_of": OPERATION, "cancel": True, "postpone_hours": 1}, "in place of the hours"),
            ({"afterwards_of": OPERATION, "cancel": False}, "in place of the hours"),
            ({"afterwards_of": OPERATION, "postpone_hours": 0}, "<0.001 to 8000>"),
            ({"afterwards_of": OPERATION, "postpone_hours": 3}, "it is put off, not brought forward"),
            ({"afterwards_of": OPERATION, "cancel": True, "target": {}}, "the fields afterwards_of, cancel, target"),
        ],
    )
    def test_is_refused_where_it_fits_nothing(self, fresh: FakeAws, request_: Any, words: str) -> None:
        to_the_end(fresh, afterwards=STOP)
        with pytest.raises(InvalidRequest) as raised:
            change(fresh, **request_)
        assert words in str(raised.value)

    def test_is_refused_once_it_has_begun_or_is_over(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        look(fresh)
        with pytest.raises(InvalidRequest, match="being dealt with"):
            change(fresh, afterwards_of=OPERATION, cancel=True)
        follow(fresh)
        with pytest.raises(InvalidRequest, match=r"after which nothing is left to do \(it is over\)"):
            change(fresh, afterwards_of=OPERATION, postpone_hours=9)

    def test_is_refused_beyond_the_year_after_which_step_functions_ends_what_waits(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards=STOP)
        waiting = afterwards(fresh)
        waiting.executions[-1].started_at -= timedelta(hours=1000)
        fresh.operations.save(waiting)
        due = waiting.afterwards
        with pytest.raises(InvalidRequest, match="at most 7758 hours, as no execution waits for longer than a year"):
            change(fresh, afterwards_of=OPERATION, postpone_hours=7759)
        assert afterwards(fresh).afterwards == due
        change(fresh, afterwards_of=OPERATION, postpone_hours=7757)

    def test_says_of_one_that_failed_that_its_cluster_stays(self, fresh: FakeAws) -> None:
        to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
        close(fresh, error="AccessDenied")
        with pytest.raises(InvalidRequest, match=f"stays unless somebody has {AFTERWARDS} go on, which failed"):
            change(fresh, afterwards_of=OPERATION, cancel=True)

    def test_is_refused_when_it_begins_in_the_same_moment(
        self, fresh: FakeAws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to_the_end(fresh, afterwards=STOP)
        find = fresh.operations.find
        seen = find(AFTERWARDS)
        assert seen is not None
        fresh.clock.advance(seconds=9 * 3600)
        look(fresh)
        earlier = iter([seen])
        monkeypatch.setattr(fresh.operations, "find", lambda name: next(earlier, None) or find(name))
        with pytest.raises(InvalidRequest, match="being dealt with just now"):
            change(fresh, afterwards_of=OPERATION, cancel=True)


def test_it_is_resumed_by_nobody_but_its_own_execution(fresh: FakeAws) -> None:
    to_the_end(fresh, afterwards={"action": "stop", "after_hours": 0})
    close(fresh, error="AccessDenied")
    event = StartEvent(operation_id="again", execution_arn=f"{EXECUTION_ARN}-again", request={"resume": AFTERWARDS})
    with pytest.raises(OperationNotResumable, match="which is to stop the cluster of nightly-1"):
        snapshot_check(event, fresh.services)


def test_a_second_call_of_the_last_step_but_one_starts_the_same_execution(fresh: FakeAws) -> None:
    up_to_the_users(fresh, afterwards=STOP)
    first = fresh.run(archive_snapshot).details["afterwards"]
    due = afterwards(fresh).afterwards
    fresh.clock.advance(seconds=60)
    assert fresh.run(archive_snapshot).details["afterwards"] == first
    assert afterwards(fresh).afterwards == due
    assert afterwards(fresh).execution_arn == AFTERWARDS_ARN
    assert REPLACEABLE_TAG.items() <= tags.own_tags(tags.Role.TARGET, OPERATION, "staging").items()


def test_what_was_never_started_as_its_run_was_stopped_is_over_until_that_is_resumed(
    fresh: FakeAws,
) -> None:
    up_to_the_users(fresh, afterwards=STOP)
    starts = fresh.run(archive_snapshot).details["afterwards"]
    ended(fresh)
    assert afterwards(fresh).status is OperationStatus.SUCCEEDED
    resume(fresh)
    assert fresh.run(archive_snapshot).details["afterwards"] == starts
    row = afterwards(fresh)
    assert (row.status, row.finished_at, row.notified_at) == (OperationStatus.RUNNING, None, None)
    end(fresh, arn=SECOND_ARN)
    assert row.afterwards is not None
    assert row.afterwards.due_at is not None
    fresh.clock.advance(hours=9)
    follow(fresh)
    assert fresh.west.clusters["staging"]["Status"] == "stopped"


def test_a_run_that_cannot_tell_whether_it_was_started_leaves_it_and_ends_nevertheless(
    fresh: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    up_to_the_users(fresh, afterwards=STOP)
    fresh.run(archive_snapshot)

    def refused(**_: Any) -> None:
        raise aws_error("AccessDeniedException")

    monkeypatch.setattr(fresh.executions, "describe_execution", refused)
    ended(fresh)
    assert fresh.operation.status is OperationStatus.FAILED
    assert afterwards(fresh).status is OperationStatus.RUNNING
