"""Step 9: the copy is marked, and only our own snapshots of this target beyond the number to keep are deleted."""

from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from utils.errors import AwsThrottled
from utils.runtime.contract import StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.tags import Role, own_tags


def has_earlier(aws: FakeAws, role: Role, *names: str, target: str = "staging", **other: Any) -> None:
    """Let earlier operations have left snapshots, the first name the newest."""
    for days, name in enumerate(names, start=1):
        aws.west.has_snapshot(name, hours_old=24 * days, tags=own_tags(role, f"nightly-{name}", target), **other)


def kept(aws: FakeAws) -> set[str]:
    identifiers = aws.operation.identifiers
    names = {identifiers.copy_id: "this copy", identifiers.final_snapshot_id: "this final"}
    return {names.get(name, name) for name in aws.west.snapshots}


def test_the_copy_is_marked_with_the_time_of_rds(restored: FakeAws) -> None:
    result = restored.run(archive_snapshot)
    arn = restored.operation.copied and restored.operation.copied.arn
    (asked,) = restored.west.asked("add_tags_to_resource")
    assert asked == {
        "ResourceName": arn,
        "Tags": [{"Key": "aurora-restore:archived-at", "Value": restored.clock.now().isoformat()}],
    }
    assert (result.status, result.details["archived"]) == (StepStatus.READY, arn)


def test_rds_is_asked_something_before_its_clock_is_read(restored: FakeAws) -> None:
    before = len(restored.west.calls)
    restored.run(archive_snapshot)
    assert restored.west.calls[before][0] == "describe_db_cluster_snapshots"


def test_the_newest_copies_stay_and_the_others_go(restored: FakeAws) -> None:
    has_earlier(restored, Role.COPY, "copy-1", "copy-2", "copy-3", "copy-4")
    result = restored.run(archive_snapshot)
    assert result.details["pruned_copies"] == ["copy-3", "copy-4"]
    assert kept(restored) == {"this copy", "this final", "copy-1", "copy-2"}


def test_final_snapshots_are_counted_by_themselves(restored: FakeAws) -> None:
    has_earlier(restored, Role.FINAL, "final-1", "final-2", "final-3")
    has_earlier(restored, Role.COPY, "copy-1")
    result = restored.run(archive_snapshot)
    assert (result.details["pruned_copies"], result.details["pruned_final_snapshots"]) == ([], ["final-3"])


def test_this_runs_own_snapshots_are_never_pruned(restored: FakeAws) -> None:
    has_earlier(restored, Role.COPY, "copy-1", "copy-2", "copy-3")
    for name in ("copy-1", "copy-2", "copy-3"):
        restored.west.snapshots[name]["SnapshotCreateTime"] = restored.clock.now().replace(year=2027)
    restored.run(archive_snapshot)
    assert "this copy" in kept(restored)


def test_snapshots_of_others_are_not_touched(restored: FakeAws) -> None:
    ours = own_tags(Role.COPY, "nightly-0", "staging")
    restored.west.has_snapshot("by-hand", of="staging", hours_old=9999)
    restored.west.has_snapshot("of-another-target", hours_old=9999, tags=own_tags(Role.COPY, "nightly-0", "drill"))
    restored.west.has_snapshot("unmanaged", hours_old=9999, tags=ours | {"aurora-restore:managed": "false"})
    restored.west.has_snapshot("target-role", hours_old=9999, tags=ours | {"aurora-restore:role": "target"})
    restored.west.has_snapshot("rds:automated", hours_old=9999, tags=ours)
    has_earlier(restored, Role.COPY, "copy-1", "copy-2", "copy-3")

    restored.run(archive_snapshot)

    untouched = {"by-hand", "of-another-target", "unmanaged", "target-role", "rds:automated"}
    assert kept(restored) == {"this copy", "this final", "copy-1", "copy-2"} | untouched


@pytest.mark.parametrize("role", [Role.COPY, Role.FINAL])
def test_what_a_person_copied_with_the_tags_is_neither_counted_nor_deleted(restored: FakeAws, role: Role) -> None:
    has_earlier(restored, role, "one", "two")
    of = restored.west.snapshots["one"]["DBClusterSnapshotArn"]
    by_hand = {f"keep-for-the-audit-{number}" for number in range(4)}
    for name in by_hand:
        tags = own_tags(role, "nightly-one", "staging")
        restored.west.has_snapshot(name, hours_old=1, tags=tags, SourceDBClusterSnapshotArn=of)
    restored.run(archive_snapshot)
    assert kept(restored) == {"this copy", "this final", "one", "two"} | by_hand


@pytest.mark.parametrize("status", ["creating", "copying", "failed", "deleting"])
def test_what_is_not_available_is_neither_counted_nor_deleted(restored: FakeAws, status: str) -> None:
    has_earlier(restored, Role.COPY, "copy-1", "copy-2")
    restored.west.has_snapshot("odd", hours_old=0.5, tags=own_tags(Role.COPY, "nightly-x", "staging"), Status=status)
    restored.run(archive_snapshot)
    assert kept(restored) == {"this copy", "this final", "copy-1", "copy-2", "odd"}


def test_a_snapshot_without_a_time_is_kept_as_if_new(restored: FakeAws) -> None:
    has_earlier(restored, Role.COPY, "copy-1", "copy-2", "copy-3")
    del restored.west.snapshots["copy-3"]["SnapshotCreateTime"]
    restored.run(archive_snapshot)
    assert "copy-3" in kept(restored)


def test_without_a_copy_there_is_nothing_to_mark(aws: FakeAws) -> None:
    aws.west.has_snapshot("prod-local")
    aws.start(source={"region": "us-west-2"})
    result = aws.run(archive_snapshot)
    assert result.details == {
        "archived": None,
        "pruned_copies": [],
        "pruned_final_snapshots": [],
        "pruned_new_snapshots": [],
    }
    assert aws.west.changes == []


def test_a_second_call_marks_and_prunes_nothing_more(restored: FakeAws) -> None:
    has_earlier(restored, Role.COPY, "copy-1", "copy-2", "copy-3")
    first = restored.run(archive_snapshot)
    changes = list(restored.west.changes)
    assert restored.run(archive_snapshot) == first
    assert restored.west.changes == changes


def test_killed_half_way_the_rest_goes_the_next_time(restored: FakeAws) -> None:
    has_earlier(restored, Role.COPY, "copy-1", "copy-2", "copy-3", "copy-4")
    restored.west.fail("delete_db_cluster_snapshot", "Throttling")
    with pytest.raises(AwsThrottled):
        restored.run(archive_snapshot)
    # What is deleted meanwhile is not found again, and would never be told.
    del restored.west.snapshots["copy-3"]
    result = restored.run(archive_snapshot)
    assert result.details["pruned_copies"] == ["copy-3", "copy-4"]
    assert kept(restored) == {"this copy", "this final", "copy-1", "copy-2"}
