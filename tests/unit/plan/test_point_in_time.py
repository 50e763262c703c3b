"""What RDS would not restore to a point in time, or clone, is refused with the plan."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.rds_items import OTHER_ACCOUNT
from tests.unit.operations import an_operation
from utils import errors
from utils.restore_type import RestoreType

WEST = "us-west-2"
LATEST = {"restore_time": "latest"}
CLONE = {"fast_clone": True}
BOTH = pytest.mark.parametrize("how", [LATEST, CLONE])


@pytest.fixture
def beside(aws: FakeAws) -> FakeAws:
    aws.services = aws.services_with(POINT_IN_TIME_SOURCES="pro*")
    aws.west.has_source("prod")
    return aws


def refused(aws: FakeAws, error: type[errors.PermanentError], *words: str, **request: Any) -> None:
    """Start a run that is refused: nothing is changed, and the words are said."""
    request["source"] = {"region": WEST} | request.get("source", {})
    with pytest.raises(error) as raised:
        aws.start(**request)
    assert [word for word in words if word not in str(raised.value)] == []
    assert aws.west.changes == []


@BOTH
@pytest.mark.parametrize("elsewhere", [{"region": "us-east-1"}, {"account_id": OTHER_ACCOUNT}, {"region": "eu-west-1"}])
def test_another_region_or_account_is_refused(beside: FakeAws, how: dict[str, Any], elsewhere: dict[str, str]) -> None:
    words = ("us-west-2 of account 123456789012", "restores the newest snapshot", "nothing was changed")
    refused(beside, errors.InvalidRequest, *words, source=how | elsewhere)


@BOTH
def test_a_stack_that_names_no_sources_restores_none_so(beside: FakeAws, how: dict[str, Any]) -> None:
    beside.services = beside.services_with()
    refused(beside, errors.InvalidRequest, "PointInTimeSources", "--set PointInTimeSources=prod", source=how)


@BOTH
def test_a_source_that_the_stack_does_not_name_is_refused(beside: FakeAws, how: dict[str, Any]) -> None:
    beside.west.has_source("billing")
    refused(beside, errors.InvalidRequest, "a name like pro*", source=how | {"cluster_id": "billing"})


@BOTH
def test_a_cluster_that_is_not_there_is_refused(beside: FakeAws, how: dict[str, Any]) -> None:
    refused(beside, errors.SnapshotNotFound, "no cluster prodigal", source=how | {"cluster_id": "prodigal"})


@BOTH
@pytest.mark.parametrize(
    "kind", [{"Engine": "aurora-mysql"}, {"EngineMode": "serverless"}, {"EngineVersion": "16.4-limitless"}]
)
def test_another_kind_of_cluster_is_refused(beside: FakeAws, how: dict[str, Any], kind: dict[str, str]) -> None:
    beside.west.clusters["prod"] |= kind
    refused(beside, errors.SnapshotNotRestorable, "a cluster of Aurora PostgreSQL", source=how)


@BOTH
def test_a_cluster_without_a_key_is_left_to_snapshots_which_a_restore_encrypts(
    beside: FakeAws, how: dict[str, Any]
) -> None:
    del beside.west.clusters["prod"]["KmsKeyId"]
    refused(beside, errors.SnapshotNotRestorable, "without a KMS key", "and encrypts it", source=how)


@BOTH
def test_the_sources_key_must_be_usable(beside: FakeAws, how: dict[str, Any]) -> None:
    beside.west.clusters["prod"]["KmsKeyId"] = "arn:aws:kms:us-west-2:123456789012:key/gone"
    refused(beside, errors.KeyNotUsable, "key/gone", source=how)


@BOTH
@pytest.mark.parametrize("wanted", [{"engine_version": "17.5"}, {"availability_zones": ["us-west-2a", "us-west-2b"]}])
def test_what_rds_takes_with_snapshots_only_is_refused(
    beside: FakeAws, how: dict[str, Any], wanted: dict[str, Any]
) -> None:
    (field,) = wanted
    refused(beside, errors.InvalidRequest, f"target.{field}", "leave it out", source=how, target=wanted)


@pytest.mark.parametrize("wrong", [timedelta(minutes=-1), timedelta(days=-3)])
def test_a_time_that_rds_cannot_restore_is_refused_with_those_it_can(beside: FakeAws, wrong: timedelta) -> None:
    moment = (beside.clock.now() + wrong).isoformat()
    source = {"restore_time": moment, "max_age_hours": None}
    refused(beside, errors.SnapshotNotAvailable, "2026-11-20 03:00:00 to 2026-11-22 02:54:00 UTC", source=source)


def test_a_time_older_than_the_request_takes_is_refused(beside: FakeAws) -> None:
    moment = (beside.clock.now() - timedelta(hours=5)).isoformat()
    source = {"restore_time": moment, "max_age_hours": 4}
    refused(beside, errors.SnapshotTooOld, "source.restore_time", "5.0 hours old", source=source)


def test_a_cluster_of_which_rds_tells_no_time_is_refused(beside: FakeAws) -> None:
    del beside.west.clusters["prod"]["EarliestRestorableTime"]
    refused(beside, errors.SnapshotNotAvailable, "no restorable time", "first backup", source=LATEST)


@pytest.mark.parametrize("other", [{"Status": "stopped"}, {"DBClusterMembers": []}])
def test_what_rds_does_not_clone_is_refused(beside: FakeAws, other: dict[str, Any]) -> None:
    beside.west.clusters["prod"] |= other
    refused(beside, errors.SnapshotNotAvailable, "source.fast_clone", "leave fast_clone out", source=CLONE)


def test_a_sixteenth_clone_is_refused_and_a_full_copy_is_not(beside: FakeAws) -> None:
    for number in range(14):
        beside.west.has_cluster(f"clone-{number}", members=0, CloneGroupId="group-of-prod")
    beside.start(source={"region": WEST} | CLONE, dry_run=True)
    beside.west.has_cluster("clone-14", members=0, CloneGroupId="group-of-prod")
    beside.operations.rows.clear()
    refused(beside, errors.SnapshotNotRestorable, "15 clusters that share", '"restore_time": "latest"', source=CLONE)
    asked = beside.west.asked("describe_db_clusters")
    assert {"Filters": [{"Name": "clone-group-id", "Values": ["group-of-prod"]}]} in asked


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (RestoreType.SNAPSHOT, ""),
        (RestoreType.COPY_ON_WRITE, " (cloned)"),
        (RestoreType.FULL_COPY, " (point in time)"),
    ],
)
def test_what_is_restored_is_said_with_the_way_it_comes_unless_it_is_a_snapshot(how: RestoreType, words: str) -> None:
    snapshot = an_operation().snapshot.model_copy(update={"restore_type": how})
    assert snapshot.in_words == f"{snapshot.arn}{words}"
