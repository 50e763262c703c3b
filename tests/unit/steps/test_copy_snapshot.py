"""Steps 2 and 3: the copy is started once and looked at until it is available."""

import pytest

from tests.fakes.aws import KEY_ARN, OPERATION, FakeAws
from tests.fakes.rds_items import tags_of
from utils.errors import (
    AwsUnavailable,
    CopyFailed,
    IdentifierTaken,
    PhaseTimedOut,
    ResourceBusy,
    SnapshotQuotaFull,
    UnknownStatus,
)
from utils.operation.model import StepName
from utils.runtime.contract import StepResult, StepStatus
from utils.steps.check_copy_status import check_copy_status
from utils.steps.copy_snapshot import copy_snapshot


def test_the_copy_is_made_in_the_target_region_with_our_key_and_tags(planned: FakeAws) -> None:
    result = planned.run(copy_snapshot)

    assert (result.status, result.wait_seconds) == (StepStatus.IN_PROGRESS, 15)
    (asked,) = planned.west.asked("copy_db_cluster_snapshot")
    assert asked["SourceDBClusterSnapshotIdentifier"] == planned.operation.snapshot.arn
    assert asked["KmsKeyId"] == KEY_ARN
    copy = planned.west.snapshots[planned.operation.identifiers.copy_id]
    assert tags_of(copy) == {
        "aurora-restore:managed": "true",
        "aurora-restore:operation-id": OPERATION,
        "aurora-restore:role": "copy",
        "aurora-restore:target-cluster-id": "staging",
    }
    assert planned.operation.copied is not None
    assert planned.operation.copied.started_at == planned.clock.now()
    assert planned.east.changes == []


def test_a_snapshot_that_needs_no_copy_is_left_where_it_is(aws: FakeAws) -> None:
    aws.west.has_snapshot("prod-local")
    aws.start(source={"region": "us-west-2"})
    result = aws.run(copy_snapshot)
    assert (result.status, result.details["skipped"]) == (StepStatus.READY, aws.operation.plan.copy_reason)
    assert aws.west.changes == []


def test_a_second_call_takes_the_copy_as_ours_and_keeps_its_start(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    started = planned.clock.now()
    planned.clock.advance(hours=1)
    planned.run(copy_snapshot)
    assert planned.operation.copied is not None
    assert planned.operation.copied.started_at == started


def test_somebody_elses_snapshot_under_the_name_is_refused(planned: FakeAws) -> None:
    planned.west.has_snapshot(planned.operation.identifiers.copy_id)
    with pytest.raises(IdentifierTaken, match="a copy of nothing"):
        planned.run(copy_snapshot)


def test_a_copy_of_the_same_snapshot_by_another_run_is_refused(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    copy = planned.west.snapshots[planned.operation.identifiers.copy_id]
    copy["TagList"] = [{"Key": "aurora-restore:managed", "Value": "true"}]
    with pytest.raises(IdentifierTaken):
        planned.run(check_copy_status)


def test_a_copy_that_rds_does_not_show_yet_is_looked_at_later(planned: FakeAws) -> None:
    planned.west.fail("describe_db_cluster_snapshots", "DBClusterSnapshotNotFoundFault")
    assert planned.run(copy_snapshot).status is StepStatus.IN_PROGRESS


def test_with_five_copies_in_progress_the_copy_waits_its_turn(planned: FakeAws) -> None:
    for number in range(5):
        planned.west.has_snapshot(f"busy-{number}", Status="copying")
    for _ in range(2):
        planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
        waiting = planned.run(copy_snapshot)
        assert waiting.status is StepStatus.IN_PROGRESS
        assert waiting.details["waiting_for"] == "one of 5 other snapshot copies to end"
        assert planned.run(check_copy_status).status is StepStatus.COPY_AGAIN
    planned.run(copy_snapshot)
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_a_copy_whose_turn_comes_while_it_is_refused_asks_again(planned: FakeAws) -> None:
    busy = [planned.west.has_snapshot(f"busy-{number}", Status="copying") for number in range(5)]
    refuse(planned)
    for ended in busy:
        ended["Status"] = "available"

    assert refuse(planned).details["waiting_for"] == "room for one more manual snapshot"

    planned.run(copy_snapshot)
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_a_copy_that_others_outrun_again_and_again_waits_until_none_goes_on(planned: FakeAws) -> None:
    other = planned.west.has_snapshot("busy", Status="copying")
    for _ in range(4):
        assert refuse(planned).details["waiting_for"] == "another snapshot copy to end"
    other["Status"] = "available"
    refuse(planned)
    with pytest.raises(SnapshotQuotaFull, match="none of them a copy in progress"):
        refuse(planned)


def refuse(aws: FakeAws) -> StepResult:
    """Let RDS refuse the copy by a quota, and look."""
    aws.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    result = aws.run(copy_snapshot)
    assert aws.run(check_copy_status).status is StepStatus.COPY_AGAIN
    return result


def test_waiting_for_its_turn_counts_for_the_copys_budget(planned: FakeAws) -> None:
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    planned.run(copy_snapshot)
    planned.clock.advance(hours=12, seconds=1)
    with pytest.raises(PhaseTimedOut):
        planned.run(check_copy_status)


OWN = {
    "aurora-restore:managed": "true",
    "aurora-restore:role": "copy",
    "aurora-restore:operation-id": "earlier",
    "aurora-restore:target-cluster-id": "staging",
}


def test_when_the_region_is_full_of_snapshots_our_own_beyond_those_to_keep_go_first(planned: FakeAws) -> None:
    for number in range(5):
        planned.west.has_snapshot(f"ours-{number}", hours_old=number, tags=OWN)
        planned.west.has_snapshot(f"theirs-{number}", hours_old=99)
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    assert planned.run(copy_snapshot).details["waiting_for"] == "room, ours-3, ours-4 being deleted"
    deleted = [asked["DBClusterSnapshotIdentifier"] for asked in planned.west.asked("delete_db_cluster_snapshot")]
    assert deleted == ["ours-3", "ours-4"]
    assert planned.run(check_copy_status).status is StepStatus.COPY_AGAIN
    assert planned.run(copy_snapshot).status is StepStatus.IN_PROGRESS


def test_when_nothing_of_ours_may_go_the_run_fails_and_says_so(planned: FakeAws) -> None:
    planned.west.has_snapshot("theirs", hours_old=99)
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    planned.run(copy_snapshot)
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    with pytest.raises(SnapshotQuotaFull, match=r"found 1 manual cluster snapshots in us-west-2.*keep fewer"):
        planned.run(copy_snapshot)
    assert planned.west.asked("delete_db_cluster_snapshot") == []


@pytest.mark.parametrize("status", ["failed", "incompatible-restore"])
def test_a_copy_of_ours_that_failed_is_made_again(planned: FakeAws, status: str) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots[planned.operation.identifiers.copy_id]["Status"] = status
    with pytest.raises(ResourceBusy, match="being deleted to be made again"):
        planned.run(copy_snapshot)
    assert planned.run(copy_snapshot).status is StepStatus.IN_PROGRESS
    assert planned.west.changes == [
        "copy_db_cluster_snapshot",
        "delete_db_cluster_snapshot",
        "copy_db_cluster_snapshot",
    ]


def test_a_copy_that_is_being_deleted_is_waited_for(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots[planned.operation.identifiers.copy_id]["Status"] = "deleting"
    with pytest.raises(ResourceBusy):
        planned.run(copy_snapshot)
    assert planned.west.asked("delete_db_cluster_snapshot") == []


def test_a_finished_copy_that_is_gone_is_made_again(copied: FakeAws) -> None:
    copied.west.snapshots.clear()
    assert copied.run(copy_snapshot).status is StepStatus.IN_PROGRESS
    assert copied.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_a_copy_that_goes_back_is_waited_for(copied: FakeAws) -> None:
    copied.west.snapshots[copied.operation.identifiers.copy_id]["Status"] = "copying"
    assert copied.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_an_answer_that_got_lost_does_no_harm(planned: FakeAws) -> None:
    planned.west.fail("describe_db_cluster_snapshots", "InternalFailure")
    planned.west._failures["describe_db_cluster_snapshots"].response["ResponseMetadata"]["HTTPStatusCode"] = 500
    with pytest.raises(AwsUnavailable):
        planned.run(copy_snapshot)
    planned.run(copy_snapshot)
    assert len(planned.west.snapshots) == 1


def test_a_copy_in_progress_is_told_with_its_percentage(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots[planned.operation.identifiers.copy_id]["PercentProgress"] = 40
    planned.clock.advance(hours=1)

    result = planned.run(check_copy_status)

    assert (result.status, result.wait_seconds, result.details["percent"]) == (StepStatus.IN_PROGRESS, 72, 40)
    assert planned.operation.copied is not None
    assert planned.operation.copied.percent == 40


def test_when_the_copy_is_available_the_step_is_ready(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.clock.advance(minutes=20)
    planned.west.settle()

    result = planned.run(check_copy_status)
    planned.clock.advance(minutes=20)
    again = planned.run(check_copy_status)

    assert result == again
    assert result.status is StepStatus.READY
    record = planned.operation.copied
    assert record is not None
    assert record.finished_at is not None
    assert (record.finished_at - record.started_at).total_seconds() == 1200
    assert (planned.operation.current_step, record.arn) == (StepName.CHECK_COPY_STATUS, result.details["copy_arn"])


@pytest.mark.parametrize("status", ["failed", "deleting", "deleted", "incompatible-restore", "incompatible-parameters"])
def test_a_copy_that_failed_stops_the_run_with_its_status(planned: FakeAws, status: str) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots[planned.operation.identifiers.copy_id]["Status"] = status
    with pytest.raises(CopyFailed, match=f"with status {status}.*the old target was not touched"):
        planned.run(check_copy_status)


def test_a_copy_that_vanished_stops_the_run(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots.clear()
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS
    planned.clock.advance(minutes=11)
    with pytest.raises(CopyFailed, match="found no snapshot aurora-restore-copy-staging"):
        planned.run(check_copy_status)


def test_a_copy_that_rds_hides_for_a_moment_goes_on(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    for _ in range(3):
        show = planned.west.hide(planned.west.snapshots, planned.operation.identifiers.copy_id)
        assert planned.run(check_copy_status).details["waiting_for"].endswith(" to be shown")
        show()
        planned.clock.advance(minutes=9)
        assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_an_unknown_status_stops_the_run_only_once_it_lasts(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots[planned.operation.identifiers.copy_id]["Status"] = "hibernating"
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS
    planned.clock.advance(minutes=29)
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS
    planned.clock.advance(minutes=2)
    with pytest.raises(UnknownStatus, match="'hibernating'"):
        planned.run(check_copy_status)


def test_a_copy_that_takes_longer_than_its_budget_stops_the_run(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.clock.advance(hours=12, seconds=1)
    with pytest.raises(PhaseTimedOut) as stopped:
        planned.run(check_copy_status)
    assert stopped.value.field == "budgets.copy_hours"


def test_a_copy_that_ended_after_its_budget_is_still_good(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.clock.advance(hours=13)
    planned.west.settle()
    assert planned.run(check_copy_status).status is StepStatus.READY
