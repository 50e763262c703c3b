"""The source cluster itself is restored, as of a moment or as a clone: nothing is copied."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.aws import REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import Item
from utils import errors
from utils.evidence.compiling import evidence_of
from utils.restore_type import RestoreType
from utils.runtime.contract import StepStatus
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.tags import OPERATION_ID

WEST = "us-west-2"
A_TIME = "2026-11-22T03:30:00+01:00"


@pytest.fixture
def beside(aws: FakeAws) -> FakeAws:
    """A source in the target Region whose stack may restore it to a point in time, and an old target."""
    aws.services = aws.services_with(POINT_IN_TIME_SOURCES="prod")
    aws.west.has_source("prod")
    aws.has_old_target()
    return aws


def start(aws: FakeAws, **source: Any) -> None:
    aws.start(source={"region": WEST} | source)


def restored(aws: FakeAws) -> Item:
    """Run until RDS is asked for the new cluster; return what it was asked for."""
    assert aws.run(copy_snapshot).status is StepStatus.READY
    for _ in range(2):
        aws.run(delete_rds)
        aws.west.settle()
    aws.run(restore_snapshot)
    assert not {"copy_db_cluster_snapshot", "restore_db_cluster_from_snapshot"} & set(aws.west.changes)
    (asked,) = aws.west.asked("restore_db_cluster_to_point_in_time")
    return asked


def test_a_time_is_restored_to_with_the_planned_settings_and_nothing_is_copied(beside: FakeAws) -> None:
    start(beside, restore_time=A_TIME)
    assert beside.operation.plan.actions[0] == "take prod as of 2026-11-22 02:30:00 UTC, 0.5 hours ago"
    assert beside.operation.plan.copy_reason == "no snapshot is restored, but the source cluster itself"

    asked = restored(beside)

    assert asked["RestoreToTime"] == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    assert (asked["SourceDBClusterIdentifier"], asked["RestoreType"]) == ("prod", "full-copy")
    assert (asked["DBClusterIdentifier"], asked["DBSubnetGroupName"]) == ("staging", "default")
    assert not {"EngineVersion", "Engine", "AvailabilityZones", "UseLatestRestorableTime"} & asked.keys()
    marks = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
    assert (marks[OPERATION_ID], marks["aurora-restore:managed"]) == (beside.operation.operation_id, "true")


def test_the_latest_time_is_rdss_own_and_what_is_told_is_that_of_the_restore(beside: FakeAws) -> None:
    start(beside, restore_time="latest")
    assert beside.operation.snapshot.age_hours == 0.1
    beside.clock.advance(hours=3)
    beside.west.clusters["prod"]["LatestRestorableTime"] = beside.clock.now() - timedelta(minutes=3)

    asked = restored(beside)

    assert (asked["UseLatestRestorableTime"], asked["RestoreType"]) == (True, "full-copy")
    assert "RestoreToTime" not in asked
    source = beside.operation.snapshot
    assert source.created_at == beside.clock.now() - timedelta(minutes=3)
    assert source.age_hours == 0.05


def test_a_clone_is_as_old_as_the_call_that_makes_it(beside: FakeAws) -> None:
    start(beside, fast_clone=True)
    assert beside.operation.plan.actions[0] == "clone prod as it is when the restore begins"
    beside.clock.advance(hours=3)

    asked = restored(beside)

    assert (asked["UseLatestRestorableTime"], asked["RestoreType"]) == (True, "copy-on-write")
    source = beside.operation.snapshot
    assert (source.created_at, source.age_hours) == (beside.clock.now(), 0)
    assert source.restore_type is RestoreType.COPY_ON_WRITE


def test_a_call_that_took_effect_unheard_is_not_made_again_and_tells_no_later_moment(beside: FakeAws) -> None:
    start(beside, fast_clone=True)
    planned = beside.operation.snapshot.created_at
    for _ in range(2):
        beside.run(delete_rds)
        beside.west.settle()
    ours = {OPERATION_ID: beside.operation.operation_id, "aurora-restore:managed": "true"}
    beside.west.has_cluster("staging", members=0, tags=ours)
    beside.clock.advance(minutes=5)
    beside.run(restore_snapshot)
    assert beside.west.asked("restore_db_cluster_to_point_in_time") == []
    assert beside.operation.snapshot.created_at == planned


def test_the_evidence_says_what_was_restored(beside: FakeAws) -> None:
    start(beside, fast_clone=True, max_age_hours=1)
    restored(beside)
    now = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    evidence = evidence_of(beside.operation, [], now)
    assert evidence.source.restore_type is RestoreType.COPY_ON_WRITE
    assert evidence.source.snapshot_arn == "arn:aws:rds:us-west-2:123456789012:cluster:prod"
    assert evidence.rpo.measured.startswith("from the moment that is in the copy")
    assert evidence.rpo.measured_seconds == 0


def test_before_the_deletion_the_source_is_looked_at_again(beside: FakeAws) -> None:
    start(beside, fast_clone=True)
    beside.west.clusters["prod"]["Status"] = "stopped"
    with pytest.raises(errors.SnapshotNotAvailable, match="prod with status stopped"):
        beside.run(delete_rds)
    assert beside.west.destroyed == []


def test_another_cluster_under_the_sources_name_is_not_restored(beside: FakeAws) -> None:
    start(beside, restore_time="latest")
    beside.west.clusters["prod"]["DbClusterResourceId"] = "cluster-OTHER"
    with pytest.raises(errors.SnapshotNotAvailable, match="cluster-OTHER"):
        beside.run(delete_rds)
    assert beside.west.destroyed == []


def test_a_time_that_rds_forgot_meanwhile_stops_the_run_before_the_deletion(beside: FakeAws) -> None:
    start(beside, restore_time=A_TIME)
    beside.west.clusters["prod"]["EarliestRestorableTime"] = beside.clock.now()
    with pytest.raises(errors.SnapshotNotAvailable, match="02:30:00 UTC"):
        beside.run(delete_rds)
    assert beside.west.destroyed == []


def test_the_source_cannot_be_the_target(beside: FakeAws) -> None:
    beside.west.clusters["prod"]["TagList"] = [{"Key": key, "Value": value} for key, value in REPLACEABLE_TAG.items()]
    with pytest.raises(errors.TargetIsSource):
        beside.start(source={"region": WEST, "fast_clone": True}, target={"cluster_id": "prod"})
