"""What AWS lets fail: the run stops with our error, gives the lock back, and loses no data."""

from dataclasses import dataclass
from typing import Any

from local_cloud.pipeline import aurora_clusters
from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import OLD_MASTER, REPLACEABLE, World, tags_of
from tests.waiting import wait_for


@dataclass(frozen=True)
class Failure:
    """A run that failed, with the old target as it was before."""

    old: dict[str, Any]
    outcome: Outcome
    next_outcome: Outcome | None = None


@story
def copy_fails(world: World) -> Failure:
    old = world.old_target("copy-fails")
    world.fault("end-in", "CopyDBClusterSnapshot", "aurora-restore-copy-copy-fails-*", status="failed")
    return Failure(old, world.run({"target": {"cluster_id": "copy-fails"}}))


@story
def final_snapshot_fails(world: World) -> Failure:
    old = world.old_target("final-fails")
    world.fault("end-in", "CreateDBClusterSnapshot", "aurora-restore-final-final-fails-*", status="failed")
    return Failure(old, world.run({"target": {"cluster_id": "final-fails"}}))


@story
def restore_fails(world: World) -> Failure:
    old = world.old_target("restore-fails")
    world.fault("end-in", "RestoreDBClusterFromSnapshot", "restore-fails", status="incompatible-restore")
    return Failure(old, world.run({"target": {"cluster_id": "restore-fails"}}))


@story
def instance_fails(world: World) -> Failure:
    old = world.old_target("instance-fails")
    world.fault("end-in", "CreateDBInstance", "instance-fails-1", status="incompatible-network")
    request = {"target": {"cluster_id": "instance-fails"}}
    return Failure(old, world.run(request), world.run(request))


@story
def target_changes(world: World) -> Failure:
    """While the snapshot is copied, somebody deletes the target and makes another one of the same name."""
    world.old_target("changes")
    world.fault("freeze", "CopyDBClusterSnapshot", "aurora-restore-copy-changes-*")
    name = world.start({"target": {"cluster_id": "changes"}})
    copy = wait_for(lambda: next(iter(world.snapshots("copy", "changes")), None), "the copy")
    world.target.delete_db_instance(DBInstanceIdentifier="changes-1", SkipFinalSnapshot=True)
    world.target.delete_db_cluster(DBClusterIdentifier="changes", SkipFinalSnapshot=True)
    wait_for(lambda: "changes" not in world.cluster_ids(), "the end of the planned target")
    other = _another(world, "changes")
    world.cloud.aurora_control("POST", "release", {"arn": copy["DBClusterSnapshotArn"]})
    return Failure(other, world.end_of(name, "changes"))


def _another(world: World, identifier: str) -> dict[str, Any]:
    # Its master's secret is there already, from the cluster before.
    world.target.create_db_cluster(
        DBClusterIdentifier=identifier,
        Engine=aurora_clusters.ENGINE,
        MasterUsername=OLD_MASTER.username,
        MasterUserPassword=OLD_MASTER.password,
        Tags=[{"Key": key, "Value": value} for key, value in REPLACEABLE.items()],
    )
    wait_for(lambda: world.cluster(identifier)["Status"] == "available", f"{identifier} in {TARGET_REGION}")
    return world.cluster(identifier)


def test_when_the_copy_fails_the_old_target_stays(world: World, copy_fails: Failure) -> None:
    copy_fails.outcome.expect_failure("CopyFailed", "with status failed", "the old target was not touched")
    assert copy_fails.outcome.changed_operations == ["CopyDBClusterSnapshot"]
    assert world.is_untouched(copy_fails.old)


def test_when_the_final_snapshot_fails_the_old_target_stays(world: World, final_snapshot_fails: Failure) -> None:
    outcome = final_snapshot_fails.outcome
    outcome.expect_failure("DeleteFailed", "with status failed", "the old target was not deleted")
    assert outcome.changed_operations == ["CopyDBClusterSnapshot", "CreateDBClusterSnapshot"]
    assert world.is_untouched(final_snapshot_fails.old)


def test_when_the_restore_fails_the_final_snapshot_holds_the_data(world: World, restore_fails: Failure) -> None:
    outcome = restore_fails.outcome
    outcome.expect_failure("RestoreFailed", "with status incompatible-restore", "the final snapshot holds")
    [final] = world.snapshots("final", "restore-fails")
    assert final["Status"] == "available"
    assert final["DbClusterResourceId"] == restore_fails.old["DbClusterResourceId"]
    [message] = outcome.messages
    assert final["DBClusterSnapshotArn"] in message.text


def test_when_an_instance_fails_the_final_snapshot_holds_the_data(world: World, instance_fails: Failure) -> None:
    outcome = instance_fails.outcome
    outcome.expect_failure("RestoreFailed", "instance-fails-1 with status incompatible-network")
    assert "Setup DB Users" not in outcome.states
    first = world.snapshots("final", "instance-fails")[0]
    assert first["Status"] == "available"
    assert first["DbClusterResourceId"] == instance_fails.old["DbClusterResourceId"]


def test_a_new_run_replaces_what_a_failed_one_left_half_restored(world: World, instance_fails: Failure) -> None:
    assert instance_fails.next_outcome
    instance_fails.next_outcome.expect_success()
    assert [item["DBInstanceStatus"] for item in world.instances("instance-fails")] == ["available"]
    tags = tags_of(world.cluster("instance-fails"))
    assert tags["aurora-restore:operation-id"] == instance_fails.next_outcome.operation_id


def test_a_target_that_took_the_name_meanwhile_is_not_touched(world: World, target_changes: Failure) -> None:
    target_changes.outcome.expect_failure("TargetChanged", "it was not touched")
    assert target_changes.outcome.changed_operations == ["CopyDBClusterSnapshot"]
    assert world.is_untouched(target_changes.old)
