"""The timeline of an operation, from its audit trail: phases, with work and waiting apart."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from utils.evidence.model import Hands, Phase
from utils.operation.audit_log import AuditEvent, AuditRow
from utils.operation.model import StepName
from utils.operation.records import ApprovalRecord

# A step that is not here is a phase by itself.
_PHASES = {
    StepName.SNAPSHOT_CHECK: "check",
    StepName.COPY_SNAPSHOT: "copy",
    StepName.CHECK_COPY_STATUS: "copy",
    StepName.DELETE_RDS: "delete",
    StepName.CHECK_DELETE_STATUS: "delete",
    StepName.RESTORE_SNAPSHOT: "restore",
    StepName.CHECK_RESTORE_STATUS: "restore",
    StepName.SETUP_DB_USERS: "users",
    StepName.SWAP_CLUSTERS: "swap",
    StepName.CHECK_SWAP_STATUS: "swap",
    StepName.ARCHIVE_SNAPSHOT: "archive",
}


def timeline_of(trail: Sequence[AuditRow], approval: ApprovalRecord | None, now: datetime) -> list[Phase]:
    """Return the phases in order; the last step is left out, as it is the one that writes the evidence."""
    rows = [row for row in trail if row.step != StepName.SNS_NOTIFICATION]
    phases = [_phase(name, list(of_phase)) for name, of_phase in groupby(rows, key=_phase_of)]
    if approval is not None:
        phases.append(_waiting_for_a_person(approval, now))
    return sorted(phases, key=lambda phase: phase.started_at)


def hands_of(trail: Iterable[AuditRow]) -> list[Hands]:
    """Return for each step, in the order of their first runs, in whose name it ran and what it called."""
    by_step: dict[str, list[AuditRow]] = {}
    for row in trail:
        by_step.setdefault(row.step, []).append(row)
    return [
        Hands(
            step=step,
            actors=list(dict.fromkeys(row.actor for row in rows)),
            runs=sum(row.event is AuditEvent.ENTERED for row in rows),
            calls=dict(sorted(Counter(call for row in rows for call in row.api_calls).items())),
        )
        for step, rows in by_step.items()
    ]


def _phase_of(row: AuditRow) -> str:
    return next((phase for step, phase in _PHASES.items() if step == row.step), row.step.lower())


def _phase(name: str, rows: Sequence[AuditRow]) -> Phase:
    started_at, finished_at = rows[0].at, rows[-1].at
    work = _seconds(sum(_at_work(rows), timedelta()))
    return Phase(
        name=name,
        started_at=started_at,
        finished_at=finished_at,
        work_seconds=work,
        waiting_seconds=max(_seconds(finished_at - started_at) - work, 0.0),
        approval_seconds=0.0,
    )


def _waiting_for_a_person(approval: ApprovalRecord, now: datetime) -> Phase:
    until = approval.answered_at or min(approval.expires_at, now)
    return Phase(
        name="approval",
        started_at=approval.asked_at,
        finished_at=until,
        work_seconds=0.0,
        waiting_seconds=0.0,
        approval_seconds=max(_seconds(until - approval.asked_at), 0.0),
    )


def _at_work(rows: Sequence[AuditRow]) -> list[timedelta]:
    """Return how long each run took; one that never told its end, as it was cut off, counts as waiting."""
    took: list[timedelta] = []
    entered: datetime | None = None
    for row in rows:
        if row.event is AuditEvent.ENTERED:
            entered = row.at
        elif entered is not None:
            took.append(row.at - entered)
            entered = None
    return took


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 3)
