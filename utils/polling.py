"""How long the state machine waits before it looks again."""

from datetime import datetime, timedelta

# RDS reads are eventually consistent: within this time after a change, what it shows may be how things were before.
SETTLING = timedelta(minutes=10)
SHORTEST_WAIT_SECONDS = 15
LONGEST_WAIT_SECONDS = 900
ALLOWED_LATENESS = 0.02


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
