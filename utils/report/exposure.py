"""How long production's passwords could have opened the copy, in words."""

from utils.report.summary import Summary
from utils.words import duration


def exposure_in_words(summary: Summary) -> str:
    """Say it in one line, for a run that ended well or not."""
    if summary.quarantine:
        return f"0 s, in quarantine ({', '.join(summary.quarantine)})"
    if summary.exposed_since is None:
        return "0 s, no instance of the copy answered"
    if summary.exposure_seconds is None:
        return f"since {summary.exposed_since:%Y-%m-%d %H:%M:%S} UTC, and it goes on: resume the operation or delete it"
    return f"{duration(summary.exposure_seconds)}, from its first instance until production's logins were shut out"
