"""What a row keeps over calls and attempts: the clock of each phase, and flags that no later call takes back."""

from datetime import timedelta

import pytest

from tests.fakes.aws import FakeAws
from tests.unit.steps.stories import copy_is_ready, fail, resume
from utils import errors
from utils.runtime.contract import StepStatus
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot


def test_a_deletion_that_used_its_budget_up_gets_it_again_after_a_resume(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.clock.advance(hours=3)
    with pytest.raises(errors.PhaseTimedOut):
        copied.run(check_delete_status)
    fail(copied, error="PhaseTimedOut")

    resume(copied)

    assert copied.run(check_delete_status).status is not None
    record = copied.operation.deletion
    assert record is not None
    assert record.started_at == copied.clock.now()
    copied.clock.advance(hours=2, seconds=1)
    with pytest.raises(errors.PhaseTimedOut):
        copied.run(check_delete_status)


def test_a_restore_that_used_its_budget_up_gets_it_again_after_a_resume(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.clock.advance(hours=13)
    with pytest.raises(errors.PhaseTimedOut):
        deleted.run(check_restore_status)
    fail(deleted, error="PhaseTimedOut")

    resume(deleted)

    assert deleted.run(check_restore_status).status is StepStatus.IN_PROGRESS
    record = deleted.operation.restore
    assert record is not None
    assert record.started_at == deleted.clock.now()


def test_a_phase_that_was_finished_keeps_its_clock_over_a_resume(deleted: FakeAws) -> None:
    before = deleted.operation
    fail(deleted, error="RestoreFailed")
    deleted.clock.advance(hours=5)

    resume(deleted)

    assert (deleted.operation.copied, deleted.operation.deletion) == (before.copied, before.deletion)


def test_looks_at_a_restore_without_a_record_start_its_clock_once(deleted: FakeAws) -> None:
    """A redrive may begin at the check; every look of it counts from the first."""
    deleted.run(restore_snapshot)
    lost = deleted.operation
    lost.restore = None
    deleted.operations.save(lost)

    deleted.run(check_restore_status)
    first = deleted.operation.restore
    deleted.clock.advance(hours=1)
    deleted.run(check_restore_status)

    assert first is not None
    assert deleted.operation.restore is not None
    assert deleted.operation.restore.started_at == first.started_at == deleted.clock.now() - timedelta(hours=1)
    deleted.clock.advance(hours=11, seconds=1)
    with pytest.raises(errors.PhaseTimedOut):
        deleted.run(check_restore_status)


def test_the_row_remembers_that_protection_was_switched_off_when_the_target_has_none_any_more(aws: FakeAws) -> None:
    aws.has_old_target(DeletionProtection=True)
    copy_is_ready(aws, override_deletion_protection=True)
    aws.run(delete_rds)
    aws.west.settle()
    aws.run(delete_rds)
    aws.west.clusters["staging"]["DeletionProtection"] = False
    aws.west.clusters["staging"]["Status"] = "available"

    aws.run(delete_rds)

    assert aws.operation.deletion is not None
    assert aws.operation.deletion.protection_switched_off
    assert aws.operation.deletion.deleted_members == ["staging-1", "staging-2"]
