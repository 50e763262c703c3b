"""The time limit of a phase, and how long to wait within it."""

from datetime import datetime

from utils.errors import PhaseTimedOut
from utils.polling import seconds_until_next_look
from utils.runtime.step import StepResult, StepStatus


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
