"""A finding: what was found, where, and what became of it; a count and the first names only."""

from collections.abc import Sequence

from utils.operation.model import HealthRecord, Verdict

_FIRST_NAMES = 10
_LONGEST_NAME = 120
# A cluster may have hundreds of databases, each with findings of its own.
_MOST = 40
_FIRST_OF_ALL = [Verdict.FOR_A_PERSON, Verdict.CLOSED, Verdict.MENDED, Verdict.HARMLESS]


def finding(verdict: Verdict, what: str, names: Sequence[str], database: str | None = None) -> list[HealthRecord]:
    """Return one finding, or none if there are no names."""
    if not names:
        return []
    first = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..." for name in names[:_FIRST_NAMES]]
    return [HealthRecord(verdict=verdict, what=what, names=first, count=len(names), database=database)]


def most_urgent(found: Sequence[HealthRecord]) -> list[HealthRecord]:
    """Return the findings, what needs a person first, and no more than a row has room for."""
    sorted_ones = sorted(found, key=lambda record: _FIRST_OF_ALL.index(record.verdict))
    left = sorted_ones[_MOST:]
    where = sorted({record.database or "the cluster" for record in left})
    return [*sorted_ones[:_MOST], *finding(Verdict.FOR_A_PERSON, f"{len(left)} more findings, not listed, in", where)]
