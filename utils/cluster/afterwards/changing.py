"""`{"afterwards_of": …}`: what becomes of a cluster is put off or called off, as long as it has not begun."""

from datetime import timedelta

from utils.cluster.retirement import end_row
from utils.errors import InvalidRequest, OperationRowConflict
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import AfterwardsRecord
from utils.operation.retirement import afterwards_id
from utils.request.afterwards import AFTERWARDS_OF, AfterwardsChange
from utils.runtime.services import Services

_CANCELLED = "called off"


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
        raise _refused(
            f"operation {change.afterwards_of}, whose cluster is {'being ' * (row.deletion is not None)}dealt with"
            if row.status is OperationStatus.RUNNING
            else f"operation {change.afterwards_of}, after which all is done",
            "one whose cluster still has time",
        )
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
