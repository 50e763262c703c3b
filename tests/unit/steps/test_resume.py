"""A failed operation goes on: with another execution that names it, or with a redrive of its own."""

from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws, step_name
from tests.unit.steps.stories import SECOND_ARN, fail, resume
from utils import errors
from utils.operation.model import Operation, OperationStatus, StepName
from utils.operation.state_table import lock_key
from utils.runtime.contract import StartEvent, StepEvent, StepResult, StepStatus
from utils.runtime.step import on_operation
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.snapshot_check import snapshot_check

LOCK = lock_key("us-west-2", "staging")


def act(aws: FakeAws, arn: str = EXECUTION_ARN, redrive_count: int = 0) -> StepResult:
    """Call a step that says what operation it was given."""

    def seen(operation: Operation, _: Any) -> StepResult:
        return StepResult(status=StepStatus.READY, details={"attempts": len(operation.executions)})

    event = StepEvent(operation_id=OPERATION, execution_arn=arn, redrive_count=redrive_count)
    return on_operation(StepName.COPY_SNAPSHOT, event, aws.services, seen)


@pytest.fixture
def failed(copied: FakeAws) -> FakeAws:
    """The run, when it failed after its copy was available."""
    fail(copied)
    return copied


def test_a_failed_operation_goes_on_with_its_own_plan(failed: FakeAws) -> None:
    plan = failed.operation.plan

    result = resume(failed)

    assert (result.status, result.operation_id) == (StepStatus.READY, OPERATION)
    operation = failed.operation
    assert (operation.status, operation.error, operation.finished_at) == (OperationStatus.RUNNING, None, None)
    assert (operation.plan, operation.execution_arn) == (plan, SECOND_ARN)
    first, second = operation.executions
    assert (first.execution_arn, second.execution_arn) == (EXECUTION_ARN, SECOND_ARN)
    assert first.error is not None
    assert (first.error.name, first.error.message) == ("CopyFailed", "found CopyFailed")
    assert failed.operations.locks[LOCK].execution_arn == SECOND_ARN


def test_once_members_are_gone_the_old_targets_network_is_not_tried_any_more(deleted: FakeAws) -> None:
    fail(deleted, error="DeleteFailed")
    assert resume(deleted).details["verify_network_of"] == ""


def test_a_step_that_was_finished_passes_at_once(failed: FakeAws) -> None:
    resume(failed)
    changes = list(failed.west.changes)
    assert failed.run(copy_snapshot).status is StepStatus.READY
    assert failed.west.changes == changes


def test_a_second_call_of_the_resuming_step_answers_the_same(failed: FakeAws) -> None:
    first = resume(failed)
    failed.executions.running.add(SECOND_ARN)
    assert resume(failed) == first
    assert len(failed.operation.executions) == 2


def test_what_was_not_finished_gets_its_whole_budget_again(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    planned.clock.advance(hours=13)
    with pytest.raises(errors.PhaseTimedOut):
        planned.run(check_copy_status)
    fail(planned, error="PhaseTimedOut")
    planned.clock.advance(hours=1)

    resume(planned)

    assert planned.run(copy_snapshot).status is StepStatus.IN_PROGRESS
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_a_run_that_ended_unseen_is_gone_on_with(copied: FakeAws) -> None:
    resume(copied)
    first, second = copied.operation.executions
    assert first.finished_at is not None
    assert second.finished_at is None


def refused(aws: FakeAws, error: type[errors.PermanentError], *words: str) -> None:
    """Try to resume, fail, and leave no trace."""
    row, locks = dict(aws.operations.rows), dict(aws.operations.locks)
    with pytest.raises(error) as caught:
        resume(aws)
    for word in words:
        assert word in str(caught.value)
    assert (aws.operations.rows, aws.operations.locks) == (row, locks)


def test_an_operation_whose_execution_runs_is_left_to_it(copied: FakeAws) -> None:
    copied.executions.running.add(EXECUTION_ARN)
    refused(copied, errors.OperationInProgress, EXECUTION_ARN)


def test_an_operation_that_nobody_knows_is_refused(aws: FakeAws) -> None:
    refused(aws, errors.OperationNotFound, "no operation 'nightly-1'")


def test_an_operation_that_succeeded_is_refused(copied: FakeAws) -> None:
    operation = copied.operation
    operation.status = OperationStatus.SUCCEEDED
    copied.operations.save(operation)
    refused(copied, errors.OperationNotResumable, "which succeeded")


def test_a_dry_run_is_refused(aws: FakeAws) -> None:
    aws.start(dry_run=True)
    refused(aws, errors.OperationNotResumable, "a dry run")


def test_an_operation_without_a_plan_is_refused_with_what_became_of_it(aws: FakeAws) -> None:
    fail(aws, error="InvalidRequest")
    refused(aws, errors.OperationNotResumable, "with InvalidRequest and has no plan")


def test_an_operation_that_was_never_answered_is_refused(aws: FakeAws) -> None:
    aws.west.fail("describe_db_clusters", "Throttling")
    with pytest.raises(errors.AwsThrottled):
        aws.start()
    refused(aws, errors.OperationNotResumable, "without an answer and has no plan")


@pytest.mark.parametrize(("beside", "field"), [({"dry_run": True}, "dry_run"), ({"target": {}, "sourc": 1}, "sourc")])
def test_nothing_may_stand_beside_resume(failed: FakeAws, beside: dict[str, Any], field: str) -> None:
    with pytest.raises(errors.InvalidRequest, match="nothing else") as refusal:
        resume(failed, **beside)
    assert refusal.value.field == field


@pytest.mark.parametrize("name", [7, None, "", "a b", "lock#us-west-2#staging", "x" * 81, {"a": 1}, ["a"]])
def test_a_name_that_is_none_is_refused(failed: FakeAws, name: Any) -> None:
    event = StartEvent(operation_id="repair-1", execution_arn=SECOND_ARN, request={"resume": name})
    assert event.concerns == "repair-1"
    with pytest.raises(errors.InvalidRequest) as refusal:
        snapshot_check(event, failed.services)
    assert refusal.value.field == "resume"


def test_a_readable_name_is_whom_the_record_is_about() -> None:
    event = StartEvent(operation_id="repair-1", execution_arn=SECOND_ARN, request={"resume": OPERATION})
    assert event.concerns == OPERATION


def start_another(aws: FakeAws) -> None:
    arn = EXECUTION_ARN.replace(OPERATION, "nightly-2")
    aws.executions.running.add(arn)
    snapshot_check(StartEvent(operation_id="nightly-2", execution_arn=arn, request={}), aws.services)


def test_a_target_that_another_run_holds_is_left_to_it(failed: FakeAws) -> None:
    start_another(failed)
    before = failed.operation
    with pytest.raises(errors.OperationInProgress, match="operation nightly-2"):
        resume(failed)
    after = failed.operation
    assert after.model_copy(update={"version": 0, "updated_at": before.updated_at}) == before.model_copy(
        update={"version": 0}
    )
    assert failed.operations.locks[LOCK].holder == "nightly-2"


def test_of_two_at_once_the_second_is_refused(failed: FakeAws) -> None:
    resume(failed)
    failed.executions.running.add(SECOND_ARN)
    third = EXECUTION_ARN.replace(OPERATION, "repair-2")
    with pytest.raises(errors.OperationInProgress, match="on which execution"):
        resume(failed, arn=third)
    assert failed.operations.locks[LOCK].execution_arn == SECOND_ARN


def test_an_old_target_that_still_stands_needs_a_snapshot_young_enough(failed: FakeAws) -> None:
    failed.clock.advance(hours=48)
    refused(failed, errors.SnapshotTooOld, "49.0 hours old")


def test_once_its_deletion_began_the_age_does_not_count_any_more(copied: FakeAws) -> None:
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    copied.west.clusters["staging"]["Status"] = "available"  # as an old answer of AWS would have it
    fail(copied)
    copied.clock.advance(hours=48)
    assert resume(copied).status is StepStatus.READY


def test_an_old_target_that_lost_its_tag_is_refused(failed: FakeAws) -> None:
    failed.west.clusters["staging"]["TagList"] = []
    refused(failed, errors.TargetNotReplaceable)


def test_a_cluster_that_took_the_name_meanwhile_is_refused(failed: FakeAws) -> None:
    failed.west.clusters["staging"]["DbClusterResourceId"] = "cluster-ANOTHER"
    refused(failed, errors.TargetChanged)


def test_what_is_restored_already_is_nothing_to_destroy(restored: FakeAws) -> None:
    fail(restored)
    restored.clock.advance(hours=48)
    assert resume(restored).status is StepStatus.READY


def test_the_execution_that_was_replaced_may_not_act_any_more(failed: FakeAws) -> None:
    resume(failed)
    with pytest.raises(errors.OperationClosed, match="has taken over"):
        act(failed)
    assert act(failed, arn=SECOND_ARN).details == {"attempts": 2}


def test_a_step_called_by_hand_has_no_execution_to_compare(copied: FakeAws) -> None:
    assert act(copied, arn="").status is StepStatus.READY


def test_a_redrive_opens_the_operation_again(failed: FakeAws) -> None:
    assert act(failed, redrive_count=1).details == {"attempts": 2}
    operation = failed.operation
    assert (operation.status, operation.redrive_count) == (OperationStatus.RUNNING, 1)
    assert failed.operations.locks[LOCK].redrive_count == 1


def test_a_step_of_the_time_before_the_redrive_may_not_act_any_more(failed: FakeAws) -> None:
    act(failed, redrive_count=1)
    with pytest.raises(errors.OperationClosed, match=r"\(redrive 1\)"):
        act(failed)


def test_a_redrive_while_another_run_holds_the_target_is_refused(failed: FakeAws) -> None:
    start_another(failed)
    with pytest.raises(errors.OperationInProgress, match="operation nightly-2"):
        act(failed, redrive_count=1)
    assert failed.operation.status is OperationStatus.FAILED


def test_a_redrive_of_an_execution_that_was_replaced_is_refused(failed: FakeAws) -> None:
    resume(failed)
    with pytest.raises(errors.OperationClosed):
        act(failed, redrive_count=1)
    assert failed.operation.execution_arn == SECOND_ARN


def test_a_redriven_first_step_opens_the_operation_again(failed: FakeAws) -> None:
    event = StartEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, redrive_count=1, request={})
    assert snapshot_check(event, failed.services).operation_id == OPERATION
    assert failed.operation.status is OperationStatus.RUNNING


def redrive_at(aws: FakeAws, step: Any) -> StepResult:
    """Let the execution be redriven at a step."""
    event = StepEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, redrive_count=1)
    return on_operation(step_name(step), event, aws.services, step)


def test_redriven_while_it_waited_for_room_the_copy_is_asked_for_again(planned: FakeAws) -> None:
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    planned.run(copy_snapshot)
    fail(planned)
    assert redrive_at(planned, check_copy_status).status is StepStatus.COPY_AGAIN
    planned.run(copy_snapshot)
    assert planned.run(check_copy_status).status is StepStatus.IN_PROGRESS


def test_redriven_while_it_waited_for_capacity_the_cluster_is_asked_for_again(deleted: FakeAws) -> None:
    deleted.west.fail("restore_db_cluster_from_snapshot", "InsufficientDBClusterCapacityFault")
    deleted.run(restore_snapshot)
    fail(deleted)
    assert redrive_at(deleted, check_restore_status).status is StepStatus.CLUSTER_READY
    deleted.run(restore_snapshot)
    assert deleted.run(check_restore_status).status is StepStatus.IN_PROGRESS
