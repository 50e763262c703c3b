"""What SNS Notification is called with: the state machine's last word, or EventBridge's that an execution has ended."""

import json
from typing import Any

from aws_lambda_powertools.utilities.parser import model_validator

from utils.errors import AuroraRestoreError, ExecutionStopped, ExecutionTimedOut
from utils.runtime.resumption import named_in
from utils.runtime.step import StepEvent

_STATUS_CHANGE = "Step Functions Execution Status Change"
_RESUME = 'start the state machine with {{"resume": "{}"}} to go on, or with a new request'


class ClosingEvent(StepEvent):
    """Input of SNS Notification: `error` is the state machine's `$states.errorOutput` of a failed run.

    EventBridge's "Step Functions Execution Status Change" is taken as well: it comes after the execution's end, so that
    an operation is closed also when no state of the machine could do it.
    """

    error: dict[str, Any] | None = None
    failed_step: str = ""
    has_ended: bool = False

    @property
    def is_afterthought(self) -> bool:
        """EventBridge's word comes after every end, also after one that the last step closed."""
        return self.has_ended

    @model_validator(mode="before")
    @classmethod
    def _read_status_change(cls, event: Any) -> Any:
        if not (isinstance(event, dict) and event.get("detail-type") == _STATUS_CHANGE):
            return event
        detail = event.get("detail") or {}
        operation_id = _operation_of(detail)
        return {
            "operation_id": operation_id,
            "execution_arn": detail.get("executionArn", ""),
            "redrive_count": detail.get("redriveCount") or 0,
            "error": _end_of(detail, operation_id),
            "has_ended": True,
        }


def _operation_of(detail: dict[str, Any]) -> Any:
    try:
        resumed = named_in(json.loads(detail.get("input") or "{}"))
    except json.JSONDecodeError:
        resumed = None
    return resumed or detail.get("name")


def _end_of(detail: dict[str, Any], operation_id: Any) -> dict[str, Any] | None:
    if detail.get("status") == "SUCCEEDED":
        return None
    by_its_last_step, what_to_do = "its end by its own last step", _RESUME.format(operation_id)
    error: AuroraRestoreError
    if detail.get("status") == "ABORTED":
        error = ExecutionStopped("an execution that was stopped", expected=by_its_last_step, action=what_to_do)
    elif detail.get("status") == "TIMED_OUT":
        found = "an execution that took longer than the state machine may"
        error = ExecutionTimedOut(found, expected=by_its_last_step, action=what_to_do)
    else:
        return {"Error": detail.get("error") or "States.Runtime", "Cause": detail.get("cause") or ""}
    return {"Error": type(error).__name__, "Cause": str(error)}
