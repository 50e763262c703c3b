"""After a failure for good the old target's data is back under its name, with its settings; the run still failed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.away_from_default import MEMBERS
from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.rebuild import rebuilt, replaced, settings_now
from tests.unit.steps.stories import SECOND_ARN, copy_is_ready, ended, resume
from tests.unit.steps.swaps import Door
from utils.cluster.bring_back import proving
from utils.cluster.restored import clear_unproven
from utils.cluster_settings.origins import Origin
from utils.errors import (
    AwsThrottled,
    DatabaseLoginRefused,
    DatabaseUnavailable,
    IdentifierTaken,
    InvalidRequest,
    OperationNotResumable,
    RestoreFailed,
    TargetChanged,
    TargetNotDeletable,
    TargetProtected,
)
from utils.operation.model import Operation, OperationStatus, StepName, UsersRecord
from utils.operation.records import BringBackRecord, OperationError
from utils.runtime.contract import ClosingEvent, StartEvent, StepResult, StepStatus
from utils.runtime.failure import as_caught
from utils.runtime.step import act_on
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.setup_db_users import setup_db_users
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

FAILURE = OperationError(name="CheckFailed", message="found 3 shops; expected 0", step="Setup DB Users")
FINAL = "aurora-restore-final"


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """Who answers under the target's name."""
    fake = Door()
    monkeypatch.setattr(proving, "logged_in", fake.logged_in)
    return fake


@pytest.fixture
def gone(aws: FakeAws) -> FakeAws:
    """A run that wants the old data back if it fails, when the old target is deleted."""
    away_from_default.stands(aws)
    return replaced(aws, on_failure="bring_back")


@pytest.fixture
def failing(gone: FakeAws) -> FakeAws:
    """The same when the new cluster is complete, and its users' step has failed for good."""
    rebuilt(gone)
    operation = gone.operation
    operation.users = UsersRecord(master_reset_at=gone.clock.now(), shut_out=["prod_app"])
    gone.operations.save(operation)
    return gone


def turned(aws: FakeAws, failure: OperationError = FAILURE) -> StepResult:
    """Call Delete RDS as the state machine does after a failure."""

    def act(operation: Operation, services: Any) -> StepResult:
        return delete_rds(operation, services, failure)

    return act_on(StepName.DELETE_RDS, aws.operation, aws.services, act)


def cleared(aws: FakeAws) -> FakeAws:
    """Go on until the failed cluster is gone."""
    aws.west.settle()
    assert aws.run(check_delete_status).status is StepStatus.READY
    return aws


def brought_back(aws: FakeAws) -> StepResult:
    """Go on as the state machine does, from the failure on."""
    assert turned(aws).status is StepStatus.IN_PROGRESS
    cleared(aws)
    rebuilt(aws)
    return aws.run(setup_db_users)


def deletions(aws: FakeAws) -> int:
    """Count the deletions of clusters and instances that were asked for."""
    return len(aws.west.asked("delete_db_cluster")) + len(aws.west.asked("delete_db_instance"))


def record(aws: FakeAws) -> BringBackRecord:
    found = aws.operation.bring_back
    assert found is not None
    return found


def came_up_and_ended(aws: FakeAws) -> None:
    """Bring the old data back until its instances answer, and end the execution before anything looks at them."""
    turned(aws)
    cleared(aws)
    for _ in range(2):
        aws.run(restore_snapshot)
        aws.west.settle()
    ended(aws)


def closed(aws: FakeAws, failure: OperationError = FAILURE) -> dict[str, Any]:
    """End the run as failed; return the message."""
    caught = as_caught(failure)
    event = ClosingEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, **caught)
    sns_notification(event, aws.services)
    message: dict[str, Any] = aws.topic.messages[-1]
    return message


def test_the_old_data_is_back_with_every_setting_that_it_had(failing: FakeAws, door: Door) -> None:
    old = failing.operation.old_target
    assert old is not None
    answer = brought_back(failing)
    assert answer.status is StepStatus.BROUGHT_BACK
    restored = failing.west.asked("restore_db_cluster_from_snapshot")
    assert restored[-1]["SnapshotIdentifier"] == failing.operation.identifiers.final_snapshot_id
    assert settings_now(failing) == old.settings
    assert [host for host, _, _ in door.logins], "somebody logged in under the name"
    comparison = failing.operation.restore and failing.operation.restore.settings.comparison
    assert comparison
    assert comparison.differences == []


def test_the_failed_cluster_goes_first_and_nothing_else_does(failing: FakeAws) -> None:
    new = failing.west.clusters["staging"]["DbClusterResourceId"]
    before = deletions(failing)
    turned(failing)
    assert record(failing).failed_resource_id == new
    assert deletions(failing) - before == 1 + len(MEMBERS)
    assert set(failing.operation.begun.half_restored) == {"staging", *MEMBERS}
    final = failing.operation.identifiers.final_snapshot_id
    assert failing.west.snapshots[final]["Status"] == "available"


def test_nothing_gives_way_that_a_person_restored_under_the_name_with_our_tags(failing: FakeAws) -> None:
    failing.west.clusters["staging"]["DbClusterResourceId"] = "cluster-OF-A-PERSON"
    before = deletions(failing)
    assert turned(failing).status is StepStatus.READY
    assert deletions(failing) == before
    assert "its resource id is cluster-OF-A-PERSON" in failing.operation.begun.not_brought_back


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("call", ["delete_db_cluster", "delete_db_instance"])
def test_a_call_that_is_made_again_goes_on_with_bringing_back(failing: FakeAws, call: str) -> None:
    """The state machine tries Bring Back again: RDS was busy, the answer was lost, the function was killed."""
    failing.west.fail(call, "Throttling")
    with pytest.raises(AwsThrottled):
        turned(failing)
    begun_at = record(failing).begun_at
    assert turned(failing).status is StepStatus.IN_PROGRESS
    assert brought_back(failing).status is StepStatus.BROUGHT_BACK, "nor does it matter that the answer was lost"
    assert (record(failing).begun_at, record(failing).error) == (begun_at, None)


def test_a_failure_with_the_same_words_is_one_of_bringing_back_once_the_failed_cluster_is_gone(
    failing: FakeAws,
) -> None:
    turned(failing)
    cleared(failing)
    assert turned(failing).status is StepStatus.READY
    assert record(failing).error == FAILURE


def test_the_run_ends_as_failed_and_says_that_the_old_data_is_back_and_why(failing: FakeAws, door: Door) -> None:
    door.refusal = None
    answer = brought_back(failing)
    assert answer.details["error"]["Error"] == "CheckFailed"
    assert json.loads(answer.details["error"]["Cause"])["errorMessage"] == FAILURE.message
    assert answer.details["failed_step"] == "Setup DB Users"
    message = closed(failing)
    assert message["Subject"] == "Aurora restore of staging FAILED, old data back: CheckFailed"
    text = message["Message"]
    assert "failed at step Setup DB Users with CheckFailed." in text
    assert "found 3 shops; expected 0; since then: the old data is back: staging is available with its settings" in text
    assert "postgres, app, reader, devops can log in" in text
    assert "start a new run: this operation is over" in text
    assert "resume this operation" not in text
    row = failing.operation
    assert row.status is OperationStatus.FAILED
    assert record(failing).finished_at is not None
    assert failing.bus.events[-1]["Detail"]["brought_back"] is True


def test_passwords_that_the_old_data_does_not_know_are_told_and_nothing_is_changed(
    failing: FakeAws, door: Door
) -> None:
    door.refusal = DatabaseLoginRefused("another password", expected="ours", action="look")
    modified = len(failing.west.asked("modify_db_cluster"))
    answer = brought_back(failing)
    assert answer.status is StepStatus.BROUGHT_BACK
    assert answer.details["refused"] == ["postgres", "app", "reader", "devops"]
    passwords = [asked for asked in failing.west.asked("modify_db_cluster")[modified:] if "MasterUserPassword" in asked]
    assert passwords == [], "the old data keeps its own"
    assert "it does not know the passwords of the secrets for postgres, app" in closed(failing)["Message"]


def test_a_server_that_does_not_answer_yet_is_waited_for(failing: FakeAws, door: Door) -> None:
    door.refusal = DatabaseUnavailable("nobody", expected="an answer", action="wait")
    assert brought_back(failing).status is StepStatus.IN_PROGRESS
    assert record(failing).finished_at is None
    door.refusal = None
    assert failing.run(setup_db_users).status is StepStatus.BROUGHT_BACK
    assert failing.run(setup_db_users).status is StepStatus.BROUGHT_BACK, "the same answer again"


def test_a_restore_that_was_refused_leaves_nothing_to_delete(gone: FakeAws, door: Door) -> None:
    assert door
    destroyed = deletions(gone)
    gone.west.fail("restore_db_cluster_from_snapshot", "InvalidRestoreFault")
    with pytest.raises(Exception, match="InvalidRestoreFault"):
        gone.run(restore_snapshot)
    assert brought_back(gone).status is StepStatus.BROUGHT_BACK
    assert deletions(gone) == destroyed


def test_without_the_wish_a_failure_leaves_things_as_they_are(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    replaced(aws)
    rebuilt(aws)
    destroyed = deletions(aws)
    answer = turned(aws)
    assert answer.status is StepStatus.READY
    assert answer.details["error"]["Error"] == "CheckFailed"
    assert (aws.operation.bring_back, deletions(aws)) == (None, destroyed)


def test_an_old_target_that_still_stands_is_not_touched(copied: FakeAws) -> None:
    operation = copied.operation
    operation.request = operation.request.model_copy(update={"on_failure": "bring_back"})
    copied.operations.save(operation)
    copied.run(delete_rds)
    assert turned(copied).status is StepStatus.READY
    assert copied.west.destroyed == []


def test_an_old_target_that_rds_refuses_to_delete_is_not_brought_back_beside_itself(aws: FakeAws) -> None:
    aws.has_old_target()
    copy_is_ready(aws, on_failure="bring_back")
    aws.run(delete_rds)
    aws.west.settle()
    aws.west.fail("delete_db_cluster", "InvalidDBClusterStateFault", "Part of a zero-ETL integration.")
    with pytest.raises(TargetNotDeletable):
        aws.run(delete_rds)
    assert aws.operation.deletion is not None
    assert aws.operation.deletion.destroying_since is not None  # its instances went

    destroyed = deletions(aws)
    assert turned(aws).status is StepStatus.READY
    assert (aws.operation.bring_back, deletions(aws)) == (None, destroyed)


def test_a_cluster_that_people_work_with_is_not_deleted(failing: FakeAws) -> None:
    operation = failing.operation
    assert operation.users is not None
    operation.users.finished_at = failing.clock.now()
    failing.operations.save(operation)
    destroyed = deletions(failing)
    assert turned(failing).status is StepStatus.READY
    assert deletions(failing) == destroyed


@pytest.mark.parametrize("status", ["deleting", "failed", None])
def test_without_its_final_snapshot_the_failed_cluster_stays_and_that_is_told(
    failing: FakeAws, status: str | None
) -> None:
    final = failing.operation.identifiers.final_snapshot_id
    if status is None:
        del failing.west.snapshots[final]
    else:
        failing.west.snapshots[final]["Status"] = status
    destroyed = deletions(failing)
    assert turned(failing).status is StepStatus.READY
    assert deletions(failing) == destroyed
    assert (
        f"the old data was not brought back: found {'no ' if status is None else ''}snapshot {final}"
        in (closed(failing)["Message"])
    )


def test_somebody_elses_cluster_under_the_name_is_not_touched(gone: FakeAws) -> None:
    gone.west.has_cluster("staging", tags={"aurora-restore:operation-id": "nightly-0"})
    destroyed = deletions(gone)
    assert turned(gone).status is StepStatus.READY
    assert deletions(gone) == destroyed
    assert "find out who made it" not in gone.operation.begun.not_brought_back
    assert "made by operation nightly-0" in closed(gone)["Message"]


def test_what_deletes_the_failed_cluster_asks_itself_whose_it_is(failing: FakeAws) -> None:
    found = failing.services.rds().find_cluster("staging")
    assert found is not None
    before = deletions(failing)
    with pytest.raises(IdentifierTaken):
        clear_unproven(failing.operation, replace(found, resource_id="cluster-OTHER"), failing.services)
    assert deletions(failing) == before
    assert failing.operation.begun.half_restored == []


def test_an_instance_that_somebody_added_to_the_failed_cluster_stays(failing: FakeAws) -> None:
    failing.west.has_instance("reporting", "staging")
    destroyed = deletions(failing)
    with pytest.raises(RestoreFailed, match="in it reporting, which this operation did not make"):
        turned(failing)
    assert deletions(failing) == destroyed


def test_a_failure_of_bringing_back_says_what_stands_and_is_not_tried_twice(failing: FakeAws) -> None:
    turned(failing)
    cleared(failing)
    failing.run(restore_snapshot)
    later = OperationError(name="RestoreFailed", message="found staging as failed; so far: much", step="Check Restore")
    answer = turned(failing, later)
    assert answer.status is StepStatus.READY
    assert answer.details["error"]["Error"] == "CheckFailed", "the first error is that of the run"
    text = closed(failing)["Message"]
    assert "failed at step Setup DB Users with CheckFailed." in text
    assert "Old data          NOT back yet: nobody serves" in text
    assert "which failed at Check Restore with RestoreFailed: found staging as failed; resume the operation" in text


def test_a_resumption_goes_on_with_bringing_back(failing: FakeAws, door: Door) -> None:
    assert door
    turned(failing)
    ended(failing)
    resume(failing)
    failing.west.settle()
    assert failing.run(copy_snapshot).status is StepStatus.READY
    waiting = failing.run(delete_rds)
    assert waiting.status is StepStatus.IN_PROGRESS
    cleared(failing)
    rebuilt(failing)
    assert failing.run(setup_db_users).status is StepStatus.BROUGHT_BACK
    restored = failing.west.asked("restore_db_cluster_from_snapshot")
    assert [asked["SnapshotIdentifier"] for asked in restored[1:]] == [failing.operation.identifiers.final_snapshot_id]


def test_a_resumption_after_the_old_data_was_restored_does_not_delete_it(failing: FakeAws, door: Door) -> None:
    assert door
    turned(failing)
    cleared(failing)
    rebuilt(failing)
    ended(failing)
    resume(failing)
    old = failing.west.clusters["staging"]["DbClusterResourceId"]
    assert failing.run(delete_rds).status is StepStatus.READY
    rebuilt(failing)
    assert failing.run(setup_db_users).status is StepStatus.BROUGHT_BACK
    assert failing.west.clusters["staging"]["DbClusterResourceId"] == old


def test_what_fails_once_the_old_data_is_back_is_no_failure_of_bringing_it_back(failing: FakeAws, door: Door) -> None:
    assert door
    brought_back(failing)
    turned(failing, OperationError(name="AccessDenied", message="found no audit row", step="Setup DB Users"))
    assert record(failing).error is None
    text = closed(failing)["Message"]
    assert "Old data          back" in text
    assert "AccessDenied" not in text


def test_an_operation_that_brought_the_old_data_back_cannot_be_resumed(failing: FakeAws, door: Door) -> None:
    assert door
    brought_back(failing)
    closed(failing)
    with pytest.raises(OperationNotResumable, match="which brought the old data back"):
        resume(failing, SECOND_ARN)


def test_the_next_run_takes_the_old_data_for_what_it_is(failing: FakeAws, door: Door) -> None:
    assert door
    brought_back(failing)
    closed(failing)
    arn = EXECUTION_ARN.replace(OPERATION, "nightly-2")
    request = {"override_deletion_protection": True}
    snapshot_check(StartEvent(operation_id="nightly-2", execution_arn=arn, request=request), failing.services)
    plan = failing.operations.find("nightly-2")
    assert plan is not None
    assert plan.plan.half_restored_by is None
    assert plan.plan.take_final_snapshot, "people work with it again"


@pytest.mark.parametrize("status", ["stopped", "backing-up", "modifying", "maintenance", "starting"])
@pytest.mark.parametrize("finished", [True, False])
def test_old_data_that_is_back_is_never_deleted_unseen_whatever_rds_does_with_it_when_a_plan_is_made(
    failing: FakeAws, door: Door, status: str, *, finished: bool
) -> None:
    assert door
    if finished:
        brought_back(failing)
        closed(failing)
    else:
        came_up_and_ended(failing)
    failing.west.clusters["staging"] |= {"Status": status, "DeletionProtection": True}
    with pytest.raises(TargetProtected):
        next_run(failing)
    planned = next_run(failing, override_deletion_protection=True)
    assert planned.plan.half_restored_by is None
    assert planned.plan.take_final_snapshot, "people may have worked with it since"


@pytest.mark.parametrize("status", ["inaccessible-encryption-credentials-recoverable", "incompatible-parameters"])
def test_old_data_that_answered_is_not_restored_over_when_it_is_resumed(failing: FakeAws, status: str) -> None:
    came_up_and_ended(failing)
    failing.west.clusters["staging"]["Status"] = status
    resume(failing, SECOND_ARN)
    asked = failing.west.asked("delete_db_cluster")
    assert failing.run(delete_rds).status is StepStatus.READY
    assert failing.west.asked("delete_db_cluster") == asked, "its key may come back, and with it what people did since"


def test_old_data_whose_instances_came_up_after_a_plan_was_made_is_not_deleted_without_a_final_snapshot(
    failing: FakeAws,
) -> None:
    turned(failing)
    cleared(failing)
    failing.run(restore_snapshot)
    failing.west.settle()
    ended(failing)
    planned = next_run(failing)
    assert planned.plan.half_restored_by == OPERATION, "nobody could log in"
    failing.goes_on_as("nightly-2")
    failing.run(copy_snapshot)
    failing.west.settle()
    failing.run(check_copy_status)
    failing.west.has_instance("staging-1", "staging", tags={"aurora-restore:replaceable": "true"})
    asked = failing.west.asked("delete_db_cluster")
    with pytest.raises(TargetChanged, match="start a new run, which takes a final snapshot"):
        act_on(StepName.DELETE_RDS, failing.operation, failing.services, delete_rds)
    assert failing.west.asked("delete_db_cluster") == asked


@pytest.mark.parametrize("cluster", ["the failed new one", "the old data without instances", "the old data"])
def test_a_run_over_what_a_failed_bringing_back_left_heals_it_and_loses_nobodys_work(
    failing: FakeAws, cluster: str
) -> None:
    old = failing.operation.old_target
    assert old is not None
    turned(failing)
    if cluster == "the failed new one":
        failing.west.clusters["staging"]["Status"] = "available"
    else:
        cleared(failing)
        failing.run(restore_snapshot)
        failing.west.settle()
    if cluster == "the old data":
        failing.run(restore_snapshot)
        failing.west.settle()
    ended(failing)
    planned = next_run(failing, override_deletion_protection=True)
    is_worked_with = cluster == "the old data"
    assert planned.plan.half_restored_by == (None if is_worked_with else OPERATION)
    assert planned.plan.take_final_snapshot is is_worked_with
    assert planned.plan.inherited_from is Origin.TARGET_RECORD, "not what is half done"
    assert planned.plan.settings.custom_endpoints == old.settings.custom_endpoints


def next_run(aws: FakeAws, **request: Any) -> Operation:
    arn = EXECUTION_ARN.replace(OPERATION, "nightly-2")
    snapshot_check(StartEvent(operation_id="nightly-2", execution_arn=arn, request=request), aws.services)
    planned = aws.operations.find("nightly-2")
    assert planned is not None
    return planned


def test_it_is_refused_without_a_final_snapshot(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    with pytest.raises(InvalidRequest, match=r"on_failure: .*stop, as final_snapshot is false"):
        aws.start(on_failure="bring_back", final_snapshot=False)


def test_the_plan_tells_it_and_warns_where_there_is_nothing_to_bring_back(aws: FakeAws) -> None:
    aws.start(on_failure="bring_back")
    assert aws.operation.plan.bring_back is None
    assert any(line.startswith("what is brought back: no old target") for line in aws.operation.plan.warnings)


def test_a_key_of_the_old_target_that_cannot_be_used_is_a_warning(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.kms.states[away_from_default.OTHER_KEY_ARN] = "Disabled"
    aws.start(on_failure="bring_back", override_deletion_protection=True)
    assert any(line.startswith("what is brought back: ") and "Disabled" in line for line in aws.operation.plan.warnings)
    assert aws.operation.plan.bring_back is not None


def test_the_plan_says_what_a_failure_leads_to(gone: FakeAws) -> None:
    (sentence,) = [line for line in gone.operation.plan.actions if line.startswith("if it fails for good")]
    assert FINAL in sentence


def test_production_is_exposed_until_the_failed_cluster_is_gone(failing: FakeAws) -> None:
    since = failing.operation.exposure.since
    assert since is not None
    turned(failing)
    assert failing.operation.exposure.ended_at is None
    cleared(failing)
    assert failing.operation.exposure.ended_at == record(failing).cleared_at


def test_a_cluster_of_another_operation_is_never_taken_for_the_old_data(failing: FakeAws) -> None:
    turned(failing)
    cleared(failing)
    failing.west.has_cluster("staging", tags={"aurora-restore:operation-id": "nightly-0"})
    with pytest.raises(IdentifierTaken):
        failing.run(restore_snapshot)
