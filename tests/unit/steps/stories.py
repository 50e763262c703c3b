"""What several stories have in common."""

import json
from typing import Any

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
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
