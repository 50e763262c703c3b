"""`{"afterwards_of": …}`: what becomes of a cluster is put off or called off, as long as it has not begun."""

from datetime import UTC, datetime, timedelta

from utils.cluster.retirement import end_row
from utils.errors import InvalidRequest, OperationRowConflict
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import Operation, OperationStatus
from utils.operation.retirement import afterwards_id
from utils.request.afterwards import AFTERWARDS_OF, AfterwardsChange
from utils.runtime.services import Services

_CANCELLED = "called off"
_IS_LATE = {
    OperationStatus.RUNNING: "whose cluster is being dealt with",
    OperationStatus.SUCCEEDED: "after which nothing is left to do ({ended})",
    OperationStatus.FAILED: "whose cluster stays unless somebody has {} go on, which failed",
}
_LONGEST_EXECUTION = timedelta(days=365)  # the state machine's TimeoutSeconds, which may not be more


def change_afterwards(change: AfterwardsChange, services: Services) -> str:
    """Make the change and say what holds now; a second call answers the same. Raises `InvalidRequest`."""
    row = services.operations.find(afterwards_id(change.afterwards_of))
    if row is None or row.afterwards is None:
        raise _refused(
            f"operation {change.afterwards_of}, after which nothing is to become of its cluster",
            "a run that restored with afterwards and has ended well",
        )
    record, target_id = row.afterwards, row.identifiers.target_cluster_id
    if change.cancel and record.ended == _CANCELLED:
        return f"{target_id} stays: to {record.action} it was called off"
    if record.is_drill:
        raise _refused(f"operation {change.afterwards_of}, a drill", "a run whose cluster people work with")
    if row.status is not OperationStatus.RUNNING or row.deletion is not None:
        late = _IS_LATE[row.status].format(row.operation_id, ended=record.ended or "it is over")
        raise _refused(f"operation {change.afterwards_of}, {late}", "one whose cluster still has time")
    try:
        if change.cancel:
            record.ended = _CANCELLED
            end_row(row, services)
            return f"{target_id} stays: to {record.action} it is called off"
        return _put_off(row, record, change.postpone_hours or 0.0, services)
    except OperationRowConflict as conflict:
        raise _refused(
            f"operation {change.afterwards_of}, whose cluster is being dealt with just now",
            "one whose cluster still has time",
        ) from conflict


def _put_off(row: Operation, record: AfterwardsRecord, hours: float, services: Services) -> str:
    # The clock is RDS's, which an answer of RDS tells.
    services.rds().find_cluster(row.identifiers.target_cluster_id)
    due_at = services.clock.now() + timedelta(hours=hours)
    if record.due_at is not None and due_at < record.due_at:
        raise _refused(
            f"{hours:g} hours from now, {due_at:%Y-%m-%d %H:%M} UTC",
            f"a time after {record.due_at:%Y-%m-%d %H:%M} UTC, when it is due: it is put off, not brought forward",
        )
    # The execution's own time is the functions', and its final snapshot takes some of it as well.
    left = _LONGEST_EXECUTION - (datetime.now(UTC) - row.executions[-1].started_at)
    most = left - timedelta(hours=row.request.budgets.delete_hours)
    if timedelta(hours=hours) > most:
        raise _refused(
            f"{hours:g} hours from now, {due_at:%Y-%m-%d %H:%M} UTC",
            f"at most {max(most / timedelta(hours=1), 0):.0f} hours, as no execution waits for longer than a year, or "
            "cancel: true",
        )
    record.due_at = due_at
    services.operations.save(row)
    return f"{record.action} {row.identifiers.target_cluster_id} at {due_at:%Y-%m-%d %H:%M} UTC"


def _refused(found: str, expected: str) -> InvalidRequest:
    return InvalidRequest(
        found,
        field=AFTERWARDS_OF,
        expected=expected,
        action="correct it (./restore.sh runs lists what there is); nothing was changed",
    )
