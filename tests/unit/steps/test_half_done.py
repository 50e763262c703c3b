"""What a run left half-done is adopted when it is resumed, and refused if somebody else made it."""

from typing import Any

import pytest

from tests.fakes.aws import FakeAws, Step
from tests.unit.steps.stories import fail, resume, resume_after_failure
from utils import errors
from utils.operation.model import UsersRecord
from utils.runtime.contract import StepStatus
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot


def test_a_copy_in_progress_goes_on(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    resume_after_failure(planned)
    assert planned.run(copy_snapshot).status is StepStatus.IN_PROGRESS
    assert len(planned.west.snapshots) == 1


def test_a_final_snapshot_in_progress_is_waited_for(copied: FakeAws) -> None:
    copied.run(delete_rds)
    resume_after_failure(copied)
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert copied.west.changes.count("create_db_cluster_snapshot") == 1
    assert copied.west.destroyed == []


@pytest.mark.parametrize("first", [delete_rds, check_delete_status])
def test_a_final_snapshot_of_before_a_resumption_is_taken_anew_as_people_went_on_working(
    copied: FakeAws, first: Step
) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    earlier = copied.operation.identifiers.final_snapshot_id
    copied.west.clusters["staging"]["DeletionProtection"] = True
    with pytest.raises(errors.TargetProtected):
        copied.run(delete_rds)
    fail(copied, error="TargetProtected")
    copied.clock.advance(hours=20)
    copied.west.clusters["staging"]["DeletionProtection"] = False
    resume(copied)
    copied.run(first)
    copied.run(delete_rds)
    later = copied.operation.identifiers.final_snapshot_id
    assert later != earlier
    assert copied.west.snapshots[later]["Status"] == "creating"
    assert copied.west.destroyed == [], "a day of work is in no snapshot"
    copied.clock.advance(hours=1)
    copied.west.settle()
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    copied.run(delete_rds)
    copied.west.settle()
    assert copied.run(check_delete_status).status is StepStatus.READY
    assert copied.operation.deletion is not None
    assert copied.operation.deletion.final_snapshot_arn == copied.west.snapshots[later]["DBClusterSnapshotArn"]
    assert earlier in copied.west.snapshots


def test_a_final_snapshot_that_a_resumption_takes_may_take_its_time(copied: FakeAws) -> None:
    resume_after_failure(copied)
    copied.run(delete_rds)
    copied.clock.advance(hours=1)
    copied.west.settle()
    copied.run(delete_rds)
    assert copied.west.changes.count("create_db_cluster_snapshot") == 1
    assert copied.west.clusters["staging"]["Status"] == "deleting"


def test_a_final_snapshot_of_a_moment_before_a_resumption_will_do(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    resume_after_failure(copied)
    copied.run(delete_rds)
    assert copied.west.changes.count("create_db_cluster_snapshot") == 1
    assert copied.west.clusters["staging"]["Status"] == "deleting"


def test_a_final_snapshot_that_failed_is_taken_again(copied: FakeAws) -> None:
    copied.run(delete_rds)
    final = copied.operation.identifiers.final_snapshot_id
    copied.west.snapshots[final]["Status"] = "failed"
    resume_after_failure(copied)
    copied.run(delete_rds)
    assert final not in copied.west.snapshots
    assert copied.run(check_delete_status).status is StepStatus.SNAPSHOT_READY
    copied.run(delete_rds)
    assert copied.west.snapshots[final]["Status"] == "creating"
    assert copied.west.destroyed == []


def test_members_that_are_gone_while_the_cluster_stands_are_no_hindrance(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.west.fail("delete_db_cluster", "InternalFailure")
    with pytest.raises(errors.AwsRequestRejected):
        copied.run(delete_rds)
    copied.west.settle()
    assert copied.west.instances == {}
    resume_after_failure(copied)

    copied.run(delete_rds)
    assert copied.west.clusters["staging"]["Status"] == "deleting"
    copied.west.settle()
    assert copied.run(check_delete_status).status is StepStatus.READY


def test_a_half_created_cluster_goes_on(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    resume_after_failure(deleted)
    assert deleted.run(delete_rds).status is StepStatus.READY
    assert deleted.run(restore_snapshot).status is StepStatus.IN_PROGRESS
    assert deleted.west.changes.count("restore_db_cluster_from_snapshot") == 1


def test_missing_instances_are_created(restored: FakeAws) -> None:
    del restored.west.instances["staging-2"]
    resume_after_failure(restored)
    assert restored.run(delete_rds).status is StepStatus.READY
    restored.run(restore_snapshot)
    assert sorted(restored.west.instances) == ["staging-1", "staging-2"]


@pytest.mark.parametrize("status", ["incompatible-restore", "failed", "incompatible-network"])
def test_a_restored_cluster_that_failed_is_removed_and_restored_again(restored: FakeAws, status: str) -> None:
    restored.west.clusters["staging"]["Status"] = status
    restored.west.instances["staging-2"]["DBInstanceStatus"] = "deleting"
    resume_after_failure(restored)

    assert restored.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert restored.west.clusters["staging"]["Status"] == "deleting"
    assert restored.run(check_delete_status).status is StepStatus.IN_PROGRESS
    restored.west.settle()
    assert restored.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert restored.run(check_delete_status).status is StepStatus.READY
    restored.run(restore_snapshot)
    assert restored.west.clusters["staging"]["Status"] == "creating"


def test_an_instance_that_failed_is_removed_and_created_again(restored: FakeAws) -> None:
    restored.west.instances["staging-2"]["DBInstanceStatus"] = "insufficient-capacity"
    resume_after_failure(restored)

    waiting = restored.run(delete_rds)
    assert waiting.details["waiting_for"] == "half-restored staging-2 to be deleted"
    assert restored.run(check_delete_status).details["waiting_for"] == "staging-2 to be deleted"
    restored.west.settle()
    assert restored.run(check_delete_status).status is StepStatus.READY
    restored.run(restore_snapshot)
    assert sorted(restored.west.instances) == ["staging-1", "staging-2"]


def test_an_instance_that_somebody_else_added_outlives_the_failure_of_one_of_ours(restored: FakeAws) -> None:
    restored.west.has_instance("reporting", "staging", DBInstanceStatus="failed")
    restored.west.instances["staging-2"]["DBInstanceStatus"] = "incompatible-network"
    resume_after_failure(restored)
    restored.run(delete_rds)
    deleted = [asked["DBInstanceIdentifier"] for asked in restored.west.asked("delete_db_instance")]
    assert deleted[2:] == ["staging-2"]


def test_a_failed_cluster_with_an_instance_of_somebody_else_is_not_removed(restored: FakeAws) -> None:
    restored.west.has_instance("reporting", "staging")
    restored.west.clusters["staging"]["Status"] = "incompatible-restore"
    resume_after_failure(restored)
    before = len(restored.west.destroyed)
    with pytest.raises(errors.RestoreFailed, match="in it reporting, which this operation did not make"):
        restored.run(delete_rds)
    assert len(restored.west.destroyed) == before


def test_a_half_restored_cluster_stays_when_its_snapshot_is_gone(restored: FakeAws) -> None:
    restored.west.clusters["staging"]["Status"] = "failed"
    resume_after_failure(restored)
    del restored.west.snapshots[restored.operation.identifiers.copy_id]
    with pytest.raises(errors.SnapshotNotAvailable):
        restored.run(delete_rds)
    assert restored.west.clusters["staging"]["Status"] == "failed"


def test_a_cluster_that_was_complete_is_not_removed_whatever_became_of_it(restored: FakeAws) -> None:
    restored.run(check_restore_status)
    restored.west.clusters["staging"]["Status"] = "inaccessible-encryption-credentials"
    before = list(restored.west.destroyed)
    resume_after_failure(restored)
    assert restored.run(delete_rds).status is StepStatus.READY
    assert restored.west.destroyed == before


def test_in_a_first_run_nothing_of_ours_is_removed(restored: FakeAws) -> None:
    restored.west.clusters["staging"]["Status"] = "failed"
    before = list(restored.west.destroyed)
    assert restored.run(delete_rds).status is StepStatus.READY
    assert restored.west.destroyed == before


@pytest.mark.parametrize("step", [delete_rds, restore_snapshot])
def test_somebody_elses_cluster_under_the_name_is_refused(deleted: FakeAws, step: Any) -> None:
    deleted.west.has_cluster("staging", tags={"aurora-restore:operation-id": "nightly-0"})
    fail(deleted)
    with pytest.raises(errors.TargetChanged):
        resume(deleted)
    with pytest.raises((errors.TargetChanged, errors.IdentifierTaken), match="find out who made it"):
        deleted.run(step)


def test_the_users_are_set_up_anew_under_the_present_master_password(restored: FakeAws) -> None:
    restored.run(check_restore_status)
    operation = restored.operation
    operation.users = UsersRecord(master_reset_at=restored.clock.now(), shut_out=["prod_app"])
    restored.operations.save(operation)
    resume_after_failure(restored)
    users = restored.operation.users
    assert users is not None
    assert (users.master_reset_at, users.shut_out) == (None, ["prod_app"])
