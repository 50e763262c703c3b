"""AWS in its own time: late and old answers, statuses, autoscaling, stopped targets, no room, no capacity."""

from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for


def start(world: World, target: str, **request: Any) -> str:
    return world.start({"target": {"cluster_id": target}, **request})


def asked(world: World, operation: str, target: str) -> bool:
    """Whether a call of the pipeline about the target is in the journal."""
    return any(call.operation == operation and call.mentions(target) for call in world.journal() if call.by_function)


@story
def late_answers(world: World) -> Outcome:
    """RDS shows things late, or as they were, after every change; once each, for at this speed a look is hours."""
    target = "late-answers"
    world.old_target(target)
    world.fault("hide", "DescribeDBClusterSnapshots", f"aurora-restore-copy-{target}-*", skip=1)
    name = start(world, target)
    wait_for(lambda: asked(world, "DeleteDBCluster", target), "the deletion", seconds=120, every=0.3)
    world.fault("show", "DescribeDBClusters", target, status="available")
    wait_for(lambda: asked(world, "RestoreDBClusterFromSnapshot", target), "the restore", seconds=120, every=0.3)
    world.fault("hide", "DescribeDBClusters", target)
    wait_for(lambda: asked(world, "CreateDBInstance", target), "the instance", seconds=120, every=0.3)
    world.fault("show", "DescribeDBClusters", target, status="backing-up")
    return world.end_of(name, target)


def test_late_and_old_answers_only_cost_time(late_answers: Outcome) -> None:
    late_answers.expect_success()
    done = [call for call in late_answers.changes if call.outcome == "OK"]
    operations = [call.operation for call in done]
    for once in ("CopyDBClusterSnapshot", "RestoreDBClusterFromSnapshot", "CreateDBInstance"):
        assert operations.count(once) == 1


@story
def unknown_status(world: World) -> tuple[dict[str, Any], Outcome]:
    old = world.old_target("unknown-status")
    # The first call finds no copy to show.
    copy_id = "aurora-restore-copy-unknown-status-*"
    world.fault("show", "DescribeDBClusterSnapshots", copy_id, status="hibernating", skip=1, times=0)
    return old, world.run({"target": {"cluster_id": "unknown-status"}})


def test_an_unknown_status_that_lasts_stops_the_run_and_is_named(
    world: World, unknown_status: tuple[dict[str, Any], Outcome]
) -> None:
    old, outcome = unknown_status
    outcome.expect_failure("UnknownStatus", "'hibernating'", "aurora-restore-copy-unknown-status-")
    assert world.is_untouched(old)


@story
def scaled_out(world: World) -> Outcome:
    world.old_target("scaled-out")
    world.fault("add-tagged-member", "DeleteDBCluster", "scaled-out")
    return world.run({"target": {"cluster_id": "scaled-out"}})


def test_a_member_that_autoscaling_adds_is_deleted_too(scaled_out: Outcome) -> None:
    scaled_out.expect_success()
    deleted = [str(call.parameters) for call in scaled_out.changes if call.operation == "DeleteDBInstance"]
    assert any("application-autoscaling-" in parameters for parameters in deleted)
    assert any(name.startswith("application-autoscaling") for name in scaled_out.output["deleted"])


@story
def stopped_target(world: World) -> Outcome:
    world.old_target("stopped-target")
    world.target.stop_db_cluster(DBClusterIdentifier="stopped-target")
    wait_for(lambda: world.cluster("stopped-target")["Status"] == "stopped", "the stop")
    return world.run({"target": {"cluster_id": "stopped-target"}})


def test_a_stopped_target_is_started_then_snapshotted_then_deleted(stopped_target: Outcome) -> None:
    stopped_target.expect_success()
    steps = ("StartDBCluster", "CreateDBClusterSnapshot", "DeleteDBInstance", "DeleteDBCluster")
    operations = [name for name in stopped_target.changed_operations if name in steps]
    assert operations == list(steps)


@story
def under_maintenance(world: World) -> Outcome:
    old = world.old_target("maintained")
    world.cloud.aurora_control("POST", "status", {"arn": old["DBClusterArn"], "status": "maintenance"})
    name = start(world, "maintained", final_snapshot=False)
    wait_for(lambda: "Check Delete Status" in states_of(world, name), "the wait for the target", seconds=120)
    world.cloud.aurora_control("POST", "status", {"arn": old["DBClusterArn"], "status": "available"})
    return world.end_of(name, "maintained")


def states_of(world: World, name: str) -> list[str]:
    details = (event.get("stateEnteredEventDetails") for event in world.history(name))
    return [item["name"] for item in details if item]


def test_a_target_under_maintenance_is_waited_for(under_maintenance: Outcome) -> None:
    under_maintenance.expect_success()
    outcomes = {call.outcome for call in under_maintenance.calls if call.by_function}
    assert "InvalidDBClusterStateFault" not in outcomes


@story
def scarce_capacity(world: World) -> Outcome:
    world.old_target("scarce")
    for operation, identifier, code in (
        ("RestoreDBClusterFromSnapshot", "scarce", "InsufficientDBClusterCapacityFault"),
        ("CreateDBInstance", "scarce-1", "InsufficientDBInstanceCapacity"),
    ):
        world.fault("error", operation, identifier, code=code, times=2)
    return world.run({"target": {"cluster_id": "scarce"}})


def test_capacity_is_waited_for(scarce_capacity: Outcome) -> None:
    scarce_capacity.expect_success()
    tries = [call for call in scarce_capacity.calls if call.by_function and call.outcome.startswith("Insufficient")]
    assert len(tries) == 4
    assert not [row for row in scarce_capacity.audit if row["event"] == "FAILED"]


@dataclass(frozen=True)
class Standstill:
    """A run whose copy makes no progress for hours."""

    hours: float
    old: dict[str, Any]
    outcome: Outcome


@story
def copy_stands_still(world: World) -> Standstill:
    hours = 4.0
    old = world.old_target("standstill")
    world.fault("freeze", "CopyDBClusterSnapshot", "aurora-restore-copy-standstill-*")
    outcome = world.run({"target": {"cluster_id": "standstill"}, "budgets": {"copy_hours": hours}})
    [copy] = world.snapshots("copy", "standstill")
    world.cloud.aurora_control("POST", "release", {"arn": copy["DBClusterSnapshotArn"]})
    return Standstill(hours, old, outcome)


def test_a_copy_that_stands_still_ends_with_its_budget(world: World, copy_stands_still: Standstill) -> None:
    copy_stands_still.outcome.expect_failure("PhaseTimedOut", "copy still waiting for snapshot copy", "within 4 hours")
    assert world.is_untouched(copy_stands_still.old)
