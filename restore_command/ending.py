"""What is told of a run that ended: who serves now, what is still to come, and what a person can do next."""

from collections.abc import Callable
from datetime import UTC, datetime

from restore_command.records import Run
from utils.evidence.turns import swap_of
from utils.operation.model import Operation, OperationStatus
from utils.operation.retirement import afterwards_id, retirement_id
from utils.report.advice import Advice, advice_after
from utils.report.commands import NEXT_LINE, go_on_command
from utils.report.summary import Summary
from utils.request.afterwards import STOP


def serves(operation: Operation, summary: Summary) -> str:
    """Say what a run that succeeded leaves behind; empty for one that only removed or stopped something."""
    target = summary.target_cluster_id
    if operation.undoes is not None:
        aside = f", what {operation.undoes} restored is {summary.old_cluster}" if summary.old_cluster else ""
        return f"{target} is the old cluster again{aside}"
    if operation.request.is_drill and operation.retires is None:
        return f"{target} is proven; its removal: ./restore.sh watch {afterwards_id(operation.operation_id)}"
    return f"{target} is at {summary.endpoint}:{summary.port}" if summary.endpoint else ""


def next_steps(operation: Operation, find: Callable[[str], Run | None]) -> list[str]:
    """Say what is still to come after a run, and what can be done about it; `find` reads another run's row."""
    if operation.status is OperationStatus.SUCCEEDED:
        return [*_of_swap(operation, find), *_of_afterwards(find(afterwards_id(operation.operation_id)))]
    if operation.status is not OperationStatus.FAILED or operation.error is None:
        return []
    if operation.retires is not None:
        # It is no run that could be resumed: its own state machine goes on with it.
        command = go_on_command(operation.operation_id, operation.execution_arn) or "start its state machine again"
        return [f"do what the message says, then {command.replace(NEXT_LINE, ' ')}"]
    match advice_after(operation.error.name, operation):
        case Advice.RESUME:
            return [
                f"do what the message says; if that is not a new run, then ./restore.sh resume {operation.operation_id}"
            ]
        case Advice.NEW_RUN if operation.undoes is not None:
            return [f"do what the message says, then ./restore.sh undo {operation.undoes}"]
        case Advice.NEW_RUN:
            return [
                "do what the message says, then start a new run: ./restore.sh start, with --input FILE where this one "
                "had a request of its own"
            ]
    return ["nothing, the operation is over or another execution works on it"]


def _of_swap(operation: Operation, find: Callable[[str], Run | None]) -> list[str]:
    """Say how long a swap can be undone; nothing once it is, or once its old cluster is gone."""
    swap = swap_of(operation)
    if swap is None or swap.undo is None:
        return []
    retirement = find(retirement_id(operation.operation_id))
    if retirement is not None and retirement.status is OperationStatus.SUCCEEDED:
        return []
    until = f", until {minute(swap.undo_until)} UTC" if swap.undo_until else ""
    return [f"{swap.put_aside} is kept{until}: {swap.undo} gives its name back"]


def _of_afterwards(run: Run | None) -> list[str]:
    """Say what becomes of the cluster by the row of what stops or deletes it."""
    if run is None or run.operation is None or run.operation.afterwards is None:
        return []
    record, target, change = run.operation.afterwards, run.target, f"./restore.sh afterwards {run.operation.retires}"
    if run.status is OperationStatus.FAILED:
        return [f"to {record.action} {target} failed: ./restore.sh show {run.operation_id}"]
    if run.status is OperationStatus.RUNNING and record.is_drill:
        return [f"{target} is removed now: ./restore.sh watch {run.operation_id}"]
    if run.status is OperationStatus.RUNNING:
        due = f" at {minute(record.due_at)} UTC" if record.due_at else ""
        return [f"{record.action} {target}{due}: {change} --postpone HOURS, or --cancel"]
    done = "stopped" if record.action == STOP else "deleted"
    if record.ended:
        return [f"nothing: {target} was not {done}: {record.ended}"]
    return [f"nothing: {target} was {done} after the run"]


def asks(run: Run | None) -> str:
    """Say what a run that waits for a person waits for, empty for any other."""
    record = run.operation.approval if run is not None and run.operation is not None else None
    if run is None or record is None or record.approved is not None or run.status is not OperationStatus.RUNNING:
        return ""
    return f"Answer it: {answers(run.operation_id)}"


def answers(operation_id: str) -> str:
    """Name the commands that answer a run."""
    return f"./restore.sh approve {operation_id}, or ./restore.sh reject {operation_id} --reason …"


def minute(moment: datetime) -> str:
    """Write a moment as it is shown of runs."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
