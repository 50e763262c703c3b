"""What was done to the fake RDS, and whether what the pipeline says it has changed is what it did."""

from typing import TYPE_CHECKING, Any

from tests.fakes.rds_items import Item
from tests.fakes.rds_region import CHANGES
from utils.errors import SO_FAR
from utils.report.advice import Advice, advice_after
from utils.report.changes import NOTHING, Changes, changed_so_far

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.rds import FakeRds

RESTORES = {"restore_db_cluster_from_snapshot", "restore_db_cluster_to_point_in_time"}


class Journaled:
    """The client of a Region that notes every change that RDS took."""

    def __init__(self, rds: "FakeRds") -> None:
        self._rds = rds

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._rds, name)
        if not name.startswith(CHANGES):
            return call

        def noted(**params: Any) -> Item:
            answer: Item = call(**params)
            self._rds.taken.append((name, params))
            return answer

        return noted


def judge(error: Exception, aws: "FakeAws") -> None:
    """Compare what a step's error claims, and what the row says by now, with what was done."""
    operation = aws.operation
    changes = changed_so_far(operation)
    claim = str(error).partition(SO_FAR)[2]
    assert claim == changes.in_words(), "the row and the error differ"
    judge_changes(changes, aws)
    advice = advice_after(type(error).__name__, operation)
    if "resume the operation" in str(error):
        assert advice is Advice.RESUME, error
    elif "start a new run" in str(error):
        assert advice is Advice.NEW_RUN, error


def judge_changes(changes: Changes, aws: "FakeAws") -> None:
    """Compare what is claimed with the changes that RDS took, and with those that were tried."""
    taken, names = aws.west.taken, aws.operation.identifiers
    done, tried = {name for name, _ in taken}, {name for name, _ in aws.west.calls}
    restored_at = next((place for place, (name, _) in enumerate(taken) if name in RESTORES), len(taken))
    destroyed = {name: _deleted(part) for name, part in (("old", taken[:restored_at]), ("new", taken[restored_at:]))}
    pruned = {params["DBClusterSnapshotIdentifier"] for name, params in taken if name == "delete_db_cluster_snapshot"}
    pruned -= {names.copy_id, names.final_snapshot_id}
    for was_done, was_tried, is_said in (
        ("copy_db_cluster_snapshot" in done, "copy_db_cluster_snapshot" in tried, bool(changes.copied)),
        ("start_db_cluster" in done, "start_db_cluster" in tried, changes.old_target_started or changes.restarted),
        (bool(RESTORES & done), bool(RESTORES & tried), changes.restored),
        (
            bool(destroyed["old"]),
            bool(tried & {"delete_db_instance", "delete_db_cluster", "modify_db_cluster"}),
            bool(changes.deleted),
        ),
    ):
        assert was_done <= is_said, changes
        assert is_said <= was_tried, changes
    assert destroyed["old"] <= set(changes.deleted)
    assert destroyed["new"] <= set(changes.half_restored)
    assert pruned == set(changes.pruned)
    if names.final_snapshot_id in aws.west.snapshots and "create_db_cluster_snapshot" in done:
        assert changes.final_snapshot
    words = changes.in_words()
    assert words != NOTHING or done == set(), words
    if "not touched" in words or "not deleted" in words:
        assert destroyed["old"] == set()
    if "not touched" in words:
        assert not done & {"start_db_cluster", "create_db_cluster_snapshot", "modify_db_cluster"}


def _deleted(calls: list[tuple[str, Item]]) -> set[str]:
    keys = {"delete_db_instance": "DBInstanceIdentifier", "delete_db_cluster": "DBClusterIdentifier"}
    return {params[keys[name]] for name, params in calls if name in keys}
