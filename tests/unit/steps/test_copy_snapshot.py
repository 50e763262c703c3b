"""Steps 2 and 3: the copy is started once and looked at until it is available."""

import pytest

from tests.fakes.aws import KEY_ARN, OPERATION, FakeAws
from tests.fakes.rds_items import tags_of
from utils.errors import AwsUnavailable, CopyFailed, IdentifierTaken, PhaseTimedOut, QuotaReached, UnknownStatus
from utils.operation import StepName
from utils.step import StepStatus
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


def test_with_five_copies_in_progress_the_step_is_tried_again(planned: FakeAws) -> None:
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    with pytest.raises(QuotaReached):
        planned.run(copy_snapshot)
    planned.run(copy_snapshot)


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
    with pytest.raises(CopyFailed, match="found no snapshot aurora-restore-copy-staging"):
        planned.run(check_copy_status)


def test_an_unknown_status_stops_the_run(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.west.snapshots[planned.operation.identifiers.copy_id]["Status"] = "hibernating"
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
