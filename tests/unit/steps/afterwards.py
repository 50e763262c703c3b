"""What the stories of the time after a run have in common: a run that has ended, and the execution that follows it."""

from typing import Any

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.rebuild import up_to_proven_users
from utils.operation.model import Operation, StepName
from utils.operation.retirement import afterwards_id
from utils.runtime.contract import ClosingEvent, FailedEvent, StartEvent, StepEvent, StepResult, StepStatus
from utils.runtime.step import on_operation
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_delete_status import check_delete_status
from utils.steps.delete_rds import delete_rds
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

AFTERWARDS = afterwards_id(OPERATION)
AFTERWARDS_ARN = EXECUTION_ARN.replace("aurora-restore-pipeline", "aurora-restore-retirement").replace(
    OPERATION, AFTERWARDS
)
AT_ONCE = {"action": "delete", "after_hours": 0}


def up_to_the_users(aws: FakeAws, **request: Any) -> None:
    """Go through the steps until the users of the restored cluster are proven."""
    aws.start(**request)
    assert up_to_proven_users(aws).status is StepStatus.READY


def end(aws: FakeAws, error: str | None = None, step: str = "Setup DB Users", arn: str = EXECUTION_ARN) -> StepResult:
    """End the run as the state machine does."""
    caught = {"Error": error, "Cause": "{}"} if error else None
    event = ClosingEvent(operation_id=OPERATION, execution_arn=arn, error=caught, failed_step=step)
    return sns_notification(event, aws.services)


def to_the_end(aws: FakeAws, **request: Any) -> list[dict[str, Any]]:
    """A run that came to its end; return the executions that it starts for the time after."""
    up_to_the_users(aws, **request)
    starts: list[dict[str, Any]] = aws.run(archive_snapshot).details.get("afterwards", [])
    end(aws)
    return starts


def afterwards(aws: FakeAws) -> Operation:
    """The row of what becomes of the cluster."""
    found = aws.operations.find(AFTERWARDS)
    assert found is not None
    return found


def look(aws: FakeAws) -> StepResult:
    """Call Delete RDS as the execution of the time after does."""
    event = FailedEvent(operation_id=AFTERWARDS, execution_arn=AFTERWARDS_ARN)
    return on_operation(StepName.DELETE_RDS, event, aws.services, delete_rds)


def check(aws: FakeAws) -> StepResult:
    """Call Check Delete Status as it does."""
    event = StepEvent(operation_id=AFTERWARDS, execution_arn=AFTERWARDS_ARN)
    return on_operation(StepName.CHECK_DELETE_STATUS, event, aws.services, check_delete_status)


def follow(aws: FakeAws, looks: int = 150) -> StepResult:
    """Go on as the state machine does until all is done, and close it."""
    answer = look(aws)
    for _ in range(looks):
        if answer.status is StepStatus.READY:
            close(aws)
            return answer
        if answer.status is StepStatus.SNAPSHOT_READY:
            answer = look(aws)
            continue
        aws.west.settle()
        aws.clock.advance(seconds=answer.wait_seconds or 0)
        answer = check(aws)
    raise AssertionError(f"it goes on for ever: {answer}")


def close(aws: FakeAws, error: str | None = None) -> StepResult:
    """End it as the state machine does."""
    caught = {"Error": error, "Cause": "{}"} if error else None
    event = ClosingEvent(
        operation_id=AFTERWARDS, execution_arn=AFTERWARDS_ARN, error=caught, failed_step="Delete RDS" if error else ""
    )
    return sns_notification(event, aws.services)


def change(aws: FakeAws, **request: Any) -> StepResult:
    """Ask for another time, or for none."""
    event = StartEvent(operation_id="change-1", execution_arn=f"{EXECUTION_ARN}-change", request=request)
    return snapshot_check(event, aws.services)
