"""Where the snapshot comes from, and what is there before: the run does what is needed and no more."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.credentials import ACCOUNT_ID, OTHER_ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production, as_role, counted, share_from_another_account
from tests.integration.stage.sources import InOneRegion
from tests.integration.stage.stories import story
from tests.integration.stage.world import World, tags_of


@story
def from_another_account(world: World) -> Outcome:
    arn = share_from_another_account(world, "partner-production")
    source = {"cluster_id": "partner-production", "account_id": OTHER_ACCOUNT_ID, "snapshot": arn}
    world.old_target("partner-copy")
    return world.run({"source": source, "target": {"cluster_id": "partner-copy"}}).expect_success()


def test_a_snapshot_in_the_target_region_is_restored_where_it_is(world: World, in_one_region: InOneRegion) -> None:
    outcome = in_one_region.outcome
    assert "CopyDBClusterSnapshot" not in outcome.changed_operations
    assert outcome.output["copy"] is None
    assert world.snapshots("copy", "beside-west") == []
    [restore] = [call for call in outcome.changes if call.operation == "RestoreDBClusterFromSnapshot"]
    assert restore.parameters["SnapshotIdentifier"] == in_one_region.production.snapshot_arn
    new = world.cluster("beside-west")
    assert counted(world.cloud, new, world.deployment.master) == in_one_region.production.rows
    assert new["KmsKeyId"] != in_one_region.production.snapshot["KmsKeyId"]


def test_the_source_in_the_target_region_is_untouched(world: World, in_one_region: InOneRegion) -> None:
    assert world.is_untouched(in_one_region.production.cluster)
    changed = [call for call in world.journal() if call.by_function and call.is_change]
    assert not [call for call in changed if call.parameters.get("DBClusterIdentifier") == "shop-west"]


def test_another_accounts_shared_snapshot_is_copied_under_our_key(world: World, from_another_account: Outcome) -> None:
    key = world.client("kms").describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]["Arn"]
    [copy] = world.snapshots("copy", "partner-copy")
    assert copy["SourceDBClusterSnapshotArn"].split(":")[4] == OTHER_ACCOUNT_ID
    assert copy["KmsKeyId"] == world.cluster("partner-copy")["KmsKeyId"] == key
    assert from_another_account.row["snapshot"]["account_id"] == OTHER_ACCOUNT_ID


def test_another_accounts_data_is_open_to_our_users(world: World, from_another_account: Outcome) -> None:
    from_another_account.expect_success()
    new = world.cluster("partner-copy")
    with world.login(world.deployment.readonly_user, new) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.of_the_other_account")
        assert cursor.fetchone() == (77,)


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


@pytest.mark.usefixtures("from_another_account")
def test_the_sharer_copies_and_shares_snapshots_of_its_cluster_only(world: World) -> None:
    sharer = as_role(world, f"arn:aws:iam::{OTHER_ACCOUNT_ID}:role/aurora-restore-sharer-{SOURCE_REGION}", "curious")
    theirs = world.client("rds", SOURCE_REGION, OTHER_ACCOUNT_ID)
    kept = "partner-production-kept"
    theirs.create_db_cluster_snapshot(DBClusterIdentifier="partner-production", DBClusterSnapshotIdentifier=kept)

    def answer_to_a_copy(of: str, to: str = "aurora-restore-shared-2") -> str:
        with pytest.raises(ClientError) as refusal:
            sharer.copy_db_cluster_snapshot(SourceDBClusterSnapshotIdentifier=of, TargetDBClusterSnapshotIdentifier=to)
        return str(refusal.value.response["Error"]["Code"])

    # There is no such snapshot: IAM judges first, by the name.
    assert answer_to_a_copy("rds:partner-production-2026-11-22-03-00") == "DBClusterSnapshotNotFoundFault"
    assert answer_to_a_copy("rds:partner-production-billing-2026-11-22-03-00") == "AccessDenied"
    assert answer_to_a_copy(kept) == "AccessDenied"
    assert answer_to_a_copy("rds:partner-production-2026-11-22-03-00", to="mine") == "AccessDenied"
    others: list[Callable[[], object]] = [
        lambda: sharer.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier=kept, AttributeName="restore", ValuesToAdd=[ACCOUNT_ID]
        ),
        lambda: sharer.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=kept),
        lambda: sharer.delete_db_cluster(DBClusterIdentifier="partner-production", SkipFinalSnapshot=True),
        lambda: sharer.add_tags_to_resource(
            ResourceName=f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster-snapshot:{kept}",
            Tags=[{"Key": "aurora-restore:may-be-shared", "Value": "true"}],
        ),
    ]
    for call in others:
        with pytest.raises(ClientError) as refusal:
            call()
        assert refusal.value.response["Error"]["Code"] == "AccessDenied"
