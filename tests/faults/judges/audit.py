"""Whether the audit trail of an operation is complete and in order."""

from collections import Counter
from typing import Any

Rows = list[dict[str, Any]]


def steps_done(rows: Rows) -> list[str]:
    """Return the steps in the order in which each was first left."""
    return list(dict.fromkeys(row["step"] for row in rows if row["event"] == "LEFT"))


def gaps(rows: Rows, *, ends_are_certain: bool) -> list[str]:
    """Say what is missing: a step that was entered and never ended, or ended and never entered."""
    problems = []
    times = [row["timestamp"] for row in rows]
    if times != sorted(set(times)):
        problems.append("the rows are not in the order of time")
    under_way: Counter[str] = Counter()
    for row in rows:
        step = row["step"]
        if row["event"] == "ENTERED":
            under_way[step] += 1
        elif under_way[step] == 0:
            problems.append(f"{step} {row['event']} without having been entered")
        else:
            under_way[step] -= 1
    if ends_are_certain:
        problems += [f"{step} was entered {count} time(s) without an end" for step, count in under_way.items() if count]
    return problems
