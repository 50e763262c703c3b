"""A finding: what was found, where, and what became of it; a count and the first names only."""

from collections.abc import Sequence

from utils.operation.model import HealthRecord, Verdict

_FIRST_NAMES = 10
_LONGEST_NAME = 120


def finding(verdict: Verdict, what: str, names: Sequence[str], database: str | None = None) -> list[HealthRecord]:
    """Return one finding, or none if there are no names."""
    if not names:
        return []
    first = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..." for name in names[:_FIRST_NAMES]]
    return [HealthRecord(verdict=verdict, what=what, names=first, count=len(names), database=database)]
