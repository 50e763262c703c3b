"""The time limit of a phase, and how long to wait within it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from utils.errors import AuroraRestoreError, PhaseTimedOut
from utils.operation.model import Operation
from utils.runtime.contract import StepResult, StepStatus

# RDS reads are eventually consistent: within this time after a change, what it shows may be how things were before.
SETTLING = timedelta(minutes=10)
SHORTEST_WAIT_SECONDS = 15
LONGEST_WAIT_SECONDS = 900
ALLOWED_LATENESS = 0.02
# While a name may be gone: what a look comes late, somebody waits, and nobody knows how long the outage was.
SWAP_WAIT_SECONDS = 1
CLOSE_LOOKS = timedelta(minutes=5)


class Sought(Protocol):
    """The record of something that a call made, and that RDS may not show at once."""

    missing_since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A phase of an operation as it stands now, with the hours that it may take."""

    name: str
    started_at: datetime
    now: datetime
    budget_hours: float

    def wait(
        self, waiting_for: str, *, percent: int | None = None, action: str = "look at the resource in the RDS console"
    ) -> StepResult:
        """Answer IN_PROGRESS with the seconds to wait; raises `PhaseTimedOut` past the budget."""
        elapsed = max((self.now - self.started_at).total_seconds(), 0.0)
        if elapsed > self.budget_hours * 3600:
            raise PhaseTimedOut(
                f"{self.name} still waiting for {waiting_for} after {elapsed / 3600:.1f} hours",
                field=f"budgets.{self.name}_hours",
                expected=f"its end within {self.budget_hours:g} hours",
                action=f"{action}; if it is only slow, resume the operation, which gives it the same time again",
            )
        details: dict[str, str | int] = {"waiting_for": waiting_for}
        if percent is not None:
            details["percent"] = percent
        return StepResult(
            status=StepStatus.IN_PROGRESS, wait_seconds=seconds_until_next_look(elapsed, percent), details=details
        )

    def wait_until_shown(self, sought: Sought, waiting_for: str, *, otherwise: AuroraRestoreError) -> StepResult:
        """Wait for what RDS does not show yet; raises `otherwise` when its answers have settled without it."""
        sought.missing_since = sought.missing_since or self.now
        if has_settled(sought.missing_since, self.now):
            raise otherwise
        return self.wait(waiting_for)


def copy_phase(operation: Operation, now: datetime) -> Phase:
    """Return the snapshot copy's phase, which begins now if it has not begun."""
    started_at = operation.copy_record(now).started_at
    return Phase(name="copy", started_at=started_at, now=now, budget_hours=operation.request.budgets.copy_hours)


def delete_phase(operation: Operation, now: datetime) -> Phase:
    """Return the deletion's phase, which begins now if it has not begun."""
    record = operation.deletion_record()
    record.started_at = record.started_at or now
    hours = operation.request.budgets.delete_hours
    return Phase(name="delete", started_at=record.started_at, now=now, budget_hours=hours)


def restore_phase(operation: Operation, now: datetime, since: datetime | None = None) -> Phase:
    """Return the restore's phase, which begins now if it has not begun, or the part of it that began at `since`."""
    started_at = since or operation.restore_record(now).started_at
    return Phase(name="restore", started_at=started_at, now=now, budget_hours=operation.request.budgets.restore_hours)


def swap_wait(waiting: StepResult, now: datetime, moved_at: datetime | None) -> StepResult:
    """Return the answer with the wait of a swap: short for some minutes after each move, then as in any phase.

    A day of short waits would be more than an execution's history holds, and it would end without a way back.
    """
    if moved_at is not None and now - moved_at > CLOSE_LOOKS:
        return waiting
    return waiting.model_copy(update={"wait_seconds": SWAP_WAIT_SECONDS})


def seconds_until_next_look(elapsed_seconds: float, percent: int | None = None) -> int:
    """Seconds to wait in a phase that has run for `elapsed_seconds` and is `percent` done, if that is known.

    A wait of 2 % of the time gone cannot end more than 2 % late, and the waits grow with the phase: 30 hours
    take about 350 looks. Near the end of a phase that tells its progress the waits shrink with what remains, but
    only by half: progress may stand at 99 % for hours, and every look takes room in the history.
    """
    wait = elapsed_seconds * ALLOWED_LATENESS
    if percent is not None and 0 < percent <= 100:
        remaining = elapsed_seconds * (100 - percent) / percent
        wait = max(min(wait, remaining), wait / 2)
    return round(min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS))


def has_settled(since: datetime, now: datetime) -> bool:
    """Tell whether what RDS shows since then can no longer be an old answer."""
    return now - since > SETTLING
