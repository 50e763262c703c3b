"""Steps 4 and 5: the old target goes, after its final snapshot, members first, and never more than was planned."""

from typing import Any

import pytest

from tests.fakes.aws import OPERATION, REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import tags_of
from tests.unit.steps.stories import copy_is_ready, fail, resume
from utils import errors
from utils.operation.model import StepName
from utils.runtime.contract import StepResult, StepStatus
from utils.steps.check_delete_status import check_delete_status
from utils.steps.delete_rds import delete_rds


def final_snapshot_id(aws: FakeAws) -> str:
    return aws.operation.identifiers.final_snapshot_id


def test_an_absent_target_is_done(aws: FakeAws) -> None:
    copy_is_ready(aws)
    result = aws.run(delete_rds)
    assert (result.status, result.details) == (StepStatus.READY, {"old_target": "absent"})
    assert aws.operation.deletion is None


def test_first_comes_the_final_snapshot_and_nothing_else(copied: FakeAws) -> None:
    result = copied.run(delete_rds)

    assert result.status is StepStatus.IN_PROGRESS
    assert result.details["waiting_for"] == "the final snapshot of staging (available)"
    snapshot = copied.west.snapshots[final_snapshot_id(copied)]
    assert (snapshot["DBClusterIdentifier"], snapshot["Status"]) == ("staging", "creating")
    assert tags_of(snapshot)["aurora-restore:role"] == "final"
    assert tags_of(snapshot)["aurora-restore:operation-id"] == OPERATION
    assert copied.west.destroyed == []


def test_while_the_final_snapshot_is_made_nothing_is_deleted(copied: FakeAws) -> None:
    copied.run(delete_rds)
    assert copied.run(check_delete_status).status is StepStatus.IN_PROGRESS
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert copied.west.destroyed == []


def test_when_the_final_snapshot_is_available_members_go_and_then_the_cluster(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY

    copied.run(delete_rds)

    assert copied.west.destroyed == ["delete_db_instance", "delete_db_instance", "delete_db_cluster"]
    record = copied.operation.deletion
    assert record is not None
    assert record.deleted_members == ["staging-1", "staging-2"]
    assert record.final_snapshot_arn == copied.west.snapshots[final_snapshot_id(copied)]["DBClusterSnapshotArn"]


def test_a_member_that_rds_still_shows_when_the_cluster_is_gone_is_waited_for(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    left = dict(copied.west.instances["staging-2"])
    copied.west.settle()
    copied.west.instances["staging-2"] = left
    waiting = copied.run(check_delete_status)
    assert (waiting.status, waiting.details["waiting_for"]) == (StepStatus.IN_PROGRESS, "staging-2 to be deleted")
    del copied.west.instances["staging-2"]
    assert copied.run(check_delete_status).status is StepStatus.READY


def test_when_cluster_and_members_are_gone_the_step_is_ready(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    waiting = copied.run(check_delete_status)
    copied.west.settle()
    copied.clock.advance(minutes=10)
    result = copied.run(check_delete_status)

    assert waiting.details["waiting_for"] == "staging and 2 instances to be deleted"
    assert (result.status, copied.operation.current_step) == (StepStatus.READY, StepName.CHECK_DELETE_STATUS)
    assert copied.operation.deletion is not None
    assert copied.operation.deletion.finished_at == copied.clock.now()
    assert copied.run(check_delete_status) == result


def test_a_member_that_outlives_its_cluster_is_waited_for(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    del copied.west.clusters["staging"]
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert copied.run(check_delete_status).details["waiting_for"] == "staging-1, staging-2 to be deleted"
    copied.west.instances.clear()
    assert copied.run(check_delete_status).status is StepStatus.READY


def test_a_second_delete_deletes_nothing_twice(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    first = copied.west.destroyed
    copied.run(delete_rds)
    assert copied.west.destroyed == first


def test_killed_after_the_deletion_the_final_snapshot_is_still_told(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    row = copied.operations.rows[OPERATION]
    copied.run(delete_rds)
    copied.operations.rows[OPERATION] = row
    copied.west.settle()

    copied.run(delete_rds)
    assert copied.run(check_delete_status).status is StepStatus.READY

    assert copied.operation.deletion is not None
    assert (
        copied.operation.deletion.final_snapshot_arn
        == (copied.west.snapshots[final_snapshot_id(copied)]["DBClusterSnapshotArn"])
    )


def test_without_a_final_snapshot_the_target_goes_at_once(aws: FakeAws) -> None:
    aws.has_old_target()
    copy_is_ready(aws, final_snapshot=False)
    aws.run(delete_rds)
    assert "create_db_cluster_snapshot" not in aws.west.changes
    assert aws.west.clusters["staging"]["Status"] == "deleting"
    aws.west.settle()
    assert aws.run(check_delete_status).status is StepStatus.READY


def test_without_a_final_snapshot_a_target_that_is_left_is_deleted_again(aws: FakeAws) -> None:
    aws.has_old_target()
    copy_is_ready(aws, final_snapshot=False)
    assert aws.run(check_delete_status).status is StepStatus.SNAPSHOT_READY


def test_an_overridden_protection_is_switched_off_right_before_the_deletion(aws: FakeAws) -> None:
    aws.has_old_target(DeletionProtection=True)
    copy_is_ready(aws, override_deletion_protection=True)
    aws.run(delete_rds)
    assert aws.west.destroyed == []
    aws.west.settle()
    aws.run(delete_rds)
    assert aws.west.destroyed == ["modify_db_cluster", "delete_db_instance", "delete_db_instance", "delete_db_cluster"]
    assert aws.operation.deletion is not None
    assert aws.operation.deletion.protection_switched_off


def test_a_cluster_that_is_busy_is_snapshotted_when_it_is_not(copied: FakeAws) -> None:
    copied.west.clusters["staging"]["Status"] = "modifying"
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert copied.run(check_delete_status).status is StepStatus.IN_PROGRESS
    assert "create_db_cluster_snapshot" not in copied.west.changes

    copied.west.clusters["staging"]["Status"] = "available"
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    copied.run(delete_rds)
    assert final_snapshot_id(copied) in copied.west.snapshots


@pytest.mark.parametrize(
    "status", ["incompatible-restore", "incompatible-network", "inaccessible-encryption-credentials"]
)
def test_a_cluster_that_cannot_be_snapshotted_stays(copied: FakeAws, status: str) -> None:
    copied.west.clusters["staging"]["Status"] = status
    with pytest.raises(errors.TargetNotDeletable, match=f"with status {status}.*final_snapshot: false"):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


def test_a_cluster_with_an_unknown_status_stays(copied: FakeAws) -> None:
    copied.west.clusters["staging"]["Status"] = "hibernating"
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    copied.clock.advance(minutes=31)
    with pytest.raises(errors.UnknownStatus):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


def test_a_final_snapshot_that_failed_keeps_the_target(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.snapshots[final_snapshot_id(copied)]["Status"] = "failed"
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    with pytest.raises(errors.DeleteFailed, match="the old target was not deleted"):
        copied.run(check_delete_status)
    assert copied.west.destroyed == []


@pytest.mark.parametrize("status", ["creating", "available"])
def test_a_resumed_run_keeps_the_final_snapshot_that_was_taken(copied: FakeAws, status: str) -> None:
    copied.run(delete_rds)
    fail(copied)
    resume(copied)
    copied.west.snapshots[final_snapshot_id(copied)]["Status"] = status
    for _ in range(2):
        copied.run(delete_rds)
    assert copied.west.asked("delete_db_cluster_snapshot") == []
    assert len(copied.west.asked("create_db_cluster_snapshot")) == 1


def test_somebody_elses_snapshot_under_the_final_name_keeps_the_target(copied: FakeAws) -> None:
    copied.west.has_snapshot(final_snapshot_id(copied), of="staging")
    for step in (delete_rds, check_delete_status):
        with pytest.raises(errors.IdentifierTaken):
            copied.run(step)
    assert copied.west.destroyed == []


def test_a_snapshot_of_another_cluster_is_no_final_snapshot(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.snapshots[final_snapshot_id(copied)] |= {"Status": "available", "DbClusterResourceId": "cluster-OTHER"}
    with pytest.raises(errors.IdentifierTaken, match="of cluster-OTHER"):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


@pytest.mark.parametrize("found", ["failed", None])
def test_a_final_snapshot_that_is_lost_stops_before_the_restore(copied: FakeAws, found: str | None) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    copied.west.settle()
    if found:
        copied.west.snapshots[final_snapshot_id(copied)]["Status"] = found
    else:
        del copied.west.snapshots[final_snapshot_id(copied)]
        assert copied.run(check_delete_status).status is StepStatus.IN_PROGRESS
        copied.clock.advance(minutes=11)
    with pytest.raises(errors.DeleteFailed, match="the restore was not started"):
        copied.run(check_delete_status)


def test_a_final_snapshot_that_goes_back_holds_the_restore_up(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    copied.west.settle()
    copied.west.snapshots[final_snapshot_id(copied)]["Status"] = "creating"
    assert copied.run(check_delete_status).status is StepStatus.IN_PROGRESS
    copied.west.settle()
    assert copied.run(check_delete_status).status is StepStatus.READY


def test_a_target_that_rds_hides_at_the_first_look_is_not_forgotten(copied: FakeAws) -> None:
    show = copied.west.hide(copied.west.clusters, "staging")
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    show()
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY


def test_a_target_that_somebody_else_deleted_is_gone(copied: FakeAws) -> None:
    copied.west.clusters.clear()
    copied.west.instances.clear()
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert copied.run(check_delete_status).status is StepStatus.READY


def test_a_stopped_target_is_started_then_snapshotted_then_deleted(copied: FakeAws) -> None:
    copied.west.clusters["staging"]["Status"] = "stopped"
    assert copied.run(delete_rds).details["waiting_for"] == "the start of staging"
    assert copied.run(check_delete_status).status is StepStatus.IN_PROGRESS
    copied.west.settle()
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    changes = [name for name in copied.west.changes if name != "copy_db_cluster_snapshot"]
    assert changes == [
        "start_db_cluster", "create_db_cluster_snapshot",
        "delete_db_instance", "delete_db_instance", "delete_db_cluster",
    ]  # fmt: skip


def test_a_target_that_was_stopped_meanwhile_is_started_as_well(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.west.clusters["staging"]["Status"] = "stopping"
    assert copied.run(check_delete_status).status is StepStatus.IN_PROGRESS
    copied.west.clusters["staging"]["Status"] = "stopped"
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY


@pytest.mark.parametrize("status", ["backing-up", "maintenance", "starting"])
@pytest.mark.parametrize("final_snapshot", [True, False])
def test_a_target_that_aws_works_on_is_waited_for(aws: FakeAws, status: str, final_snapshot: bool) -> None:
    aws.has_old_target()
    copy_is_ready(aws, final_snapshot=final_snapshot)
    aws.west.clusters["staging"]["Status"] = status
    for _ in range(3):
        assert aws.run(delete_rds).status is StepStatus.IN_PROGRESS
        assert aws.run(check_delete_status).status is StepStatus.IN_PROGRESS
    assert aws.west.changes == ["copy_db_cluster_snapshot"]
    aws.west.clusters["staging"]["Status"] = "available"
    assert aws.run(check_delete_status).status is StepStatus.SNAPSHOT_READY


def test_a_phase_past_its_budget_deletes_nothing_more(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.clock.advance(hours=2, seconds=1)
    with pytest.raises(errors.PhaseTimedOut):
        copied.run(check_delete_status)
    assert copied.west.destroyed == []


def test_a_member_that_is_added_while_deleting_goes_too(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    delete_cluster = copied.west.delete_db_cluster

    def scale_out(**params: Any) -> Any:
        copied.west.has_instance("staging-autoscaled", "staging", tags=REPLACEABLE_TAG)
        copied.west.delete_db_cluster = delete_cluster  # type: ignore[method-assign]
        return delete_cluster(**params)

    copied.west.delete_db_cluster = scale_out  # type: ignore[method-assign]
    assert "InvalidDBClusterStateFault" in copied.run(delete_rds).details["waiting_for"]
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    copied.run(delete_rds)
    assert copied.west.clusters["staging"]["Status"] == "deleting"
    assert copied.operation.deletion is not None
    assert copied.operation.deletion.deleted_members == ["staging-1", "staging-2", "staging-autoscaled"]


def test_an_old_answer_after_the_deletion_only_costs_a_look(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    copied.west.clusters["staging"]["Status"] = "available"
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS


def test_the_row_tells_of_the_deletion_before_it_begins(copied: FakeAws) -> None:
    copied.run(delete_rds)
    assert copied.operation.deletion is not None
    assert copied.operation.deletion.destroying_since is None
    copied.west.settle()
    copied.west.fail("delete_db_instance", "Throttling")
    with pytest.raises(errors.AwsThrottled):
        copied.run(delete_rds)
    assert copied.operation.deletion.destroying_since == copied.clock.now()
    assert copied.operation.deletion.deleted_members == ["staging-1", "staging-2"]


def test_a_final_snapshot_without_room_waits_for_what_is_pruned_and_then_fails(copied: FakeAws) -> None:
    copied.west.fail("create_db_cluster_snapshot", "SnapshotQuotaExceeded")
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    copied.west.fail("create_db_cluster_snapshot", "SnapshotQuotaExceeded")
    copied.west.has_snapshot("busy", Status="copying")
    with pytest.raises(errors.SnapshotQuotaFull):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


def run_late(aws: FakeAws) -> StepResult:
    aws.run(delete_rds)
    aws.clock.advance(hours=2, seconds=1)
    return aws.run(check_delete_status)


def test_a_deletion_past_its_budget_stops_the_run(copied: FakeAws) -> None:
    with pytest.raises(errors.PhaseTimedOut) as stopped:
        run_late(copied)
    assert stopped.value.field == "budgets.delete_hours"


def test_answered_late_when_the_target_is_restored_the_step_is_done(restored: FakeAws) -> None:
    before = restored.west.destroyed
    assert restored.run(delete_rds).status is StepStatus.READY
    assert restored.run(check_delete_status).status is StepStatus.READY
    assert restored.west.destroyed == before
