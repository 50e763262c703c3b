"""Production in another account and Region: a snapshot of it is shared every night, by its own account."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.credentials import ACCOUNT_ID, OTHER_ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION
from tests.integration.stage.other_account import OtherAccount, as_role, make_other_account, share_by_hand
from tests.integration.stage.outcome import ApiCall, Outcome
from tests.integration.stage.roles.permissions import granted_in, needed_so_far
from tests.integration.stage.roles.source_account import CALLS, ROLES, furnish, is_let_in, role_name
from tests.integration.stage.stories import story
from tests.integration.stage.world import World

PRODUCTION = "partner-production"
CLUSTER = f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster:{PRODUCTION}"


# What goes wrong in one call of the sharing, whether that night shares nevertheless, and the error if it does not.
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a look is throttled": ({"kind": "error", "operation": "DescribeDBClusterSnapshots", "code": "Throttling"}, ""),
    "the answer to the copy is lost": ({"kind": "drop-after", "operation": "CopyDBClusterSnapshot"}, ""),
    "the answer to the sharing is lost": ({"kind": "drop-after", "operation": "ModifyDBClusterSnapshotAttribute"}, ""),
    "the answer to a removal is lost": ({"kind": "drop-after", "operation": "DeleteDBClusterSnapshot"}, ""),
    "the copy fails": (
        {"kind": "end-in", "operation": "CopyDBClusterSnapshot", "status": "failed"},
        "CopyFailed",
    ),
    "a removal is forbidden": (
        {"kind": "error", "operation": "DeleteDBClusterSnapshot", "code": "AccessDenied", "times": 9},
        "NotRemoved",
    ),
}


# Step Functions delivers its log with the first; for the second, the local Aurora asks for the grant only.
NOT_ASKED_LOCALLY = {"ExecutionLogs", "UseKeysThroughRds"}


@dataclass(frozen=True)
class Night:
    """A night in which one thing went wrong, and what can be restored after the next one."""

    ended: dict[str, Any]
    shared: list[str]
    next_ended: dict[str, Any]
    left: list[str]


@dataclass(frozen=True)
class TwoAccounts:
    """A snapshot shared by hand and restored; two nights by schedule, a restore of the newest; bad nights."""

    account: OtherAccount
    by_hand: Outcome
    backups: list[str]
    nights: list[dict[str, Any]]
    newest: Outcome
    bad_nights: dict[str, Night]


@story
def two_accounts(world: World) -> TwoAccounts:
    account = make_other_account(world, PRODUCTION, KeepShared="1")
    source = {"cluster_id": PRODUCTION, "account_id": OTHER_ACCOUNT_ID}
    world.old_target("partner-copy")
    named = {"source": {**source, "snapshot": share_by_hand(account)}, "target": {"cluster_id": "partner-copy"}}
    by_hand = world.run(named).expect_success()
    backups, nights = [account.back_up()], [account.share("night-1")]
    account.query("INSERT INTO public.of_the_other_account VALUES (78)")
    backups.append(account.back_up())
    nights.append(account.share("night-2"))
    # What is written after the backup must not arrive.
    account.query("INSERT INTO public.of_the_other_account VALUES (79)")
    newest = world.run({"source": source, "target": {"cluster_id": "partner-nightly"}}).expect_success()
    bad_nights = {name: _bad_night(account, number) for number, name in enumerate(FAULTS)}
    return TwoAccounts(account, by_hand, backups, nights, newest, bad_nights)


def _bad_night(account: OtherAccount, number: int) -> Night:
    fault, _ = list(FAULTS.values())[number]
    account.back_up()
    account.world.fault(**{"identifier": f"*{PRODUCTION}*", **fault})
    ended, shared = account.share(f"bad-{number}"), account.shared()
    account.back_up()
    next_ended = account.share(f"after-bad-{number}")
    manual = account.client("rds").describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    names = sorted(item["DBClusterSnapshotIdentifier"] for item in manual)
    return Night(ended, shared, next_ended, [name for name in names if name.startswith("aurora-restore-shared-2")])


def test_another_accounts_shared_snapshot_is_copied_under_our_key(world: World, two_accounts: TwoAccounts) -> None:
    key = world.client("kms").describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]["Arn"]
    [copy] = world.snapshots("copy", "partner-copy")
    assert copy["SourceDBClusterSnapshotArn"].split(":")[4] == OTHER_ACCOUNT_ID
    assert copy["KmsKeyId"] == world.cluster("partner-copy")["KmsKeyId"] == key
    assert two_accounts.by_hand.row["snapshot"]["account_id"] == OTHER_ACCOUNT_ID


def test_another_accounts_data_is_open_to_our_users(world: World, two_accounts: TwoAccounts) -> None:
    two_accounts.by_hand.expect_success()
    new = world.cluster("partner-copy")
    with world.login(world.deployment.readonly_user, new) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.of_the_other_account")
        assert cursor.fetchone() == (77,)


def test_the_newest_automated_snapshot_is_shared_every_night_and_the_one_before_removed(
    two_accounts: TwoAccounts,
) -> None:
    first, second = (json.loads(night["output"]) for night in two_accounts.nights)
    assert [first["source"], second["source"]] == [
        f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster-snapshot:{backup}" for backup in two_accounts.backups
    ]
    assert [first["removed"], second["removed"]] == [[], [_name(first["shared"])]]


def test_what_a_person_shared_is_a_persons_to_remove(two_accounts: TwoAccounts) -> None:
    assert two_accounts.account.shared()[-1] == f"aurora-restore-shared-{PRODUCTION}"


def test_the_data_of_the_newest_automated_snapshot_arrive_without_anybodys_hand(
    world: World, two_accounts: TwoAccounts
) -> None:
    shared = json.loads(two_accounts.nights[-1]["output"])["shared"]
    assert two_accounts.newest.row["snapshot"]["arn"] == shared
    with (
        world.login(world.deployment.readonly_user, world.cluster("partner-nightly")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM public.of_the_other_account")
        assert cursor.fetchone() == (78,)


def test_the_age_is_that_of_the_automated_snapshot(two_accounts: TwoAccounts) -> None:
    rds, name = two_accounts.account.client("rds"), two_accounts.backups[-1]
    [backup] = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name, SnapshotType="automated")[
        "DBClusterSnapshots"
    ]
    taken = datetime.fromisoformat(two_accounts.newest.row["snapshot"]["created_at"])
    assert abs((taken - backup["SnapshotCreateTime"]).total_seconds()) < 60


def test_sharing_changes_nothing_but_its_own_snapshots(world: World, two_accounts: TwoAccounts) -> None:
    calls = [call for call in world.journal() if _is_of_the_sharing(call) and call.is_change]
    assert {call.operation for call in calls} == {
        "CopyDBClusterSnapshot",
        "DeleteDBClusterSnapshot",
        "ModifyDBClusterSnapshotAttribute",
    }
    for call in calls:
        name = (
            call.parameters.get("TargetDBClusterSnapshotIdentifier") or call.parameters["DBClusterSnapshotIdentifier"]
        )
        assert name.startswith("aurora-restore-shared-2")
    key = two_accounts.account.outputs["SharedSnapshotsKeyArn"]
    assert {call.parameters["KmsKeyId"] for call in calls if call.operation == "CopyDBClusterSnapshot"} == {key}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_in_a_night_is_said_or_survived_and_the_next_night_mends_it(
    two_accounts: TwoAccounts, fault: str
) -> None:
    night, error = two_accounts.bad_nights[fault], FAULTS[fault][1]
    assert night.ended.get("error", "") == error, night.ended.get("cause")
    assert night.ended["status"] == ("FAILED" if error else "SUCCEEDED")
    assert night.shared, "what was shared before stays until there is a newer one"
    assert night.next_ended["status"] == "SUCCEEDED", night.next_ended.get("cause")
    assert night.left == [_name(json.loads(night.next_ended["output"])["shared"])]


def _is_of_the_sharing(call: ApiCall) -> bool:
    return "/aurora-restore-sharing-" in call.caller


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


@pytest.mark.usefixtures("two_accounts")
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


@pytest.mark.parametrize("what", CALLS)
def test_each_role_of_productions_account_may_do_what_it_is_for_and_nothing_else(
    two_accounts: TwoAccounts, what: str
) -> None:
    whose, call = CALLS[what]
    account, let_in = two_accounts.account, set()
    for role in ROLES:
        furnish(account)
        if is_let_in(account, role, call):
            let_in.add(role)
    assert let_in == whose


def test_nothing_is_granted_in_productions_account_that_nobody_needs(world: World, two_accounts: TwoAccounts) -> None:
    iam = two_accounts.account.client("iam")
    granted = {entry for role in ROLES for entry in granted_in(iam, role_name(role), role)}
    assert {entry.sid for entry in granted} >= NOT_ASKED_LOCALLY
    needed = needed_so_far(world, SOURCE_REGION)
    assert {entry for entry in granted - needed if entry.sid not in NOT_ASKED_LOCALLY} == set()
