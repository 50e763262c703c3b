"""What several stories have in common."""

import json
from typing import Any

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from utils.operation.state_table import lock_key
from utils.runtime.contract import ClosingEvent, StartEvent, StepResult
from utils.steps.check_copy_status import check_copy_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

SECOND_ARN = EXECUTION_ARN.replace(OPERATION, "repair-1")


def copy_is_ready(aws: FakeAws, **request: Any) -> None:
    """Plan a run and bring it to the point where its copy is available."""
    aws.start(**request)
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)


def resume(aws: FakeAws, arn: str = SECOND_ARN, **beside: Any) -> StepResult:
    """Start another execution that names the operation."""
    event = StartEvent(operation_id="repair-1", execution_arn=arn, request={"resume": OPERATION} | beside)
    return snapshot_check(event, aws.services)


def fail(aws: FakeAws, arn: str = EXECUTION_ARN, error: str = "CopyFailed") -> None:
    """End the run as the state machine does after a step that raised."""
    cause = json.dumps({"errorMessage": f"found {error}", "errorType": error})
    event = ClosingEvent(
        operation_id=OPERATION, execution_arn=arn, error={"Error": error, "Cause": cause}, failed_step="Copy Snapshot"
    )
    sns_notification(event, aws.services)


def resume_after_failure(aws: FakeAws) -> None:
    fail(aws)
    resume(aws)


LOCK = lock_key("us-west-2", "staging")


def status_change(status: str, arn: str = EXECUTION_ARN, **other: Any) -> dict[str, Any]:
    """What EventBridge sends, as in the Step Functions Developer Guide."""
    detail = {
        "executionArn": arn,
        "stateMachineArn": "arn:aws:states:us-west-2:123456789012:stateMachine:aurora-restore-pipeline",
        "name": arn.rpartition(":")[2],
        "status": status,
        "input": "{}",
        "redriveCount": 0,
        "error": None,
        "cause": None,
    }
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-11-22T03:00:00Z",
        "region": "us-west-2",
        "resources": [arn],
        "detail": detail | other,
    }


def ended(aws: FakeAws, status: str = "ABORTED", arn: str = EXECUTION_ARN, **other: Any) -> StepResult:
    """Let EventBridge tell the end of an execution."""
    return sns_notification(ClosingEvent.model_validate(status_change(status, arn, **other)), aws.services)
