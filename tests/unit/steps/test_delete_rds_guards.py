"""Between the plan and the deletion things change: right before anything is destroyed, every guard looks again."""

from collections.abc import Callable

import pytest

from tests.fakes.aws import KEY_ARN, REPLACEABLE_TAG, FakeAws
from tests.unit.steps.stories import copy_is_ready
from utils import errors
from utils.steps.delete_rds import delete_rds


def has_lost_its_tag(aws: FakeAws) -> None:
    aws.west.clusters["staging"]["TagList"] = []


def has_an_untagged_member(aws: FakeAws) -> None:
    aws.west.has_instance("staging-reporting", "staging")


def has_been_protected(aws: FakeAws) -> None:
    aws.west.clusters["staging"]["DeletionProtection"] = True


def has_joined_a_global_cluster(aws: FakeAws) -> None:
    aws.west.clusters["staging"]["GlobalClusterIdentifier"] = "world"


def is_another_cluster(aws: FakeAws) -> None:
    aws.has_old_target()


def is_to_be_encrypted_with_a_key_that_was_disabled(aws: FakeAws) -> None:
    aws.kms.states[KEY_ARN] = "Disabled"


def is_to_get_a_version_that_is_not_offered_any_more(aws: FakeAws) -> None:
    aws.west.engine_versions.clear()


def has_no_copy_to_be_restored_from(aws: FakeAws) -> None:
    del aws.west.snapshots[aws.operation.identifiers.copy_id]


def has_a_copy_that_is_not_available(aws: FakeAws) -> None:
    aws.west.snapshots[aws.operation.identifiers.copy_id]["Status"] = "deleting"


@pytest.mark.parametrize(
    ("it", "error"),
    [
        (has_lost_its_tag, errors.TargetNotReplaceable),
        (has_an_untagged_member, errors.TargetNotReplaceable),
        (has_been_protected, errors.TargetProtected),
        (has_joined_a_global_cluster, errors.TargetInGlobalCluster),
        (is_another_cluster, errors.TargetChanged),
        (is_to_be_encrypted_with_a_key_that_was_disabled, errors.KeyNotUsable),
        (is_to_get_a_version_that_is_not_offered_any_more, errors.EngineVersionNotRestorable),
        (has_no_copy_to_be_restored_from, errors.SnapshotNotAvailable),
        (has_a_copy_that_is_not_available, errors.SnapshotNotAvailable),
    ],
)
@pytest.mark.parametrize("when", ["before the final snapshot", "after the final snapshot"])
def test_a_target_stays_when_it(
    copied: FakeAws, it: Callable[[FakeAws], None], error: type[errors.PermanentError], when: str
) -> None:
    if when == "after the final snapshot":
        copied.run(delete_rds)
        copied.west.settle()
    copied.clock.advance(minutes=11)
    it(copied)
    with pytest.raises(error):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


def test_a_target_that_appeared_after_the_plan_stays(aws: FakeAws) -> None:
    copy_is_ready(aws)
    aws.west.has_cluster("staging", tags=REPLACEABLE_TAG)
    with pytest.raises(errors.TargetChanged, match="which was absent"):
        aws.run(delete_rds)
    assert aws.west.destroyed == []


def test_a_snapshot_that_needs_no_copy_is_what_must_be_there(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.west.has_snapshot("prod-local")
    aws.start(source={"region": "us-west-2"})
    del aws.west.snapshots["prod-local"]
    with pytest.raises(errors.SnapshotNotAvailable, match="prod-local"):
        aws.run(delete_rds)


@pytest.mark.parametrize("shown", [None, "copying"])
def test_a_copy_that_rds_shows_as_it_was_before_is_looked_at_again(copied: FakeAws, shown: str | None) -> None:
    copy_id = copied.operation.identifiers.copy_id
    copy = copied.west.snapshots.pop(copy_id)
    if shown:
        copied.west.snapshots[copy_id] = copy | {"Status": shown}
    with pytest.raises(errors.ResourceBusy, match="as it was seen a moment ago"):
        copied.run(delete_rds)
    assert copied.west.destroyed == []
