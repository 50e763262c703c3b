"""RDS refuses the deletion of the old target: what may pass is waited for, what cannot is told at once and whole."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.rds_items import Item, need
from tests.unit.steps.stories import copy_is_ready
from utils import errors
from utils.report.changes import changed_so_far
from utils.runtime.contract import StepStatus
from utils.steps.delete_rds import delete_rds

LAST = "Cannot delete the last instance of the master cluster. Delete the replica cluster before deleting the last one."
REFUSALS = [
    LAST,
    "Cluster staging is part of a zero-ETL integration.",
    "This operation isn't allowed on cluster staging in a blue/green deployment.",
]


@pytest.fixture
def overridden(aws: FakeAws) -> FakeAws:
    """A run that may switch off protection, when its final snapshot is there and nothing is deleted."""
    aws.has_old_target(DeletionProtection=True)
    copy_is_ready(aws, override_deletion_protection=True)
    aws.run(delete_rds)
    aws.west.settle()
    return aws


@pytest.mark.parametrize("words", REFUSALS)
def test_a_cluster_that_rds_will_never_delete_ends_the_run_with_rdss_own_words(overridden: FakeAws, words: str) -> None:
    overridden.west.fail("delete_db_cluster", "InvalidDBClusterStateFault", words)
    with pytest.raises(errors.TargetNotDeletable) as refused:
        overridden.run(delete_rds)

    said = str(refused.value)
    assert words in said
    assert "the deletion of the old target has begun: staging-1, staging-2, but not the cluster" in said
    assert "deletion protection was switched off and on again" in said
    assert "the restore was not started" in said
    assert overridden.west.clusters["staging"]["DeletionProtection"] is True
    assert overridden.west.destroyed == [
        *("modify_db_cluster", "delete_db_instance", "delete_db_instance", "delete_db_cluster"),
        "modify_db_cluster",
    ]


def test_the_last_instance_that_rds_keeps_is_not_said_to_be_deleted(overridden: FakeAws) -> None:
    overridden.west.fail("delete_db_instance", "InvalidDBInstanceState", LAST)
    with pytest.raises(errors.TargetNotDeletable, match="Delete the replica cluster"):
        overridden.run(delete_rds)

    changes = changed_so_far(overridden.operation)
    assert changes.deleted == ()
    assert "the old target was not deleted" in changes.in_words()
    assert overridden.operation.deletion is not None
    assert overridden.operation.deletion.destroying_since is None
    assert overridden.west.clusters["staging"]["DeletionProtection"] is True


def test_only_the_instances_that_rds_took_are_said_to_be_deleted(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.west.instances["staging-1"]["DBInstanceStatus"] = "deleting"
    copied.west.fail("delete_db_instance", "InvalidDBInstanceState", LAST)
    with pytest.raises(errors.TargetNotDeletable, match="has begun: staging-1, but not the cluster"):
        copied.run(delete_rds)


def loses_its_answer(aws: FakeAws, operation: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Item]:
    """Have the SDK's second attempt refused for what the first one did; return what answers at once."""
    delete: Callable[..., Item] = getattr(aws.west, operation)

    def already_taken(**params: Any) -> Item:
        delete(**params)
        return delete(**params)

    monkeypatch.setattr(aws.west, operation, already_taken)
    return delete


def test_a_deletion_whose_answer_was_lost_is_said_to_have_begun(
    overridden: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = loses_its_answer(overridden, "delete_db_instance", monkeypatch)
    assert overridden.run(delete_rds).status is StepStatus.IN_PROGRESS
    assert changed_so_far(overridden.operation).deleted == ("staging-1",)
    del overridden.west.instances["staging-1"]  # gone before the next look
    monkeypatch.setattr(overridden.west, "delete_db_instance", delete)
    overridden.run(delete_rds)
    assert changed_so_far(overridden.operation).deleted == ("staging", "staging-1", "staging-2")


def test_a_cluster_whose_deletion_lost_its_answer_is_not_said_to_stay(
    overridden: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    loses_its_answer(overridden, "delete_db_cluster", monkeypatch)
    assert overridden.run(delete_rds).details["waiting_for"] == "the deletion of staging"
    assert overridden.operation.deletion is not None
    assert overridden.operation.deletion.cluster_stays is False
    assert changed_so_far(overridden.operation).deleted == ("staging", "staging-1", "staging-2")


def test_a_refusal_that_may_pass_is_waited_for_and_nothing_is_claimed(overridden: FakeAws) -> None:
    overridden.west.fail("delete_db_instance", "InvalidDBInstanceState", "Instance staging-1 is currently modifying.")
    waiting = overridden.run(delete_rds)
    assert waiting.status is StepStatus.IN_PROGRESS
    assert "currently modifying" in waiting.details["waiting_for"]
    assert changed_so_far(overridden.operation).deleted == ()

    overridden.run(delete_rds)
    assert overridden.west.clusters["staging"]["Status"] == "deleting"
    assert changed_so_far(overridden.operation).deleted == ("staging", "staging-1", "staging-2")


def test_a_refusal_in_words_nobody_knows_is_for_good_once_everything_has_long_been_at_rest(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    words = "The cluster is held by a feature of tomorrow."
    copied.west.fail("delete_db_cluster", "InvalidDBClusterStateFault", words)
    assert copied.run(delete_rds).status is StepStatus.IN_PROGRESS
    copied.clock.advance(minutes=11)
    copied.west.fail("delete_db_cluster", "InvalidDBClusterStateFault", words)
    with pytest.raises(errors.TargetNotDeletable, match="feature of tomorrow"):
        copied.run(delete_rds)


def test_a_refusal_by_iam_in_the_middle_gives_the_protection_back(overridden: FakeAws) -> None:
    overridden.west.fail("delete_db_cluster", "AccessDenied")
    with pytest.raises(errors.AccessDenied, match="switched off and on again"):
        overridden.run(delete_rds)
    assert overridden.west.clusters["staging"]["DeletionProtection"] is True


def test_what_cannot_be_protected_again_is_said_to_be_unprotected(
    overridden: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = overridden.west.modify_db_cluster

    def only_off(**params: Any) -> Item:
        need(not params["DeletionProtection"], "AccessDenied")
        return switch(**params)

    monkeypatch.setattr(overridden.west, "modify_db_cluster", only_off)
    overridden.west.fail("delete_db_instance", "InvalidDBInstanceState", LAST)
    with pytest.raises(errors.TargetNotDeletable) as refused:
        overridden.run(delete_rds)
    assert "deletion protection was switched off;" in f"{refused.value};"
    assert "on again" not in str(refused.value)


@pytest.mark.parametrize(
    "other", [{"ReadReplicaIdentifiers": ["arn:aws:rds:eu-west-1:123456789012:cluster:replica"]},
              {"ReplicationSourceIdentifier": "arn:aws:rds:eu-west-1:123456789012:cluster:origin"}],
)  # fmt: skip
def test_a_target_with_a_replica_cluster_is_refused_before_anything_is_changed(
    aws: FakeAws, other: dict[str, object]
) -> None:
    aws.has_old_target(**other)
    with pytest.raises(errors.TargetNotReplaceable, match=r"replica|origin"):
        aws.start()
    assert aws.west.changes == []


def test_a_replica_cluster_that_appears_after_the_plan_keeps_every_instance(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.west.clusters["staging"]["ReadReplicaIdentifiers"] = ["replica"]
    with pytest.raises(errors.TargetNotReplaceable, match="replica cluster replica"):
        copied.run(delete_rds)
    assert copied.west.destroyed == []
