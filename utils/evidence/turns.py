"""What is told of a swap and of old data that was brought back: who serves, since when, and the way back."""

from datetime import timedelta

from utils.evidence.model import BringBackEvidence, SwapEvidence
from utils.operation.model import Operation
from utils.operation.records import SwapRecord


def swap_of(operation: Operation) -> SwapEvidence | None:
    """Return what became of both clusters of a swap; None for a run that is none."""
    names, record = operation.identifiers, operation.swap or SwapRecord()
    if names.swap is None:
        return None
    is_put_aside = record.begun_at is not None and record.rolled_back_at is None
    until = None
    if record.finished_at is not None and operation.request.keep_old_hours is not None:
        until = record.finished_at + timedelta(hours=operation.request.keep_old_hours)
    is_over = record.finished_at is not None and operation.undoes is None
    return SwapEvidence(
        serving=_serving(names.target_cluster_id, record, is_undo=operation.undoes is not None),
        put_aside=names.swap.aside if is_put_aside else None,
        outage_seconds=record.outage_seconds,
        outage_uncertainty_seconds=record.outage_uncertainty_seconds,
        undo=f"./restore.sh undo {operation.operation_id}" if is_over else None,
        undo_until=until if is_over else None,
    )


def _serving(target_id: str, record: SwapRecord, *, is_undo: bool) -> str:
    before = "restored" if is_undo else "old"
    if record.begun_at is None:
        return f"the {before} cluster is {target_id}, as before: nothing was renamed"
    if record.rolled_back_at is not None:
        return f"the {before} cluster is {target_id} again: the exchange of names was taken back"
    if record.first_answer_at is not None:
        return f"the {'former' if is_undo else 'new'} cluster is {target_id}, proven under that name"
    return f"perhaps nobody as {target_id}: the exchange of names ended half-way"


def brought_back_of(operation: Operation) -> BringBackEvidence | None:
    """Return what became of the old data; None where nobody brought it back."""
    record = operation.bring_back
    if record is None:
        return None
    return BringBackEvidence(
        finished_at=record.finished_at,
        final_snapshot=operation.identifiers.final_snapshot_id,
        because=record.because,
        logins=record.logins,
        refused=record.refused,
        error=record.error,
    )
