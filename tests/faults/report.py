"""The table at the end of a sweep."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.faults.kinds import KINDS, SQL_KINDS
from tests.faults.sweep import RIGHT, Judged, Verdict

_SHORT = {"throttled-until-given-up": "throttled x4", "unavailable-until-given-up": "unavailable x4"}


def report(judged: Sequence[Judged], broken: Sequence[str], changes: int) -> Iterator[str]:
    """Yield the lines: right outcomes by step and kind, totals, and everything that was wrong."""
    names = [kind.name for kind in (*KINDS, *SQL_KINDS)]
    together = [item for item in judged if item.case.also]
    judged = [item for item in judged if not item.case.also]
    counted = Counter((_row(item), item.case.kind.name, item.verdict) for item in judged)

    def cell(step: str, kind: str) -> str:
        right = sum(counted[(step, kind, verdict)] for verdict in RIGHT)
        injected = right + counted[(step, kind, Verdict.WRONG)]
        return f"{right}/{injected}" if injected else "-"

    yield f"{'right / injected':<36}" + "".join(f"{_SHORT.get(name, name):>15}" for name in names)
    for step in sorted({_row(item) for item in judged}):
        yield f"{step:<36}" + "".join(f"{cell(step, name):>15}" for name in names)
    verdicts = Counter(item.verdict for item in judged)
    right = sum(verdicts[verdict] for verdict in RIGHT)
    yield (
        f"{len(judged) - verdicts[Verdict.NOT_REACHED]} faults injected, {right} with the right outcome: "
        f"{verdicts[Verdict.SURVIVED]} survived, {verdicts[Verdict.RESUMED]} stopped cleanly and resumed; "
        f"{verdicts[Verdict.WRONG]} wrong, {verdicts[Verdict.NOT_REACHED]} not reached"
    )
    yield f"{len(broken)} violations of an invariant in {changes} changes"
    for item in judged:
        if item.verdict is Verdict.WRONG:
            yield "\n      ".join(told(item))
    yield f"{len(together)} runs were wrong whose faults are right one by one"
    for item in together:
        yield "\n      ".join(told(item))
    for line in broken:
        yield f"VIOLATION {line}"


def told(judged: Judged) -> list[str]:
    """Say what was wrong about a case, after the faults that its run met."""
    return [f"{judged.verdict} {' '.join(one.case_id for one in judged.case.faults)}", *judged.problems]


def _row(judged: Judged) -> str:
    return "/".join(judged.case.case_id.split("/")[:2])
