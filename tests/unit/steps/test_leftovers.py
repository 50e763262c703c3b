"""What an earlier run left half-restored goes without a final snapshot; what was opened to its users never does."""

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.stories import copy_is_ready, ended, fail, resume
from utils import tags
from utils.errors import IdentifierTaken, TargetChanged
from utils.operation.model import Operation, StepName, UsersRecord
from utils.operation.planned import Outcome
from utils.report.messages import message_for_success
from utils.report.summary import summarise
from utils.runtime.contract import StartEvent
from utils.runtime.step import act_on
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.snapshot_check import snapshot_check

SECOND = "nightly-2"
TARGET_TAGS = tags.own_tags(tags.Role.TARGET, "nightly-0", "staging")


def start_another(aws: FakeAws, **request: object) -> Operation:
    arn = EXECUTION_ARN.replace(OPERATION, SECOND)
    snapshot_check(StartEvent(operation_id=SECOND, execution_arn=arn, request=request), aws.services)
    found = aws.operations.find(SECOND)
    assert found is not None
    return found


def test_a_new_run_over_a_half_restored_cluster_takes_no_final_snapshot_and_says_so(restored: FakeAws) -> None:
    fail(restored, error="CheckFailed")
    planned = start_another(restored)
    assert not planned.plan.take_final_snapshot
    assert planned.plan.half_restored_by == OPERATION
    (deletion,) = [action for action in planned.plan.actions if action.startswith("delete the old cluster")]
    assert deletion.endswith(f"which operation {OPERATION} left half-restored: without a final snapshot")


def test_a_cluster_whose_users_were_let_in_is_kept_as_a_final_snapshot_however_its_run_ended(
    restored: FakeAws,
) -> None:
    operation = restored.operation
    operation.users = UsersRecord(finished_at=restored.clock.now())
    restored.operations.save(operation)
    fail(restored, error="AccessDenied")
    assert start_another(restored).plan.take_final_snapshot


def test_a_cluster_that_a_person_restored_from_a_snapshot_of_the_leftover_is_theirs_whatever_tags_came_along(
    restored: FakeAws,
) -> None:
    fail(restored, error="CheckFailed")
    restored.west.clusters["staging"]["DbClusterResourceId"] = "cluster-OF-A-PERSON"
    planned = start_another(restored)
    assert planned.plan.half_restored_by is None
    assert planned.plan.take_final_snapshot


def test_a_leftover_is_known_from_the_answer_to_its_restore_on(deleted: FakeAws) -> None:
    deleted.run(restore_snapshot)
    ended(deleted)
    deleted.west.settle()
    assert start_another(deleted).plan.half_restored_by == OPERATION


def test_a_role_that_rds_cannot_take_on_keeps_no_target_half_restored(restored: FakeAws) -> None:
    fail(restored, error="CheckFailed")
    role = {"RoleArn": "arn:aws:iam::123456789012:role/import", "FeatureName": "s3Import"}
    restored.west.clusters["staging"]["AssociatedRoles"] = [role | {"Status": "INVALID"}]
    roles = [{"role_arn": role["RoleArn"], "feature": role["FeatureName"]}]

    planned = start_another(restored, target={"associated_roles": roles})

    (check,) = [check for check in planned.plan.checks if check.name == "roles that RDS can take on"]
    assert check.outcome is Outcome.WARN
    assert check.found == f"{role['RoleArn']} for s3Import with status INVALID, on the half-restored cluster staging"
    assert "let rds.amazonaws.com assume the role" in check.do
    restored.goes_on_as(SECOND)
    copied(restored)
    restored.run(delete_rds)
    assert restored.west.clusters["staging"]["Status"] == "deleting"


def test_a_leftover_of_the_plan_is_not_deleted_once_its_users_were_let_in(restored: FakeAws) -> None:
    fail(restored, error="CheckFailed")
    assert start_another(restored).plan.half_restored_by == OPERATION
    restored.goes_on_as(SECOND)
    copied(restored)
    first = restored.operations.find(OPERATION)
    assert first is not None
    # A function outlives its execution by up to a quarter of an hour, and a copy takes hours.
    first.users = UsersRecord(finished_at=restored.clock.now())
    restored.operations.save(first)
    with pytest.raises(TargetChanged, match="left half-restored and people may work with now"):
        act_on(StepName.DELETE_RDS, restored.operation, restored.services, delete_rds)
    assert restored.west.destroyed.count("delete_db_cluster") == 1, "the old target of the first run only"


def test_a_leftover_whose_deletion_has_begun_is_deleted_to_the_end(restored: FakeAws) -> None:
    fail(restored, error="CheckFailed")
    start_another(restored)
    restored.goes_on_as(SECOND)
    copied(restored)
    restored.west.fail("delete_db_cluster", "InvalidDBClusterStateFault")
    restored.run(delete_rds)
    restored.operations.rows.pop(OPERATION)
    restored.run(delete_rds)
    assert restored.west.clusters["staging"]["Status"] == "deleting"


def copied(aws: FakeAws) -> None:
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)


def test_a_leftover_whose_restore_got_no_answer_and_that_nobody_saw_is_kept(deleted: FakeAws) -> None:
    operation = deleted.operation
    deleted.run(restore_snapshot)
    deleted.operations.save(deleted.operation.model_copy(update={"begun": operation.begun}))
    ended(deleted)
    deleted.west.settle()
    planned = start_another(deleted)
    assert planned.plan.half_restored_by is None
    assert planned.plan.take_final_snapshot


def test_a_resumption_does_not_touch_what_a_person_restored_under_the_name_with_its_tags(restored: FakeAws) -> None:
    fail(restored, error="RestoreFailed")
    resume(restored)
    person = restored.west.clusters["staging"]
    person |= {"DbClusterResourceId": "cluster-OF-A-PERSON", "Status": "incompatible-restore"}
    asked = restored.west.asked("delete_db_cluster")
    with pytest.raises(TargetChanged):
        restored.run(delete_rds)
    for step in (restore_snapshot, check_restore_status):
        with pytest.raises(IdentifierTaken, match=r"bears this operation's tags, but its resource id is cluster-OF"):
            restored.run(step)
    assert restored.west.asked("delete_db_cluster") == asked


@pytest.mark.parametrize("of", ["a person", "a run whose row is gone"])
def test_a_final_snapshot_is_taken_of_the_target_of(aws: FakeAws, of: str) -> None:
    target = TARGET_TAGS if of != "a person" else {tags.REPLACEABLE: "true"}
    aws.west.has_cluster("staging", tags=target)
    aws.start()
    assert aws.operation.plan.take_final_snapshot


@pytest.mark.parametrize("status", ["available", "incompatible-restore"])
def test_the_leftover_is_deleted_whatever_became_of_it(restored: FakeAws, status: str) -> None:
    fail(restored, error="RestoreFailed")
    restored.operations.rows[f"{OPERATION}-before"] = restored.operations.rows.pop(OPERATION)
    leftover = restored.west.clusters["staging"]
    leftover["Status"] = status
    for resource in (leftover, *restored.west.instances.values()):
        resource["TagList"] = [
            {"Key": tag["Key"], "Value": f"{OPERATION}-before" if tag["Value"] == OPERATION else tag["Value"]}
            for tag in resource["TagList"]
        ]
    finals = [name for name in restored.west.snapshots if "final" in name]
    copy_is_ready(restored)
    restored.run(delete_rds)
    restored.west.settle()
    restored.run(check_delete_status)

    assert "staging" not in restored.west.clusters
    assert [name for name in restored.west.snapshots if "final" in name] == finals
    assert f"none: the old cluster was what operation {OPERATION}-before left half-restored" in (
        message_for_success(summarise(restored.operation)).text
    )
