"""Statuses as an operation sees them: one that nobody knows is an error only once it lasts."""

from datetime import datetime, timedelta

from utils.aws.rds_statuses import StatusSets, Verdict
from utils.errors import UnknownStatus
from utils.operation.model import Operation

# AWS shows a new status for a while before its guide has it; nothing is done to what shows it.
UNKNOWN_FOR_AT_MOST = timedelta(minutes=30)


def judge(sets: StatusSets, status: str, identifier: str, operation: Operation, now: datetime) -> Verdict:
    """Judge a status; an unknown one counts as in progress until it has lasted, then it is an `UnknownStatus`."""
    try:
        return sets.judge(status, identifier)
    except UnknownStatus:
        if now - first_seen(f"status {status} of {identifier}", operation, now) > UNKNOWN_FOR_AT_MOST:
            raise
        return Verdict.IN_PROGRESS


def first_seen(what: str, operation: Operation, now: datetime) -> datetime:
    """Return when the operation saw this first, which is now if the row does not have it."""
    return operation.first_seen.setdefault(what, now)
