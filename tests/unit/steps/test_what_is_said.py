"""What a failure says was changed is what was done, and what it advises can work.

Every other story is judged as well, where a step of it fails: `FakeAws.run` compares claim and journal.
"""

import json
from collections.abc import Callable

import pytest

from tests.fakes.aws import EXECUTION_ARN, KEY_ARN, OPERATION, FakeAws
from tests.fakes.journal import judge_changes
from tests.unit.steps.stories import SECOND_ARN, copy_is_ready, ended, fail, resume, resume_after_failure
from utils import errors
from utils.operation.model import Operation
from utils.report.advice import NEEDS_A_NEW_PLAN, Advice, advice_after
from utils.report.changes import changed_so_far
from utils.runtime.contract import ClosingEvent, StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.sns_notification import sns_notification

PATH = (
    copy_snapshot, check_copy_status, delete_rds, check_delete_status, delete_rds, check_delete_status,
    restore_snapshot, check_restore_status, restore_snapshot, check_restore_status, archive_snapshot,
)  # fmt: skip


def message_of(aws: FakeAws) -> str:
    """The text of the one message that was sent last."""
    return str(aws.topic.messages[-1]["Message"])


def told(aws: FakeAws, error: Exception) -> str:
    """Close the run as the state machine does after a step that raised; return what people get."""
    cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
    output = {"Error": type(error).__name__, "Cause": cause}
    event = ClosingEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, error=output, failed_step="Delete RDS")
    sns_notification(event, aws.services)
    return message_of(aws)


@pytest.mark.parametrize("steps", range(len(PATH) + 1))
def test_wherever_a_run_is_stopped_the_message_tells_what_was_done_until_then(planned: FakeAws, steps: int) -> None:
    for step in PATH[:steps]:
        planned.run(step)
        planned.west.settle()
    ended(planned, "ABORTED")
    changes = changed_so_far(planned.operation)
    judge_changes(changes, planned)
    assert all(sentence in message_of(planned) for sentence in changes.sentences())


def its_tag_is_taken_off(aws: FakeAws) -> None:
    aws.west.clusters["staging"]["TagList"] = []


def it_is_protected(aws: FakeAws) -> None:
    aws.west.clusters["staging"]["DeletionProtection"] = True


def its_key_is_disabled(aws: FakeAws) -> None:
    aws.kms.states[KEY_ARN] = "Disabled"


def its_version_is_withdrawn(aws: FakeAws) -> None:
    aws.west.engine_versions.clear()


HALFWAY = [its_tag_is_taken_off, it_is_protected, its_key_is_disabled, its_version_is_withdrawn]


def delete_halfway(aws: FakeAws) -> None:
    """Delete the members, and let the cluster refuse for the moment."""
    aws.run(delete_rds)
    aws.west.settle()
    aws.west.fail("delete_db_cluster", "InvalidDBClusterStateFault")
    aws.run(delete_rds)


@pytest.mark.parametrize("happens", HALFWAY)
def test_a_guard_that_refuses_halfway_does_not_say_that_nothing_was_changed(
    copied: FakeAws, happens: Callable[[FakeAws], None]
) -> None:
    delete_halfway(copied)
    happens(copied)
    with pytest.raises(errors.PermanentError) as refused:
        copied.run(delete_rds)
    for text in (str(refused.value), told(copied, refused.value)):
        assert "the deletion of the old target has begun: staging-1, staging-2, but not the cluster" in text
        assert "nothing was changed" not in text


def test_a_resumption_that_is_refused_tells_what_was_changed_before(copied: FakeAws) -> None:
    delete_halfway(copied)
    fail(copied)
    its_tag_is_taken_off(copied)
    with pytest.raises(errors.TargetNotReplaceable, match=r"so far: .*the deletion of the old target has begun"):
        resume(copied)


def test_a_target_that_somebody_else_deleted_is_not_counted_as_ours(copied: FakeAws) -> None:
    copied.west.clusters.clear()
    copied.west.instances.clear()
    copied.run(delete_rds)
    assert copied.run(check_delete_status).status is StepStatus.READY
    ended(copied, "ABORTED")
    assert "somebody else deleted or renamed the old target" in message_of(copied)
    assert "none was wanted" not in message_of(copied)
    assert "Deleted           nothing" in message_of(copied)


def test_nothing_is_brought_back_from_a_final_snapshot_that_is_lost(copied: FakeAws) -> None:
    for _ in range(2):
        copied.run(delete_rds)
        copied.west.settle()
    del copied.west.snapshots[copied.operation.identifiers.final_snapshot_id]
    copied.run(check_delete_status)
    copied.clock.advance(minutes=11)
    with pytest.raises(errors.DeleteFailed) as lost:
        copied.run(check_delete_status)
    text = told(copied, lost.value)
    assert "restore-db-cluster-from-snapshot" not in text
    assert "cannot be brought back" in text
    assert ("start a new run." in text, '"resume"' in text) == (True, False)


def test_what_was_pruned_to_make_room_is_told_although_there_is_still_none(planned: FakeAws) -> None:
    own = {
        "aurora-restore:managed": "true",
        "aurora-restore:role": "copy",
        "aurora-restore:target-cluster-id": "staging",
    }
    for number in range(planned.operation.request.keep_copies + 1):
        planned.west.has_snapshot(f"older-{number}", hours_old=number + 24, tags=own)
    oldest = f"older-{planned.operation.request.keep_copies}"
    for _ in ("it is pruned", "there is no reason any more"):
        planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
        planned.run(copy_snapshot)
    planned.west.fail("copy_db_cluster_snapshot", "SnapshotQuotaExceeded")
    with pytest.raises(errors.SnapshotQuotaFull, match=f"so far: older snapshots were deleted: {oldest}"):
        planned.run(copy_snapshot)


def test_a_source_snapshot_that_is_gone_before_the_copy_is_named(planned: FakeAws) -> None:
    del planned.east.snapshots["prod-nightly"]
    with pytest.raises(errors.SnapshotNotFound, match=r"prod-nightly.*start a new run") as gone:
        planned.run(copy_snapshot)
    assert "start a new run." in told(planned, gone.value)


@pytest.mark.parametrize(("region", "advice"), [("us-west-2", Advice.NEW_RUN), ("us-east-1", Advice.RESUME)])
def test_what_was_to_be_restored_and_is_gone_is_advised_by_whether_it_can_be_made_again(
    aws: FakeAws, region: str, advice: Advice
) -> None:
    aws.has_old_target()
    aws.west.has_cluster("prod")
    aws.west.has_snapshot("prod-here")
    if region == "us-east-1":
        copy_is_ready(aws)
    else:
        aws.start(source={"region": region})
        aws.run(copy_snapshot)
    aws.clock.advance(hours=1)
    aws.west.snapshots.clear()
    with pytest.raises(errors.SnapshotNotAvailable) as gone:
        aws.run(delete_rds)
    text = told(aws, gone.value)
    assert ("resume this operation afterwards:" in text) == (advice is Advice.RESUME)
    assert ("Then start a new run." in text) == (advice is Advice.NEW_RUN)


def test_what_a_new_run_may_mend_as_well_is_not_resumed_before_its_message_is_read(restored: FakeAws) -> None:
    error = errors.AwsRequestRejected("a bad value", expected="a good one", action="start a new run with a good one")
    text = told(restored, error)
    assert "do what the message says. If that is not a new run, resume this operation afterwards:" in text


@pytest.mark.parametrize("error", [errors.CheckFailed, errors.PostRestoreSqlFailed])
def test_what_is_wrong_in_the_request_is_not_resumed(restored: FakeAws, error: type[errors.PermanentError]) -> None:
    text = told(restored, error("3 rows", expected="0", action="correct it, then start a new run"))
    assert ("Then start a new run." in text, '"resume"' in text) == (True, False)


def test_an_operation_that_another_execution_works_on_is_left_alone(planned: FakeAws) -> None:
    assert advice_after("OperationClosed", planned.operation) is Advice.NEITHER
    assert "Next: nothing" in told(planned, errors.OperationClosed("it", expected="another", action="leave it"))


def test_a_copy_that_was_begun_in_an_earlier_attempt_is_still_told(planned: FakeAws) -> None:
    planned.run(copy_snapshot)
    fail(planned)
    resume(planned)
    operation: Operation = planned.operation
    assert operation.copied is None
    assert "was started" in changed_so_far(operation).in_words()


def test_advice_knows_no_error_that_does_not_exist() -> None:
    assert [name for name in NEEDS_A_NEW_PLAN if not issubclass(getattr(errors, name), errors.PermanentError)] == []


def test_that_a_stopped_target_was_started_is_told(copied: FakeAws) -> None:
    copied.west.clusters["staging"]["Status"] = "stopped"
    copied.run(delete_rds)
    ended(copied, "ABORTED")
    judge_changes(changed_so_far(copied.operation), copied)
    assert "old target staging was started, as it was stopped" in message_of(copied)
    assert "the old target was not deleted" in message_of(copied)


def test_what_was_half_restored_and_deleted_again_is_told(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    deleted.west.settle()
    deleted.run(restore_snapshot)
    deleted.west.instances["staging-2"]["DBInstanceStatus"] = "failed"
    resume_after_failure(deleted)
    deleted.run(delete_rds)
    ended(deleted, "ABORTED", SECOND_ARN, input=json.dumps({"resume": OPERATION}))
    judge_changes(changed_so_far(deleted.operation), deleted)
    assert "half-restored and deleted again: staging-2" in message_of(deleted)
