from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from local_cloud.aurora import LocalAurora
from tests.local_cloud.aurora.story import Region, query, refused, wait_until


@pytest.fixture(scope="module")
def ledger(aurora: LocalAurora, east: Region) -> Region:
    """us-east-1 with the cluster `ledger`, which has been backed up since it had one row."""
    east.has_cluster("ledger", StorageEncrypted=True, KmsKeyId="alias/production")
    with east.psql("ledger") as session:
        query(session, "CREATE TABLE entries (id int PRIMARY KEY)")
        query(session, "INSERT INTO entries VALUES (1)")
    assert "EarliestRestorableTime" not in east.cluster("ledger")
    aurora.control.take_automated_snapshot(east.arn("cluster", "ledger"))
    wait_until(lambda: "EarliestRestorableTime" in east.cluster("ledger"), True)
    return east


def add(region: Region, number: int) -> datetime:
    """Write a row; return the time after it, at which the next one is not there yet."""
    with region.psql("ledger") as session:
        query(session, f"INSERT INTO entries VALUES ({number})")
    latest: datetime = region.cluster("ledger")["LatestRestorableTime"]
    return latest


def to_point_in_time(region: Region, name: str, **how: Any) -> None:
    region.rds.restore_db_cluster_to_point_in_time(DBClusterIdentifier=name, SourceDBClusterIdentifier="ledger", **how)
    region.wait_for_cluster(name)


def entries_of(region: Region, name: str) -> list[int]:
    region.has_instances(name)
    with region.psql(name) as session:
        return [row[0] for row in query(session, "SELECT id FROM entries ORDER BY id")]


def test_a_full_copy_has_the_rows_of_its_moment_and_no_later_one(ledger: Region) -> None:
    add(ledger, 2)
    then = add(ledger, 3)
    add(ledger, 4)
    to_point_in_time(ledger, "ledger-then", RestoreToTime=then)
    assert entries_of(ledger, "ledger-then") == [1, 2, 3]
    assert ledger.cluster("ledger-then")["DBClusterMembers"] != []
    assert ledger.cluster("ledger-then")["CloneGroupId"] != ledger.cluster("ledger")["CloneGroupId"]


def test_a_moment_is_found_behind_a_jump_of_the_clock(aurora: LocalAurora, ledger: Region) -> None:
    before = add(ledger, 5)
    aurora.control.skip(3 * 3600)
    behind = add(ledger, 6)
    add(ledger, 7)
    to_point_in_time(ledger, "ledger-before", RestoreToTime=before)
    to_point_in_time(ledger, "ledger-behind", RestoreToTime=behind)
    assert max(entries_of(ledger, "ledger-before")) == 5
    assert max(entries_of(ledger, "ledger-behind")) == 6


def test_the_latest_restorable_time_has_everything_until_now(ledger: Region) -> None:
    add(ledger, 8)
    to_point_in_time(ledger, "ledger-latest", UseLatestRestorableTime=True)
    assert max(entries_of(ledger, "ledger-latest")) == 8


def test_a_clone_has_everything_until_now_and_is_of_the_sources_group(ledger: Region) -> None:
    add(ledger, 9)
    to_point_in_time(ledger, "ledger-clone", RestoreType="copy-on-write", UseLatestRestorableTime=True)
    assert max(entries_of(ledger, "ledger-clone")) == 9
    group = ledger.cluster("ledger")["CloneGroupId"]
    of_group = ledger.rds.describe_db_clusters(Filters=[{"Name": "clone-group-id", "Values": [group]}])["DBClusters"]
    assert [item["DBClusterIdentifier"] for item in of_group] == ["ledger", "ledger-clone"]


def test_a_time_outside_the_restorable_ones_is_refused(ledger: Region) -> None:
    times = ledger.cluster("ledger")
    for wrong in (
        times["EarliestRestorableTime"] - timedelta(seconds=1),
        times["LatestRestorableTime"] + timedelta(days=1),
    ):
        with refused("InvalidParameterValue", "not within the restorable times"):
            to_point_in_time(ledger, "x", RestoreToTime=wrong)


def test_a_clone_takes_no_time_and_a_full_copy_needs_exactly_one(ledger: Region) -> None:
    now = ledger.cluster("ledger")["LatestRestorableTime"]
    with refused("InvalidParameterCombination", "copy-on-write"):
        to_point_in_time(ledger, "x", RestoreToTime=now, RestoreType="copy-on-write")
    with refused("InvalidParameterCombination", "can't be specified when"):
        to_point_in_time(ledger, "x", RestoreToTime=now, UseLatestRestorableTime=True)
    with refused("InvalidParameterCombination", "Specify either"):
        to_point_in_time(ledger, "x")


def test_more_clones_than_aws_makes_are_refused(aurora: LocalAurora, ledger: Region) -> None:
    aurora.control.set_quota("clones", 0)
    try:
        with refused("DBClusterQuotaExceededFault", "copy-on-write clones"):
            to_point_in_time(ledger, "x", RestoreType="copy-on-write", UseLatestRestorableTime=True)
    finally:
        aurora.control.set_quota("clones", 15)


def test_an_unencrypted_source_takes_no_key(east: Region) -> None:
    east.has_cluster("plain-ledger")
    with refused("InvalidParameterCombination", "KmsKeyId cannot"):
        east.rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier="x",
            SourceDBClusterIdentifier="plain-ledger",
            RestoreType="copy-on-write",
            UseLatestRestorableTime=True,
            KmsKeyId="alias/production",
        )


def test_its_automated_backup_tells_the_restorable_times_as_the_cluster_does(ledger: Region) -> None:
    [backup] = ledger.rds.describe_db_cluster_automated_backups(DBClusterIdentifier="ledger")[
        "DBClusterAutomatedBackups"
    ]
    window = backup["RestoreWindow"]
    assert window["EarliestTime"] == ledger.cluster("ledger")["EarliestRestorableTime"]
    assert window["EarliestTime"] < window["LatestTime"]
