"""Where the snapshot comes from, and what is there before: the run does what is needed and no more."""

from datetime import datetime
from typing import Any

import pytest

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production, counted
from tests.integration.stage.sources import AsOfAMoment, FromNewSnapshots, InOneRegion
from tests.integration.stage.world import World, tags_of


def test_aws_backups_snapshot_in_the_target_region_is_the_latest_and_restored_where_it_is(
    world: World, in_one_region: InOneRegion
) -> None:
    outcome = in_one_region.outcome
    assert "CopyDBClusterSnapshot" not in outcome.changed_operations
    assert outcome.output["copy"] is None
    assert world.snapshots("copy", "beside-west") == []
    [restore] = [call for call in outcome.changes if call.operation == "RestoreDBClusterFromSnapshot"]
    snapshots = in_one_region.production.snapshot_arn.rpartition(":")[0]
    assert restore.parameters["SnapshotIdentifier"] == f"{snapshots}:{in_one_region.recovery_point}"
    new = world.cluster("beside-west")
    assert counted(world.cloud, new, world.deployment.master) == in_one_region.rows
    assert new["KmsKeyId"] != in_one_region.production.snapshot["KmsKeyId"]


def test_the_source_in_the_target_region_is_untouched(world: World, in_one_region: InOneRegion) -> None:
    assert world.is_untouched(in_one_region.production.cluster)
    changed = [call for call in world.journal() if call.by_function and call.is_change]
    assert not [call for call in changed if call.parameters.get("DBClusterIdentifier") == "shop-west"]


def test_an_absent_target_is_made_and_nothing_is_deleted(nights_in_a_row: list[Outcome]) -> None:
    first = nights_in_a_row[0]
    assert first.output["deleted"] == []
    assert first.output["final_snapshot"] is None
    assert first.changed_operations == [
        "CopyDBClusterSnapshot",
        "RestoreDBClusterFromSnapshot",
        "CreateDBInstance",
        "ModifyDBCluster",
        "AddTagsToResource",
    ]


def test_the_next_night_replaces_what_the_last_one_made(
    world: World, production: Production, nights_in_a_row: list[Outcome]
) -> None:
    assert tags_of(world.cluster("weekly"))["aurora-restore:operation-id"] == nights_in_a_row[-1].operation_id
    assert counted(world.cloud, world.cluster("weekly"), world.deployment.master) == production.rows
    for outcome in nights_in_a_row[1:]:
        assert outcome.output["deleted"] == ["weekly", "weekly-1"]


@pytest.mark.parametrize("role", ["copy", "final"])
def test_only_as_many_snapshots_are_kept_as_the_request_says(
    world: World, nights_in_a_row: list[Outcome], role: str
) -> None:
    [kept] = world.snapshots(role, "weekly")
    assert tags_of(kept)["aurora-restore:operation-id"] == nights_in_a_row[-1].operation_id
    pruned = [name for outcome in nights_in_a_row for name in outcome.output["pruned"] if f"-{role}-" in name]
    assert len(pruned) == {"copy": 2, "final": 1}[role]


def test_nobody_elses_snapshot_is_pruned(world: World, nights_in_a_row: list[Outcome]) -> None:
    deleted = [
        call.parameters["DBClusterSnapshotIdentifier"]
        for call in world.journal()
        if call.by_function and call.operation == "DeleteDBClusterSnapshot"
    ]
    pruned = [name for outcome in nights_in_a_row for name in outcome.output["pruned"]]
    assert sorted(name for name in deleted if "-weekly-" in name) == sorted(pruned)
    assert all(name.startswith("aurora-restore-") for name in deleted)
    assert _snapshot(world, "of-somebody")["Status"] == "available"


def _snapshot(world: World, identifier: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = world.target.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=identifier)[
        "DBClusterSnapshots"
    ]
    return found[0]


def test_a_point_in_time_brings_the_rows_of_that_moment_and_none_later(as_of_a_moment: AsOfAMoment) -> None:
    outcome = as_of_a_moment.at_the_moment_outcome
    assert as_of_a_moment.in_the_copy == as_of_a_moment.at_the_moment
    assert as_of_a_moment.in_the_copy["ledger.public.entries"] == 600
    assert as_of_a_moment.now["ledger.public.entries"] == 10
    assert outcome.changed_operations.count("RestoreDBClusterToPointInTime") == 1
    assert not {"CopyDBClusterSnapshot", "RestoreDBClusterFromSnapshot"} & set(outcome.changed_operations)
    [restore] = [call for call in outcome.changes if call.operation == "RestoreDBClusterToPointInTime"]
    assert restore.parameters["RestoreType"] == "full-copy"
    assert outcome.output["restore_type"] == "full-copy"
    assert datetime.fromisoformat(outcome.output["snapshot_created_at"]) == datetime.fromisoformat(
        as_of_a_moment.moment
    )


def test_a_clone_brings_what_the_source_has_now_under_the_targets_key(
    world: World, as_of_a_moment: AsOfAMoment
) -> None:
    outcome, new = as_of_a_moment.clone_outcome, world.cluster("as-of")
    assert counted(world.cloud, new, world.deployment.master) == as_of_a_moment.now
    [restore] = [call for call in outcome.changes if call.operation == "RestoreDBClusterToPointInTime"]
    assert (restore.parameters["RestoreType"], restore.parameters["UseLatestRestorableTime"]) == ("copy-on-write", True)
    assert outcome.output["deleted"] == ["as-of", "as-of-1"]
    source = world.cluster("shop-ledger")
    assert new["CloneGroupId"] == source["CloneGroupId"]
    assert new["KmsKeyId"] != source["KmsKeyId"]


def test_the_source_of_a_point_in_time_is_untouched(world: World, as_of_a_moment: AsOfAMoment) -> None:
    assert world.is_untouched(as_of_a_moment.production.cluster)
    changed = [call for call in world.journal() if call.by_function and call.is_change]
    assert not [call for call in changed if call.parameters.get("DBClusterIdentifier") == "shop-ledger"]


def test_a_new_snapshot_brings_what_the_source_has_now(world: World, from_new_snapshots: FromNewSnapshots) -> None:
    assert counted(world.cloud, world.cluster("fresh"), world.deployment.master) == from_new_snapshots.rows
    assert from_new_snapshots.rows != from_new_snapshots.production.rows  # of yesterday
    for outcome in from_new_snapshots.outcomes:
        assert outcome.changed_operations[:2] == ["CreateDBClusterSnapshot", "CopyDBClusterSnapshot"]
        taken, copied = outcome.changes[:2]
        name = taken.parameters["DBClusterSnapshotIdentifier"]
        assert copied.parameters["SourceDBClusterSnapshotIdentifier"].endswith(f":cluster-snapshot:{name}")
        assert outcome.output["snapshot"].endswith(f":{name}")


def test_of_the_new_snapshots_one_is_kept_and_the_source_is_untouched(
    world: World, from_new_snapshots: FromNewSnapshots
) -> None:
    there = world.source.describe_db_cluster_snapshots(DBClusterIdentifier="shop-fresh")["DBClusterSnapshots"]
    newest = from_new_snapshots.outcomes[-1]
    assert sorted(item["DBClusterSnapshotArn"] for item in there) == sorted(
        [newest.output["snapshot"], from_new_snapshots.production.snapshot_arn]
    )
    older = from_new_snapshots.outcomes[0].output["snapshot"].rpartition(":")[2]
    assert older in newest.output["pruned"]
    before, now = from_new_snapshots.production.cluster, world.cluster("shop-fresh", world.source)
    assert [now[key] for key in ("DbClusterResourceId", "DeletionProtection", "TagList", "Status")] == [
        before[key] for key in ("DbClusterResourceId", "DeletionProtection", "TagList", "Status")
    ]
