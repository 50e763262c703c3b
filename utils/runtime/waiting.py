"""The time limit of a phase, and how long to wait within it."""

from datetime import datetime, timedelta

from utils.errors import PhaseTimedOut
from utils.runtime.contract import StepResult, StepStatus

# RDS reads are eventually consistent: within this time after a change, what it shows may be how things were before.
SETTLING = timedelta(minutes=10)
SHORTEST_WAIT_SECONDS = 15
LONGEST_WAIT_SECONDS = 900
ALLOWED_LATENESS = 0.02


def wait_or_time_out(
    phase: str,
    started_at: datetime,
    now: datetime,
    budget_hours: float,
    *,
    waiting_for: str,
    percent: int | None = None,
    action: str = "look at the resource in the RDS console",
) -> StepResult:
    """Answer IN_PROGRESS with the seconds to wait; raises `PhaseTimedOut` past the budget."""
    elapsed = max((now - started_at).total_seconds(), 0.0)
    if elapsed > budget_hours * 3600:
        raise PhaseTimedOut(
            f"{phase} still waiting for {waiting_for} after {elapsed / 3600:.1f} hours",
            field=f"budgets.{phase}_hours",
            expected=f"an end within {budget_hours:g} hours",
            action=f"{action}; if it is only slow, resume the operation, which gives it the same time again",
        )
    details: dict[str, str | int] = {"waiting_for": waiting_for}
    if percent is not None:
        details["percent"] = percent
    return StepResult(
        status=StepStatus.IN_PROGRESS, wait_seconds=seconds_until_next_look(elapsed, percent), details=details
    )


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
