"""A run takes a snapshot of its source first, waits for it, then copies or restores it; older ones go by count."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws import OPERATION, FakeAws
from tests.fakes.rds_items import OTHER_ACCOUNT, tags_of
from utils import errors
from utils.report.changes import changed_so_far
from utils.runtime.contract import StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_copy_status import check_copy_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.tags import TARGET_REGION, Role, own_tags

NEW = {"snapshot": "new"}
HERE = {TARGET_REGION: "us-west-2"}


@pytest.fixture
def allowed(aws: FakeAws) -> FakeAws:
    """A stack that may take snapshots of production, and an old target."""
    aws.services = aws.services_with(NEW_SNAPSHOT_SOURCES="prod")
    aws.has_old_target()
    return aws


def name_of_the_new(aws: FakeAws) -> str:
    return aws.operation.snapshot.identifier


def taken(aws: FakeAws, **request: Any) -> FakeAws:
    """Run until the new snapshot is seen available, ten minutes after it was asked for."""
    aws.start(**{"source": NEW} | request)
    aws.run(copy_snapshot)
    aws.clock.advance(minutes=10)
    aws.east.settle()
    aws.west.settle()
    return aws


def test_the_plan_changes_nothing_and_names_what_will_be_taken(allowed: FakeAws) -> None:
    allowed.start(source=NEW)
    name = name_of_the_new(allowed)
    assert name.startswith("aurora-restore-source-staging-")
    assert allowed.operation.plan.actions[0] == f"snapshot prod in us-east-1 as {name}"
    assert allowed.east.changes == allowed.west.changes == []


def test_it_is_taken_with_our_marks_and_waited_for_before_it_is_copied(allowed: FakeAws) -> None:
    allowed.start(source=NEW)
    first = allowed.run(copy_snapshot)
    assert (first.status, first.details["waiting_for"]) == (
        StepStatus.IN_PROGRESS,
        f"snapshot {name_of_the_new(allowed)}",
    )
    (asked,) = allowed.east.asked("create_db_cluster_snapshot")
    assert (asked["DBClusterIdentifier"], asked["DBClusterSnapshotIdentifier"]) == ("prod", name_of_the_new(allowed))
    assert {tag["Key"]: tag["Value"] for tag in asked["Tags"]} == own_tags(Role.SOURCE, OPERATION, "staging") | HERE

    assert allowed.run(check_copy_status).status is StepStatus.IN_PROGRESS
    assert allowed.west.changes == []

    allowed.east.settle()
    assert allowed.run(check_copy_status).status is StepStatus.COPY_AGAIN
    allowed.run(copy_snapshot)
    (copied,) = allowed.west.asked("copy_db_cluster_snapshot")
    assert copied["SourceDBClusterSnapshotIdentifier"].endswith(f":cluster-snapshot:{name_of_the_new(allowed)}")
    assert len(allowed.east.changes) == 1


def test_its_age_is_that_of_the_snapshot_when_it_was_seen_available(allowed: FakeAws) -> None:
    taken(allowed)
    allowed.run(check_copy_status)
    source = allowed.operation.snapshot
    assert source.created_at == allowed.clock.now() - timedelta(minutes=10)
    assert (source.age_hours, source.taken_at) == (0.17, allowed.clock.now())


def test_each_call_twice_takes_and_copies_it_once(allowed: FakeAws) -> None:
    allowed.start(source=NEW)
    for _ in range(2):
        allowed.run(copy_snapshot)
    allowed.east.settle()
    for _ in range(2):
        allowed.run(check_copy_status)
    for _ in range(2):
        allowed.run(copy_snapshot)
    assert allowed.east.changes == ["create_db_cluster_snapshot"]
    assert "copy_db_cluster_snapshot" in allowed.west.changes


def test_an_execution_that_goes_on_before_the_copy_was_requested_has_it_requested(allowed: FakeAws) -> None:
    taken(allowed)
    assert allowed.run(check_copy_status).status is StepStatus.COPY_AGAIN
    assert allowed.run(check_copy_status).status is StepStatus.COPY_AGAIN


def test_beside_the_target_it_is_restored_where_it_is(allowed: FakeAws) -> None:
    allowed.west.has_source("prod")
    taken(allowed, source=NEW | {"region": "us-west-2"})
    assert allowed.run(check_copy_status).status is StepStatus.READY
    assert allowed.run(copy_snapshot).status is StepStatus.READY
    assert "copy_db_cluster_snapshot" not in allowed.west.changes
    assert allowed.operation.restored_from.endswith(name_of_the_new(allowed))
    allowed.run(delete_rds)


def test_beside_the_target_it_needs_room_among_the_targets_snapshots(allowed: FakeAws) -> None:
    allowed.west.has_source("prod")
    allowed.west.quotas["ManualClusterSnapshots"] = 1
    allowed.start(source=NEW | {"region": "us-west-2"})
    (warning,) = [line for line in allowed.operation.plan.warnings if "quota of snapshots" in line]
    assert "0 of 1 manual cluster snapshots, and 2 to come" in warning  # the new one and the final one


def test_one_that_failed_is_left_to_a_person_and_taken_again_once_it_is_gone(allowed: FakeAws) -> None:
    allowed.start(source=NEW)
    allowed.run(copy_snapshot)
    name = name_of_the_new(allowed)
    allowed.east.snapshots[name]["Status"] = "failed"
    with pytest.raises(errors.CopyFailed, match="takes it again"):
        allowed.run(check_copy_status)
    with pytest.raises(errors.CopyFailed, match="delete the snapshot"):
        allowed.run(copy_snapshot)
    del allowed.east.snapshots[name]
    allowed.run(copy_snapshot)
    assert allowed.east.changes.count("create_db_cluster_snapshot") == 2


def test_somebody_elses_snapshot_of_that_name_is_left_alone(allowed: FakeAws) -> None:
    allowed.start(source=NEW)
    allowed.east.has_snapshot(name_of_the_new(allowed), tags={"made-by": "people"})
    with pytest.raises(errors.IdentifierTaken):
        allowed.run(copy_snapshot)
    assert allowed.east.changes == []


def test_a_region_without_room_says_so_and_nothing_was_taken(allowed: FakeAws) -> None:
    allowed.start(source=NEW)
    allowed.east.fail("create_db_cluster_snapshot", "SnapshotQuotaExceeded")
    with pytest.raises(errors.SnapshotQuotaFull, match="us-east-1"):
        allowed.run(copy_snapshot)
    assert changed_so_far(allowed.operation).taken == ""


def test_what_was_taken_is_told_as_changed(allowed: FakeAws) -> None:
    taken(allowed)
    name = name_of_the_new(allowed)
    assert f"snapshot {name} of the source was started" in changed_so_far(allowed.operation).in_words()
    allowed.run(check_copy_status)
    assert f"snapshot {name} of the source was taken" in changed_so_far(allowed.operation).in_words()


def test_older_ones_of_the_target_go_by_count_and_no_others(allowed: FakeAws) -> None:
    for number, hours in enumerate((50, 26)):
        ours = own_tags(Role.SOURCE, f"earlier-{number}", "staging") | HERE
        allowed.east.has_snapshot(f"aurora-restore-source-staging-{number}", hours_old=hours, tags=ours)
    other = own_tags(Role.SOURCE, "earlier-2", "elsewhere") | HERE
    allowed.east.has_snapshot("aurora-restore-source-elsewhere-1", hours_old=99, tags=other)
    # Production has one Region, its copies have two: each has a target of this name.
    of_ireland = own_tags(Role.SOURCE, "earlier-3", "staging") | {TARGET_REGION: "eu-west-1"}
    allowed.east.has_snapshot("aurora-restore-source-staging-of-ireland", hours_old=98, tags=of_ireland)
    taken(allowed, keep_new_snapshots=2)
    assert allowed.operation.plan.prunes == ["aurora-restore-source-staging-0"]
    allowed.run(check_copy_status)
    allowed.run(archive_snapshot)
    assert allowed.operation.archive is not None
    assert allowed.operation.archive.pruned == ["aurora-restore-source-staging-0"]
    (deleted,) = allowed.east.asked("delete_db_cluster_snapshot")
    assert deleted["DBClusterSnapshotIdentifier"] == "aurora-restore-source-staging-0"
    taken_now = tags_of(allowed.east.snapshots[name_of_the_new(allowed)])
    assert (taken_now["aurora-restore:role"], taken_now["aurora-restore:target-region"]) == ("source", "us-west-2")


def test_a_run_from_another_snapshot_prunes_none_of_the_source(allowed: FakeAws) -> None:
    ours = own_tags(Role.SOURCE, "earlier", "staging") | HERE
    allowed.east.has_snapshot("aurora-restore-source-staging-0", hours_old=50, tags=ours)
    allowed.start()
    allowed.run(archive_snapshot)
    assert allowed.east.changes == []


def test_one_that_a_run_took_is_never_the_latest(allowed: FakeAws) -> None:
    ours = own_tags(Role.SOURCE, "earlier", "staging")
    allowed.east.has_snapshot("aurora-restore-source-staging-0", hours_old=0.1, tags=ours)
    allowed.start()
    assert name_of_the_new(allowed) == "prod-nightly"


@pytest.mark.parametrize(
    ("pattern", "source", "error", "words"),
    [
        ("", {}, errors.InvalidRequest, "--set NewSnapshotSources=prod"),
        ("billing*", {}, errors.InvalidRequest, "a name like billing*"),
        ("prod", {"account_id": OTHER_ACCOUNT}, errors.InvalidRequest, "source-account.yaml"),
        ("p*", {"cluster_id": "prodigal"}, errors.SnapshotNotFound, "no cluster prodigal"),
    ],
)
def test_what_the_stack_does_not_allow_or_is_not_there_is_refused(
    allowed: FakeAws, pattern: str, source: dict[str, str], error: type[errors.PermanentError], words: str
) -> None:
    allowed.services = allowed.services_with(NEW_SNAPSHOT_SOURCES=pattern)
    with pytest.raises(error) as raised:
        allowed.start(source=NEW | source)
    assert words in str(raised.value)
    assert allowed.east.changes == []


@pytest.mark.parametrize(
    ("other", "error"),
    [({"Status": "stopped"}, errors.SnapshotNotAvailable), ({"Engine": "aurora-mysql"}, errors.SnapshotNotRestorable)],
)
def test_a_cluster_of_which_none_can_be_taken_is_refused(
    allowed: FakeAws, other: dict[str, str], error: type[errors.PermanentError]
) -> None:
    allowed.east.clusters["prod"] |= other
    with pytest.raises(error):
        allowed.start(source=NEW)
    assert allowed.east.changes == []
