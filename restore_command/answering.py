"""Approves or rejects the plan of a run that waits for a person; needs the rights of aurora-restore-approver only."""

import json
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Refused, error_code, told
from restore_command.exit_codes import SUCCEEDED
from restore_command.output import Output
from restore_command.pipeline import APPROVALS_TABLE, Pipeline

_NOBODY_WAITS = {"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"}


def answer(pipeline: Pipeline, output: Output, operation_id: str, reason: str, *, approved: bool) -> int:
    """Send the answer; raises `Refused` where no run waits for it, or not any more."""
    with told():
        question = pipeline.table(APPROVALS_TABLE).get_item(Key={"operation_id": operation_id}).get("Item")
        if question is None:
            raise _nobody_waits(operation_id)
        _send(pipeline.states, question["task_token"], operation_id, _document(pipeline, reason, approved=approved))
    word = "approved" if approved else "rejected"
    document = {"operation_id": operation_id, "target_cluster_id": question["target_cluster_id"], "answer": word}
    output.result(document, f"{word} {operation_id}\nWatch it: ./restore.sh watch {operation_id}")
    return SUCCEEDED


def _document(pipeline: Pipeline, reason: str, *, approved: bool) -> dict[str, Any]:
    return {"approved": approved, "approver": pipeline.account.caller_arn, "reason": reason}


def _send(states: Any, token: str, operation_id: str, document: dict[str, Any]) -> None:
    try:
        states.send_task_success(taskToken=token, output=json.dumps(document))
    except ClientError as error:
        if error_code(error) not in _NOBODY_WAITS:
            raise
        raise _nobody_waits(operation_id) from None


def _nobody_waits(operation_id: str) -> Refused:
    return Refused(
        f"{operation_id} does not wait for an answer: it was answered, timed out, stopped, or never to be approved; "
        f"./restore.sh show {operation_id} tells which"
    )
