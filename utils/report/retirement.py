"""The notifications of what restores nothing: a retirement, what becomes of a cluster afterwards, and an undo."""

from utils.aws.notifier import LONGEST_SUBJECT, Notification
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import OperationError
from utils.report.commands import execution_url, go_on_command
from utils.report.envelope import About, notification
from utils.report.summary import Summary, summarise
from utils.request.afterwards import STOP
from utils.words import outage


def message_for_retirement(summary: Summary, execution_arn: str, error: OperationError | None) -> Notification:
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
            "Next: do what the message says. Then let it go on, or delete the cluster by hand:",
            *_go_on(summary.operation_id, execution_arn),
        ]
        if error
        else [
            f"The old cluster {name}, which a swap had put aside, is deleted: {', '.join(summary.deleted)}."
            if summary.deleted
            else f"There is no cluster {name} any more, which a swap had put aside: somebody deleted or renamed it, or "
            "an undo gave it its name back. Nothing was deleted."
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
    name = summary.target_cluster_id
    lasted = outage(summary.outage_seconds, summary.outage_uncertainty_seconds)
    lines = [
        f"{name} is the old cluster again, with its data as it was: the swap of operation {undone} is undone.",
        "",
        f"Put aside         {summary.old_cluster}, the cluster that {undone} had restored; nothing deletes it but you",
        f"Outage            {lasted} in which {name} did not answer",
    ]
    about = About(
        operation_id=summary.operation_id,
        status=summary.status,
        target_cluster_id=name,
        snapshot=summary.snapshot,
        console_url=summary.console_url,
    )
    return notification(f"Aurora restore of {name} UNDONE"[:LONGEST_SUBJECT], lines, about, summary.as_json(), [])


def message_for_afterwards(
    operation: Operation, record: AfterwardsRecord, error: OperationError | None
) -> Notification:
    """Write the message of a stop, a deletion or a drill's clean-up that ended well, or failed with an error."""
    name, summary = operation.identifiers.target_cluster_id, summarise(operation)
    about = About(
        operation_id=operation.operation_id,
        status=summary.status,
        target_cluster_id=name,
        snapshot=summary.snapshot,
        console_url=summary.console_url or execution_url(""),
    )
    what = f"clean-up of the drill {name}" if record.is_drill else f"{record.action} of {name} afterwards"
    outcome = f"FAILED: {error.name}" if error else "SUCCEEDED"
    lines = _failure(operation, record, error) if error else _success(operation, record)
    if summary.final_snapshot:
        lines += ["", f"Final snapshot: {summary.final_snapshot}"]
    subject = f"Aurora restore: {what} {outcome}"
    return notification(subject[:LONGEST_SUBJECT], lines, about, summary.as_json(), [error.message] if error else [])


def left_by_drill(clean_up: Operation) -> list[str]:
    """Name what a drill left for good: its clean-up failed; nothing of any other."""
    record = clean_up.afterwards
    has_failed = record is not None and record.is_drill and clean_up.status is OperationStatus.FAILED
    return left_behind(clean_up, record) if record is not None and has_failed else []


def left_behind(operation: Operation, record: AfterwardsRecord) -> list[str]:
    """Name what stood at the last look, or whatever may stand where nobody looked yet."""
    if operation.deletion is not None:
        return record.standing
    names = operation.identifiers
    copy = [names.copy_id] if record.is_drill and operation.plan.copy_needed else []
    return [names.target_cluster_id, *names.instance_ids, *copy]


def _success(operation: Operation, record: AfterwardsRecord) -> list[str]:
    name, run = operation.identifiers.target_cluster_id, operation.retires
    if record.ended and record.is_drill:
        return [f"Of the drill {run} nothing is left to remove, but {record.ended}: it was left as it is."]
    if record.ended:
        return [f"Nothing was to {record.action} any more of what operation {run} restored: {record.ended}."]
    if record.action == STOP:
        return [
            f"{name}, which operation {run} restored, is stopped with its instances. Its storage is paid for on.",
            "AWS starts a cluster again that has been stopped for seven days: stop it once more, or delete it.",
        ]
    if record.is_drill:
        gone = ", ".join([name, *record.removed])
        return [f"Nothing stands any more of what the drill {run} made: {gone}.", "Its evidence stays."]
    return [f"{name}, which operation {run} restored, is deleted with its instances."]


def _failure(operation: Operation, record: AfterwardsRecord, error: OperationError) -> list[str]:
    name, run = operation.identifiers.target_cluster_id, operation.retires
    left = ", ".join(left_behind(operation, record)) or "nothing that was seen"
    return [
        f"What operation {run} restored as {name} could not be dealt with ({record.action}): {error.name}.",
        "",
        error.message,
        "",
        f"Left behind: {left}. It is paid for until it goes.",
        "",
        f"Next: do what the message says. Then let it go on, or {record.action} it by hand:",
        *_go_on(operation.operation_id, operation.execution_arn),
    ]


def _go_on(operation_id: str, execution_arn: str) -> list[str]:
    command = go_on_command(operation_id, execution_arn) or ""
    return ["", *(f"    {line}" for line in command.splitlines())]
