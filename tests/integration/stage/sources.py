"""Refreshes from a production beside the target, and of one target night after night."""

from dataclasses import dataclass

from local_cloud.pipeline import postgres
from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import MASTER, Production, counted, make_production
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for


@dataclass(frozen=True)
class InOneRegion:
    """A refresh from a production in the target Region, whose newest snapshot is AWS Backup's."""

    production: Production
    recovery_point: str
    rows: dict[str, int]
    outcome: Outcome


@dataclass(frozen=True)
class AsOfAMoment:
    """One target restored to a point in time, then cloned; what the source said of its rows meanwhile."""

    production: Production
    moment: str
    at_the_moment: dict[str, int]
    at_the_moment_outcome: Outcome
    in_the_copy: dict[str, int]
    now: dict[str, int]
    clone_outcome: Outcome


@dataclass(frozen=True)
class FromNewSnapshots:
    """Two refreshes of one target, each from a snapshot that it took itself."""

    production: Production
    rows: dict[str, int]
    outcomes: list[Outcome]


@story
def nights_in_a_row(world: World) -> list[Outcome]:
    """Three refreshes of one target, which is absent at first; only the newest snapshot of each kind is kept."""
    request = {"target": {"cluster_id": "weekly"}, "keep_copies": 1, "keep_final_snapshots": 1}
    outcomes = [world.run(request).expect_success()]
    world.target.create_db_cluster_snapshot(DBClusterIdentifier="weekly", DBClusterSnapshotIdentifier="of-somebody")
    world.target.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier="of-somebody", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    outcomes += [world.run(request).expect_success() for _ in range(2)]
    return outcomes


@story
def in_one_region(world: World) -> InOneRegion:
    west = make_production(world.cloud, "shop-west", TARGET_REGION)
    taken = world.cloud.aurora_control("POST", "recovery-point", {"arn": west.cluster["DBClusterArn"]})["identifier"]
    world.target.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier=taken, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    world.old_target("beside-west")
    request = {
        "source": {"cluster_id": west.cluster_id, "region": TARGET_REGION},
        "target": {"cluster_id": "beside-west"},
    }
    outcome = world.run(request).expect_success()
    return InOneRegion(west, taken, counted(world.cloud, west.cluster, MASTER), outcome)


@story
def as_of_a_moment(world: World) -> AsOfAMoment:
    """A night from a point in time before a mistake, then one from a clone; the target is replaced each time."""
    production = make_production(world.cloud, "shop-ledger", TARGET_REGION)
    world.cloud.aurora_control("POST", "automated-snapshot", {"arn": production.cluster["DBClusterArn"]})
    wait_for(lambda: "EarliestRestorableTime" in world.cluster("shop-ledger"), "the first backup")
    ledger = postgres.database_of(production.cluster, "ledger", MASTER)
    postgres.query(world.cloud, ledger, "INSERT INTO entries SELECT n, n FROM generate_series(501, 600) AS n")
    at_the_moment = counted(world.cloud, production.cluster, MASTER)
    moment = world.cluster("shop-ledger")["LatestRestorableTime"].isoformat()
    postgres.query(world.cloud, ledger, "DELETE FROM entries WHERE n > 10")
    world.old_target("as-of")
    source = {"cluster_id": "shop-ledger", "region": TARGET_REGION}
    target = {"cluster_id": "as-of"}
    restored = world.run({"source": source | {"restore_time": moment}, "target": target}).expect_success()
    in_the_copy = counted(world.cloud, world.cluster("as-of"), world.deployment.master)
    cloned = world.run({"source": source | {"fast_clone": True}, "target": target}).expect_success()
    now = counted(world.cloud, production.cluster, MASTER)
    return AsOfAMoment(production, moment, at_the_moment, restored, in_the_copy, now, cloned)


@story
def from_new_snapshots(world: World) -> FromNewSnapshots:
    """Two refreshes from production as it is now; yesterday's snapshot is there, and not taken."""
    production = make_production(world.cloud, "shop-fresh")
    rows = counted(world.cloud, production.cluster, MASTER)
    request = {"source": {"cluster_id": "shop-fresh", "snapshot": "new"}, "target": {"cluster_id": "fresh"}}
    outcomes = [world.run(request).expect_success() for _ in range(2)]
    return FromNewSnapshots(production, rows, outcomes)
