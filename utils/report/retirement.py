"""The notifications of what restores nothing: a retirement, which deletes what was put aside, and an undo."""

from utils.aws.notifier import LONGEST_SUBJECT, Notification
from utils.operation.records import OperationError
from utils.report.commands import execution_url
from utils.report.envelope import About, notification
from utils.report.summary import Summary
from utils.words import duration


def message_for_retirement(summary: Summary, error: OperationError | None) -> Notification:
    """Write the message of a retirement that ended well, or failed with an error."""
    name = summary.target_cluster_id
    outcome = f"FAILED: {error.name}" if error else "SUCCEEDED"
    subject = f"Aurora restore: retirement of {name} {outcome}"
    lines = (
        [
            f"The old cluster {name} could not be deleted: {error.name}.",
            "",
            error.message,
            "",
            "Next: do what the message says. Then redrive the execution, or delete the cluster by hand.",
        ]
        if error
        else [
            f"The old cluster {name}, which a swap had put aside, is deleted: {', '.join(summary.deleted) or 'gone'}."
        ]
    )
    if summary.final_snapshot:
        commands = [f"    {line}" for command in summary.bring_back for line in command.splitlines()]
        lines += ["", f"Final snapshot: {summary.final_snapshot}", "", "To bring it back, under another name:", ""]
        lines += commands
    about = About(
        operation_id=summary.operation_id,
        status=summary.status,
        target_cluster_id=name,
        snapshot=summary.snapshot,
        console_url=summary.console_url or execution_url(""),
    )
    return notification(subject[:LONGEST_SUBJECT], lines, about, summary.as_json(), [])


def message_for_undo(summary: Summary, undone: str) -> Notification:
    """Write the message of a swap that was undone."""
    name, outage = summary.target_cluster_id, summary.outage_seconds
    lines = [
        f"{name} is the old cluster again, with its data as it was: the swap of operation {undone} is undone.",
        "",
        f"Put aside         {summary.old_cluster}, the cluster that {undone} had restored; nothing deletes it but you",
        f"Outage            {'unknown' if outage is None else duration(outage)} in which {name} did not answer",
    ]
    about = About(
        operation_id=summary.operation_id,
        status=summary.status,
        target_cluster_id=name,
        snapshot=summary.snapshot,
        console_url=summary.console_url,
    )
    return notification(f"Aurora restore of {name} UNDONE"[:LONGEST_SUBJECT], lines, about, summary.as_json(), [])
