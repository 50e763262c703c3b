"""What an earlier run left half-restored goes without a final snapshot; what was opened to its users never does."""

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.stories import copy_is_ready, fail
from utils import tags
from utils.operation.model import Operation, UsersRecord
from utils.report.messages import message_for_success
from utils.report.summary import summarise
from utils.runtime.contract import StartEvent
from utils.steps.check_delete_status import check_delete_status
from utils.steps.delete_rds import delete_rds
from utils.steps.snapshot_check import snapshot_check

SECOND = "nightly-2"
TARGET_TAGS = tags.own_tags(tags.Role.TARGET, "nightly-0", "staging")


def start_another(aws: FakeAws) -> Operation:
    arn = EXECUTION_ARN.replace(OPERATION, SECOND)
    snapshot_check(StartEvent(operation_id=SECOND, execution_arn=arn, request={}), aws.services)
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
