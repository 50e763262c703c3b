"""Refreshes from a production beside the target, and of one target night after night."""

from dataclasses import dataclass

from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import MASTER, Production, counted, make_production
from tests.integration.stage.stories import story
from tests.integration.stage.world import World


@dataclass(frozen=True)
class InOneRegion:
    """A refresh from a production in the target Region, whose newest snapshot is AWS Backup's."""

    production: Production
    recovery_point: str
    rows: dict[str, int]
    outcome: Outcome


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
