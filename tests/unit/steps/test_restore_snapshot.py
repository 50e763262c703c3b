"""Steps 6 and 7: first the cluster, then its instances, until all of it is available."""

import pytest

from tests.fakes.aws import OPERATION, REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import tags_of
from utils import errors
from utils.operation.model import StepName
from utils.report.summary import summarise
from utils.runtime.contract import StepStatus
from utils.steps.check_restore_status import check_restore_status
from utils.steps.restore_snapshot import restore_snapshot


def test_the_cluster_is_restored_from_the_copy_with_the_planned_settings(deleted: FakeAws) -> None:
    result = deleted.run(restore_snapshot)

    assert (result.status, result.wait_seconds) == (StepStatus.IN_PROGRESS, 15)
    (asked,) = deleted.west.asked("restore_db_cluster_from_snapshot")
    operation = deleted.operation
    assert asked["SnapshotIdentifier"] == operation.identifiers.copy_id
    assert asked["EngineVersion"] == "17.4"
    assert asked["DBSubnetGroupName"] == "default"
    tags = tags_of(deleted.west.clusters["staging"])
    assert (tags["aurora-restore:operation-id"], tags["aurora-restore:replaceable"]) == (OPERATION, "true")
    assert operation.restore is not None
    assert operation.restore.started_at == deleted.clock.now()
    assert "create_db_instance" not in deleted.west.changes


def test_a_snapshot_that_needed_no_copy_is_restored_by_its_arn(aws: FakeAws) -> None:
    arn = aws.west.has_snapshot("prod-local")["DBClusterSnapshotArn"]
    aws.start(source={"region": "us-west-2"}, target={"tags": {"team": "a", "cost": "b"}})
    aws.run(restore_snapshot)
    (asked,) = aws.west.asked("restore_db_cluster_from_snapshot")
    assert asked["SnapshotIdentifier"] == arn
    assert tags_of(aws.west.clusters["staging"])["team"] == "a"


def test_while_the_cluster_is_created_there_are_no_instances(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    assert deleted.run(check_restore_status).details["waiting_for"] == "cluster staging (creating)"
    deleted.run(restore_snapshot)
    assert "create_db_instance" not in deleted.west.changes


def test_when_the_cluster_is_available_its_instances_are_created(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.settle()
    looked = deleted.run(check_restore_status)
    assert (looked.status, looked.details) == (
        StepStatus.CLUSTER_READY,
        {"instances_to_create": ["staging-1", "staging-2"]},
    )

    deleted.run(restore_snapshot)

    created = deleted.west.asked("create_db_instance")
    assert [asked["DBInstanceIdentifier"] for asked in created] == ["staging-1", "staging-2"]
    assert all(asked["PubliclyAccessible"] is False for asked in created)
    assert tags_of(deleted.west.instances["staging-2"])["aurora-restore:replaceable"] == "true"
    assert deleted.run(check_restore_status).details["waiting_for"] == (
        "instance staging-1 (creating), instance staging-2 (creating)"
    )


def test_when_everything_is_available_the_step_is_ready(restored: FakeAws) -> None:
    restored.clock.advance(minutes=20)
    result = restored.run(check_restore_status)
    restored.clock.advance(minutes=20)

    assert result == restored.run(check_restore_status)
    assert result.status is StepStatus.READY
    record = restored.operation.restore
    assert record is not None
    assert record.finished_at is not None
    assert (record.finished_at - record.started_at).total_seconds() == 1200
    assert (record.endpoint, record.port) == ("staging.cluster-x.us-west-2.rds.amazonaws.com", 5432)
    assert (record.instance_ids, record.engine_version) == (["staging-1", "staging-2"], "17.4")
    assert restored.operation.current_step is StepName.CHECK_RESTORE_STATUS


def test_a_second_restore_creates_nothing_twice(restored: FakeAws) -> None:
    before = list(restored.west.changes)
    restored.run(restore_snapshot)
    assert restored.west.changes == before


def test_an_instance_that_is_missing_is_created_again(restored: FakeAws) -> None:
    del restored.west.instances["staging-2"]
    assert restored.run(check_restore_status).details == {"instances_to_create": ["staging-2"]}
    restored.run(restore_snapshot)
    assert "staging-2" in restored.west.instances


def test_a_restore_that_rds_does_not_show_yet_is_not_doubled(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.fail("describe_db_clusters", "DBClusterNotFoundFault")
    assert deleted.run(restore_snapshot).status is StepStatus.IN_PROGRESS
    assert len(deleted.west.clusters) == 1


def test_somebody_elses_cluster_under_the_name_is_not_touched(deleted: FakeAws) -> None:
    deleted.west.has_cluster("staging", members=0, tags={"aurora-restore:operation-id": "nightly-0"})
    before = list(deleted.west.changes)
    for step in (restore_snapshot, check_restore_status):
        with pytest.raises(errors.IdentifierTaken, match="made by operation nightly-0"):
            deleted.run(step)
    assert deleted.west.changes == before


def test_an_instance_of_another_cluster_under_a_planned_name_stops_the_run(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.settle()
    deleted.west.has_instance("staging-2", "somebody-elses")
    with pytest.raises(errors.IdentifierTaken, match="instance staging-2 of cluster somebody-elses"):
        deleted.run(restore_snapshot)


def test_a_cluster_that_vanished_stops_the_run(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.clusters.clear()
    assert deleted.run(check_restore_status).details["waiting_for"] == "cluster staging to be shown"
    deleted.clock.advance(minutes=11)
    with pytest.raises(errors.RestoreFailed, match="found no cluster staging"):
        deleted.run(check_restore_status)


@pytest.mark.parametrize(
    "status", ["incompatible-restore", "inaccessible-encryption-credentials", "deleting", "stopped"]
)
def test_a_cluster_that_will_not_get_well_stops_the_run(deleted: FakeAws, status: str) -> None:
    deleted.run(restore_snapshot)
    deleted.west.clusters["staging"]["Status"] = status
    assert deleted.run(restore_snapshot).status is StepStatus.IN_PROGRESS
    with pytest.raises(errors.RestoreFailed, match=f"staging with status {status}.*final snapshot"):
        deleted.run(check_restore_status)


@pytest.mark.parametrize("status", ["incompatible-network", "insufficient-capacity", "failed", "deleting"])
def test_an_instance_that_will_not_get_well_stops_the_run(restored: FakeAws, status: str) -> None:
    restored.west.instances["staging-2"]["DBInstanceStatus"] = status
    with pytest.raises(errors.RestoreFailed, match=f"staging-2 with status {status}"):
        restored.run(check_restore_status)


@pytest.mark.parametrize("resource", ["cluster", "instance"])
def test_an_unknown_status_stops_the_run_only_once_it_lasts(restored: FakeAws, resource: str) -> None:
    if resource == "cluster":
        restored.west.clusters["staging"]["Status"] = "hibernating"
        assert restored.run(restore_snapshot).status is StepStatus.IN_PROGRESS
    else:
        restored.west.instances["staging-1"]["DBInstanceStatus"] = "hibernating"
    assert "(hibernating)" in restored.run(check_restore_status).details["waiting_for"]
    restored.clock.advance(minutes=31)
    with pytest.raises(errors.UnknownStatus, match="'hibernating'"):
        restored.run(check_restore_status)
    if resource == "cluster":
        with pytest.raises(errors.UnknownStatus):
            restored.run(restore_snapshot)


def test_a_status_that_was_unknown_for_a_while_hinders_nothing(restored: FakeAws) -> None:
    restored.west.clusters["staging"]["Status"] = "hibernating"
    restored.run(check_restore_status)
    restored.west.clusters["staging"]["Status"] = "available"
    restored.clock.advance(minutes=31)
    assert restored.run(check_restore_status).status is StepStatus.READY


def test_a_change_that_waits_for_its_maintenance_window_is_told_and_not_waited_for(restored: FakeAws) -> None:
    restored.west.instances["staging-2"]["PendingModifiedValues"] = {"DBInstanceClass": "db.r8g.xlarge"}
    assert "pending changes of instance staging-2" in restored.run(check_restore_status).details["waiting_for"]
    restored.clock.advance(minutes=11)
    assert restored.run(check_restore_status).status is StepStatus.READY
    assert summarise(restored.operation).notes == [
        "a change of instance staging-2 waits for its maintenance window: DBInstanceClass"
    ]


def test_a_new_password_that_is_pending_is_never_taken_for_put_off(restored: FakeAws) -> None:
    restored.west.clusters["staging"]["PendingModifiedValues"] = {"MasterUserPassword": "****"}
    restored.run(check_restore_status)
    restored.clock.advance(hours=1)
    assert restored.run(check_restore_status).details["waiting_for"] == "pending changes of cluster staging"


@pytest.mark.parametrize("status", ["creating", "failed", "stopped", "hibernating"])
def test_an_instance_that_somebody_else_added_is_told_and_neither_waited_for_nor_judged(
    restored: FakeAws, status: str
) -> None:
    restored.west.has_instance("reporting", "staging", DBInstanceStatus=status)
    assert restored.run(check_restore_status).status is StepStatus.READY
    (note,) = summarise(restored.operation).notes
    assert note == f"instance reporting was made by somebody else and is left as it is ({status})"


def test_pending_changes_are_waited_for(restored: FakeAws) -> None:
    restored.west.clusters["staging"]["PendingModifiedValues"] = {"EngineVersion": "17.5"}
    restored.west.instances["staging-1"]["PendingModifiedValues"] = {"DBInstanceClass": "db.r8g.xlarge"}
    assert restored.run(check_restore_status).details["waiting_for"] == (
        "pending changes of cluster staging, pending changes of instance staging-1"
    )


def test_the_clusters_progress_is_told(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.clusters["staging"]["PercentProgress"] = "60"
    assert deleted.run(check_restore_status).details["percent"] == 60


def test_without_capacity_for_an_instance_the_run_waits_within_its_budget(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.settle()
    for _ in range(3):
        deleted.west.fail("create_db_instance", "InsufficientDBInstanceCapacity")
        assert "capacity for db.r8g.large" in deleted.run(restore_snapshot).details["waiting_for"]
        assert deleted.run(check_restore_status).status is StepStatus.CLUSTER_READY
    deleted.run(restore_snapshot)
    assert sorted(deleted.west.instances) == ["staging-1", "staging-2"]


def test_without_capacity_for_the_cluster_the_restore_is_asked_for_again(deleted: FakeAws) -> None:
    for _ in range(2):
        deleted.west.fail("restore_db_cluster_from_snapshot", "InsufficientDBClusterCapacityFault")
        deleted.run(restore_snapshot)
        assert deleted.run(check_restore_status).status is StepStatus.CLUSTER_READY
    deleted.run(restore_snapshot)
    assert deleted.run(check_restore_status).status is StepStatus.IN_PROGRESS


def test_capacity_that_does_not_come_is_named_when_the_budget_is_used_up(deleted: FakeAws) -> None:
    deleted.west.fail("restore_db_cluster_from_snapshot", "InsufficientDBClusterCapacityFault")
    deleted.run(restore_snapshot)
    deleted.clock.advance(hours=12, seconds=1)
    deleted.west.fail("restore_db_cluster_from_snapshot", "InsufficientDBClusterCapacityFault")
    with pytest.raises(errors.PhaseTimedOut, match=r"InsufficientDBClusterCapacityFault.*another target\.instances"):
        deleted.run(restore_snapshot)


def test_an_old_target_that_rds_still_counts_is_waited_for(deleted: FakeAws) -> None:
    old = deleted.operation.plan.old_target_resource_id
    deleted.west.has_cluster("staging", tags=REPLACEABLE_TAG, DbClusterResourceId=old, Status="deleting")
    with pytest.raises(errors.ResourceBusy, match="which RDS shows as deleting and still counts"):
        deleted.run(restore_snapshot)
    deleted.west.settle()
    deleted.run(restore_snapshot)
    assert deleted.run(check_restore_status).status is StepStatus.IN_PROGRESS


def test_an_old_target_that_rds_shows_once_more_is_not_judged(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    show = deleted.west.hide(deleted.west.clusters, "staging")
    old = deleted.operation.plan.old_target_resource_id
    deleted.west.has_cluster("staging", tags=REPLACEABLE_TAG, DbClusterResourceId=old, Status="deleting")
    assert deleted.run(check_restore_status).details["waiting_for"] == "cluster staging to be shown"
    show()
    assert "creating" in deleted.run(check_restore_status).details["waiting_for"]


@pytest.mark.parametrize("resource", ["cluster", "instance"])
def test_what_goes_back_is_waited_for(restored: FakeAws, resource: str) -> None:
    assert restored.run(check_restore_status).status is StepStatus.READY
    if resource == "cluster":
        restored.west.clusters["staging"]["Status"] = "backing-up"
    else:
        restored.west.instances["staging-2"]["DBInstanceStatus"] = "configuring-log-exports"
    assert restored.run(check_restore_status).status is StepStatus.IN_PROGRESS


def test_a_restore_past_its_budget_stops_the_run(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.clock.advance(hours=12, seconds=1)
    with pytest.raises(errors.PhaseTimedOut) as stopped:
        deleted.run(check_restore_status)
    assert stopped.value.field == "budgets.restore_hours"


def test_instances_that_never_come_use_the_budget_up_too(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.settle()
    deleted.clock.advance(hours=12, seconds=1)
    with pytest.raises(errors.PhaseTimedOut, match="instances staging-1, staging-2"):
        deleted.run(check_restore_status)


def test_an_instance_that_rds_does_not_show_right_after_its_creation_is_not_made_twice(restored: FakeAws) -> None:
    show = restored.west.hide(restored.west.instances, "staging-2")
    looked = restored.run(check_restore_status)
    assert (looked.status, looked.details) == (StepStatus.CLUSTER_READY, {"instances_to_create": ["staging-2"]})
    restored.west.fail("create_db_instance", "DBInstanceAlreadyExists")
    restored.run(restore_snapshot)
    show()
    assert restored.run(check_restore_status).status is StepStatus.READY
    assert sorted(restored.west.instances) == ["staging-1", "staging-2"]


def test_an_instance_that_is_created_for_hours_is_named_when_the_budget_is_used_up(restored: FakeAws) -> None:
    restored.west.instances["staging-2"]["DBInstanceStatus"] = "creating"
    restored.clock.advance(hours=11)
    assert "instance staging-2 (creating)" in restored.run(check_restore_status).details["waiting_for"]
    restored.clock.advance(hours=2)
    with pytest.raises(errors.PhaseTimedOut, match=r"waiting for instance staging-2 \(creating\) after 13\.\d hours"):
        restored.run(check_restore_status)
