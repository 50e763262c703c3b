"""The question to a person: the plan, and the commands with which it is approved or rejected."""

import shlex
from datetime import datetime

from utils.aws.notifier import LONGEST_SUBJECT, Notification
from utils.operation.model import OperationStatus
from utils.report.envelope import About, in_environment, notification
from utils.report.preview import Preview
from utils.report.preview_text import lines_of
from utils.report.summary import Summary

_WHY = " --reason 'why'"


def message_for_approval(summary: Summary, preview: Preview, expires_at: datetime, beside: str = "") -> Notification:
    """Write the message of a run that waits for a person; `beside` is an environment with its own name in all names."""
    operation = shlex.quote(summary.operation_id)
    approve, reject = (f"./restore.sh {verb} {operation}{_WHY}" for verb in ("approve", "reject"))
    lines = [
        f"Operation {summary.operation_id} waits for approval until {expires_at:%Y-%m-%d %H:%M} UTC.",
        "Nothing was changed.",
        *lines_of(preview.as_json()),
        "",
        f"To let it go on, or end it, as aurora-restore-{beside and beside + '-'}approver:",
        "",
        f"    {approve}",
        f"    {reject}",
        *(["", f"Execution: {summary.console_url}"] if summary.console_url else []),
    ]
    about = About(
        operation_id=summary.operation_id,
        status=OperationStatus.RUNNING,
        target_cluster_id=summary.target_cluster_id,
        snapshot=summary.snapshot,
        console_url=summary.console_url,
    )
    subject = f"Aurora restore WAITS FOR APPROVAL: {summary.target_cluster_id}"[:LONGEST_SUBJECT]
    detail = {
        "operation_id": summary.operation_id,
        "status": about.status.value,
        "approval_until": expires_at.isoformat(),
        "plan": preview.as_json(),
        "approve": approve,
        "reject": reject,
    }
    return in_environment(notification(subject, lines, about, detail, [approve, reject]), beside)
