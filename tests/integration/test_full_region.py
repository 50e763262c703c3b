"""A Region that takes no further snapshot, while nothing else goes on in it."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.stage.world import World
from tests.waiting import wait_for

TARGET = "full-region"


@pytest.fixture
def limit(world: World, quiet: None) -> Iterator[Callable[[int], None]]:  # noqa: ARG001
    """Set how many manual snapshots the Regions take beyond those that are there, until the end of a test."""
    before = world.cloud.aurora_control("POST", "quotas", {})

    def set_room(room: int) -> None:
        there = len(world.target.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"])
        world.cloud.aurora_control("POST", "quotas", {"manual_snapshots": there + room})

    yield set_room
    world.cloud.aurora_control("POST", "quotas", {"manual_snapshots": before["manual_snapshots"]})


def test_older_copies_of_ours_make_room_and_nobody_elses(world: World, limit: Callable[[int], None]) -> None:
    for _ in range(2):
        world.run({"target": {"cluster_id": TARGET}, "final_snapshot": False}).expect_success()
    oldest, newer = world.snapshots("copy", TARGET)
    others = {item["DBClusterSnapshotIdentifier"] for item in everybodys(world)} - {
        oldest["DBClusterSnapshotIdentifier"]
    }
    limit(0)

    outcome = world.run({"target": {"cluster_id": TARGET}, "final_snapshot": False, "keep_copies": 1})

    outcome.expect_success()
    left = {item["DBClusterSnapshotIdentifier"] for item in everybodys(world)}
    assert others - left == {newer["DBClusterSnapshotIdentifier"]}, "pruned at the end, to keep one"
    pruned = [call.parameters for call in outcome.changes if call.operation == "DeleteDBClusterSnapshot"]
    assert pruned[0] == {"DBClusterSnapshotIdentifier": oldest["DBClusterSnapshotIdentifier"]}


def everybodys(world: World) -> list[dict[str, str]]:
    return list(world.target.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"])


def test_when_nothing_of_ours_may_go_the_run_says_so_and_changes_nothing(
    world: World, limit: Callable[[int], None]
) -> None:
    old = world.old_target("no-room")
    before = everybodys(world)
    limit(0)
    outcome = world.run({"target": {"cluster_id": "no-room"}})
    outcome.expect_failure("SnapshotQuotaFull", "manual cluster snapshots in us-west-2", "nothing was changed")
    assert outcome.changed_operations == []
    assert len(everybodys(world)) == len(before)
    assert world.is_untouched(old)


def test_with_five_copies_in_progress_the_sixth_waits_its_turn(
    world: World, limit: Callable[[int], None], production_snapshot: str
) -> None:
    limit(50)
    world.cloud.aurora_control("POST", "release", {})
    wait_for(lambda: not [item for item in everybodys(world) if item["Status"] == "copying"], "the end of all copies")
    for number in range(5):
        world.fault("freeze", "CopyDBClusterSnapshot", f"busy-{number}")
        world.target.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=production_snapshot,
            TargetDBClusterSnapshotIdentifier=f"busy-{number}",
            KmsKeyId="alias/aurora-restore-secrets",
        )
    name = world.start({"target": {"cluster_id": "sixth"}})
    wait_for(lambda: [row for row in world.audit_rows(name) if row["status"] == "COPY_AGAIN"], "the wait for its turn")
    world.cloud.aurora_control("POST", "release", {})
    world.end_of(name, "sixth").expect_success()
    for number in range(5):
        world.target.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"busy-{number}")


@pytest.fixture
def production_snapshot(world: World) -> str:
    """The ARN of production's snapshot of yesterday."""
    found = world.source.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    return str(next(item["DBClusterSnapshotArn"] for item in found if item["DBClusterIdentifier"] == "shop-production"))
