from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from local_cloud.aurora import Fault, LocalAurora
from local_cloud.aurora.backups import next_window
from tests.local_cloud.aurora.story import ENGINE, Region, code_of, query, refused, wait_until

WEST_KEY = "alias/west"


def copy(region: Region, source: str, name: str, **settings: Any) -> Any:
    """Ask for a copy, in the Region it goes to."""
    return region.rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=source, TargetDBClusterSnapshotIdentifier=name, **settings
    )["DBClusterSnapshot"]


def test_a_copy_restored_in_another_region_carries_data_roles_and_passwords(prod: Region, west: Region) -> None:
    source = prod.arn("cluster-snapshot", "prod-base")
    copy(west, source, "prod-copy", KmsKeyId=WEST_KEY)
    west.wait_for_snapshot("prod-copy")
    arrived = west.snapshot("prod-copy")
    assert arrived["SourceDBClusterSnapshotArn"] == source
    assert arrived["KmsKeyId"] == "arn:aws:kms:us-west-2:123456789012:key/west"
    assert (arrived["PercentProgress"], arrived["SnapshotType"], arrived["EngineVersion"]) == (100, "manual", "17.6")

    west.has_restored("dev", "prod-copy")
    assert west.cluster("dev")["DBClusterMembers"] == []
    west.has_instances("dev")
    with west.psql("dev") as session:
        assert query(session, "SELECT count(*) FROM orders") == [(1000,)]
    with west.psql("dev", "shopkeeper", "Shopkeeper-pass") as session:
        assert query(session, "SELECT max(id) FROM orders") == [(1000,)]


def test_a_restore_gives_defaults_to_what_is_not_passed(prod: Region) -> None:
    prod.has_restored("plain", "prod-base")
    source, restored = prod.cluster("prod"), prod.cluster("plain")
    for setting in ("DeletionProtection", "IAMDatabaseAuthenticationEnabled", "CopyTagsToSnapshot"):
        assert (source[setting], restored[setting]) == (True, False)
    assert restored["TagList"] == []
    assert restored["DBClusterParameterGroup"] == "default.aurora-postgresql17"
    assert restored["BackupRetentionPeriod"] == source["BackupRetentionPeriod"] == 7
    assert restored["KmsKeyId"] == source["KmsKeyId"]
    assert restored["DbClusterResourceId"] != source["DbClusterResourceId"]


def test_a_restore_without_a_version_takes_the_default_of_the_region(prod: Region) -> None:
    older = "(17.5) is earlier than the engine version of the DB cluster snapshot (17.6)"
    with refused("InvalidParameterCombination", older):
        prod.rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier="x", SnapshotIdentifier="prod-base", Engine=ENGINE
        )
    with refused("InvalidParameterCombination", "Cannot find version 17.99"):
        prod.has_restored("x", "prod-base", EngineVersion="17.99")


def test_a_restore_over_an_existing_cluster_is_refused(prod: Region) -> None:
    with refused("DBClusterAlreadyExistsFault"):
        prod.has_restored("prod", "prod-base")


def test_a_snapshot_is_consistent_while_clients_write(east: Region) -> None:
    east.has_cluster("busy")
    with east.psql("busy") as session:
        query(session, "CREATE TABLE ledger (account int, amount int)")
    stop = threading.Event()

    def transfer() -> None:
        with east.psql("busy") as session:
            while not stop.is_set():
                query(session, "INSERT INTO ledger VALUES (1, -5), (2, 5)")

    writer = threading.Thread(target=transfer)
    writer.start()
    try:
        east.has_snapshot("busy-now", of="busy")
    finally:
        stop.set()
        writer.join()
    east.has_restored("busy-copy", "busy-now")
    east.has_instances("busy-copy")
    with east.psql("busy-copy") as session:
        assert query(session, "SELECT sum(amount) FROM ledger") in ([(0,)], [(None,)])


class TestKeys:
    def test_an_encrypted_copy_across_regions_needs_a_key_of_the_destination(self, prod: Region, west: Region) -> None:
        source = prod.arn("cluster-snapshot", "prod-base")
        with refused("InvalidParameterValue", "Must specify new KMS key"):
            copy(west, source, "x")
        with refused("KMSKeyNotAccessibleFault", "arn:aws:kms:us-east-1"):
            copy(west, source, "x", KmsKeyId="arn:aws:kms:us-east-1:123456789012:key/east")

    def test_a_copy_in_the_same_region_keeps_the_key(self, prod: Region) -> None:
        same = copy(prod, "prod-base", "prod-same-key", CopyTags=True)
        assert same["KmsKeyId"] == prod.snapshot("prod-base")["KmsKeyId"]
        assert same["TagList"] == [{"Key": "stage", "Value": "prod"}]
        prod.wait_for_snapshot("prod-same-key")

    def test_without_a_kms_key_it_is_encrypted_at_restore_not_at_copy(self, east: Region, west: Region) -> None:
        east.has_cluster("open", instances=0)
        made = east.cluster("open")
        assert (made["StorageEncrypted"], made["StorageEncryptionType"]) == (False, "sse-rds")
        arn = east.has_snapshot("open-now", of="open")
        with refused("InvalidParameterCombination", "KmsKeyId"):
            copy(west, arn, "x", KmsKeyId=WEST_KEY)
        copy(west, arn, "open-copy")
        west.wait_for_snapshot("open-copy")
        west.has_restored("closed", "open-copy", KmsKeyId=WEST_KEY)
        assert west.cluster("closed")["StorageEncryptionType"] == "sse-kms"


class TestSharing:
    def test_another_account_copies_a_snapshot_that_is_shared_with_it(self, prod: Region, stranger: Region) -> None:
        arn = prod.arn("cluster-snapshot", "prod-base")
        with refused("DBClusterSnapshotNotFoundFault"):
            copy(stranger, arn, "theirs", KmsKeyId="alias/theirs")
        prod.rds.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier="prod-base", AttributeName="restore", ValuesToAdd=[stranger.account]
        )
        shared = stranger.rds.describe_db_cluster_snapshots(SnapshotType="shared")["DBClusterSnapshots"]
        assert [item["DBClusterSnapshotIdentifier"] for item in shared] == [arn]
        with refused("KMSKeyNotAccessibleFault"):
            copy(stranger, arn, "theirs")
        copy(stranger, arn, "theirs", KmsKeyId="alias/theirs")
        stranger.wait_for_snapshot("theirs")
        stranger.has_restored("their-own", "theirs")
        assert stranger.cluster("their-own")["MasterUsername"] == "dba"

    def test_a_snapshot_under_the_default_key_cannot_be_shared(self, east: Region, stranger: Region) -> None:
        east.has_cluster("default-key", instances=0, StorageEncrypted=True)
        east.has_snapshot("default-key-now", of="default-key")
        with refused("InvalidDBClusterSnapshotStateFault", "default AWS KMS key"):
            east.rds.modify_db_cluster_snapshot_attribute(
                DBClusterSnapshotIdentifier="default-key-now", AttributeName="restore", ValuesToAdd=[stranger.account]
            )

    def test_an_automated_snapshot_is_copied_before_it_is_shared(self, aurora: LocalAurora, prod: Region) -> None:
        name = aurora.control.take_automated_snapshot(prod.arn("cluster", "prod"))
        with refused("InvalidParameterValue", "SnapshotType"):
            prod.snapshot(name)
        with refused("InvalidDBClusterSnapshotStateFault"):
            prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
        with refused("InvalidDBClusterSnapshotStateFault"):
            prod.rds.modify_db_cluster_snapshot_attribute(
                DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["111111111111"]
            )

    def test_a_recovery_point_of_aws_backup_is_found_and_copied_but_not_deleted(
        self, aurora: LocalAurora, prod: Region
    ) -> None:
        name = aurora.control.take_recovery_point(prod.arn("cluster", "prod"))
        prod.wait_for_snapshot(name)
        assert (prod.snapshot(name)["SnapshotType"], name[:14]) == ("awsbackup", "awsbackup:job-")
        copy(prod, prod.arn("cluster-snapshot", name), "of-the-recovery-point")
        prod.wait_for_snapshot("of-the-recovery-point")
        with refused("InvalidDBClusterSnapshotStateFault"):
            prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)


class TestCopiesUnderWay:
    @pytest.fixture
    def frozen(self, aurora: LocalAurora) -> None:
        aurora.control.add_fault(Fault(kind="freeze", operation="CopyDBClusterSnapshot", times=0))

    @pytest.mark.usefixtures("frozen")
    def test_the_sixth_copy_at_a_time_is_refused_and_a_copy_can_be_cancelled(self, prod: Region) -> None:
        for number in range(5):
            copy(prod, "prod-base", f"queue-{number}")
        assert prod.snapshot("queue-0")["Status"] == "copying"
        assert prod.snapshot("queue-4")["PercentProgress"] == 0
        with refused("SnapshotQuotaExceeded", "Cannot copy more than 5 snapshots"):
            copy(prod, "prod-base", "queue-5")
        with refused("InvalidDBClusterSnapshotStateFault"):
            prod.has_restored("x", "queue-0")
        for number in range(5):
            prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"queue-{number}")
        assert code_of(lambda: prod.snapshot("queue-0")) == "DBClusterSnapshotNotFoundFault"

    def test_a_copy_fails_when_its_source_is_deleted(self, aurora: LocalAurora, prod: Region) -> None:
        prod.has_snapshot("short-lived", of="prod")
        aurora.control.add_fault(Fault(kind="freeze", operation="CopyDBClusterSnapshot"))
        copy(prod, "short-lived", "orphan")
        prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="short-lived")
        aurora.control.release()
        prod.wait_for_snapshot("orphan", "failed")

    def test_a_taken_name_is_refused(self, prod: Region) -> None:
        with refused("DBClusterSnapshotAlreadyExistsFault", "prod-base"):
            copy(prod, "prod-base", "PROD-base")


def test_a_cluster_that_is_backed_up_every_night_keeps_its_backups_for_the_retention_period(east: Region) -> None:
    """Aurora User Guide, "Overview of backing up and restoring an Aurora DB cluster": window and retention period."""
    east.has_cluster("nightly", BackupRetentionPeriod=2, PreferredBackupWindow="02:30-03:00")
    east.control("POST", "nightly-backups", {"arn": east.arn("cluster", "nightly")})
    seen: set[str] = set()

    def kept() -> set[str]:
        answer = east.rds.describe_db_cluster_snapshots(SnapshotType="automated", DBClusterIdentifier="nightly")
        found = answer["DBClusterSnapshots"]
        names = {item["DBClusterSnapshotIdentifier"] for item in found if item["Status"] == "available"}
        seen.update(names)
        return names

    def night_passes(nights: int) -> None:
        east.control("POST", "clock", {"skip": 86_400})
        wait_until(lambda: bool(kept()) and len(seen) >= nights, True)

    night_passes(1)
    [first] = kept()
    assert re.fullmatch(r"rds:nightly-\d{4}-\d\d-\d\d-\d\d-\d\d", first)
    for nights in (2, 3, 4):
        night_passes(nights)
    assert first not in kept()
    assert len(kept()) <= 3


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        (datetime(2026, 1, 1, 6, 59, tzinfo=UTC), datetime(2026, 1, 1, 7, 0, tzinfo=UTC)),
        (datetime(2026, 1, 1, 7, 0, tzinfo=UTC), datetime(2026, 1, 2, 7, 0, tzinfo=UTC)),
    ],
)
def test_the_next_backup_window_is_always_ahead(now: datetime, begins: datetime) -> None:
    assert next_window("07:00-07:30", now) == begins
