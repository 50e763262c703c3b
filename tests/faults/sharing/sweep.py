"""Runs the cases of the sharing state machine, one after the other: a night takes a fraction of a second."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from tests.faults.sharing.cases import Case, cases
from tests.faults.sharing.judging import Judged, judge
from tests.faults.sharing.production import Production, production

RECORDINGS = 3  # of which the first has nothing to remove


def every_case(of: Production) -> list[Case]:
    """Record nights without a fault and return every case of the calls that they have in common."""
    nights = []
    for _ in range(RECORDINGS):
        of.back_up()
        night = of.night()
        assert night.status == "SUCCEEDED", night
        nights.append(night.calls)
    return cases(nights[1:])


def sweep(only: list[str]) -> Iterator[Judged]:
    """Run every case whose id contains one of these patterns, on a local cloud of its own."""
    with production() as place:
        for case in every_case(place):
            if any(fnmatchcase(case.case_id, f"*{pattern}*") for pattern in only):
                yield judge(place, case)
