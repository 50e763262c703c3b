"""The part of the sweep that `./test.sh` runs: every step of every situation, every kind of fault, always the same."""

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tests.faults.cases import Case, RoundTrip
from tests.faults.kinds import KINDS, SQL_KINDS, Kind
from tests.faults.situations import LATER_SITUATIONS, SITUATIONS, Situation

# A run of the sample meets so many faults at most, each at another step: most of its cost is that of the run.
MOST_FAULTS = 6
LATER_IN_THE_SAMPLE = 1
Step = tuple[str, str]


def sampled_situations() -> list[Situation]:
    """Return the first situations and one of the later ones, by FAULTS_SEED another."""
    seed = os.environ.get("FAULTS_SEED", "0")
    chosen = random.Random(seed).sample(LATER_SITUATIONS, LATER_IN_THE_SAMPLE)  # noqa: S311 - the same for a seed
    return [item for item in SITUATIONS if item not in LATER_SITUATIONS or item in chosen]


def sample(cases: Iterable[Case]) -> list[Case]:
    """Return cases that have every step of every situation, and every kind."""
    every = list(cases)
    return _in_few_runs([*_at_the_database(every), *_at_every_step(every)])


def find(cases: Iterable[Case], step: str, operation: str, kind: str) -> Case:
    """Return the first case of a kind at a call of a step."""
    return next(
        case
        for case in cases
        if (case.location.step, case.kind.name) == (step, kind) and f"-{operation}/" in case.case_id
    )


def steps_of(cases: Iterable[Case]) -> set[Step]:
    """Return the steps at which cases are, each with its situation."""
    return {_step(one) for case in cases for one in case.faults}


def _at_every_step(every: Sequence[Case]) -> list[Case]:
    """Choose for each step, in the order in which a run comes to them, a kind that was chosen least often so far."""
    chosen: list[Case] = []
    often = dict.fromkeys(KINDS, 0)
    for step in dict.fromkeys(_step(case) for case in every if not isinstance(case.location, RoundTrip)):
        here = [case for case in every if _step(case) == step and not isinstance(case.location, RoundTrip)]
        kind = min(KINDS, key=lambda kind: often[kind])
        often[kind] += 1
        chosen.append(_essential([case for case in here if case.kind == kind]))
    return chosen


def _essential(here: Sequence[Case]) -> Case:
    """Choose the step's last change of something in AWS, or else the middle of its calls."""
    # How often a step looks, and so how often it writes an entry, is another in each run.
    lasting = [case for case in here if not case.location.is_audit_row] or here
    first = [case for case in lasting if case.case_id.split("/")[3] == "1"] or lasting
    changes = [case for case in first if case.location.call.startswith(_CHANGES)]
    return changes[-1] if changes else first[len(first) // 2]


_CHANGES = tuple(f"rds:{word}" for word in ("Add", "Copy", "Create", "Delete", "Modify", "Restore", "Start", "Stop"))


def _at_the_database(every: Sequence[Case]) -> list[Case]:
    trips = [case for case in every if isinstance(case.location, RoundTrip)]
    chosen = []
    for number, kind in enumerate(SQL_KINDS):
        of_kind = [case for case in trips if case.kind == kind]
        of_steps = list(dict.fromkeys(_step(case) for case in of_kind))
        at = [case for case in of_kind if _step(case) == of_steps[number % len(of_steps)]]
        chosen.append(at[len(at) * (number + 1) // (len(SQL_KINDS) + 1)])
    return chosen


def _in_few_runs(chosen: Sequence[Case]) -> list[Case]:
    """Let as few runs as may be meet the chosen faults: no two of one at a step, none beside one that stops it."""
    runs: list[list[Case]] = []
    for case in chosen:
        fitting = (run for run in runs if _fits(case, run))
        run = next(fitting, None)
        if run is None:
            runs.append([case])
        else:
            run.append(case)
    return [replace(first, also=tuple(others)) for first, *others in runs]


def _fits(case: Case, run: Sequence[Case]) -> bool:
    kinds: list[Kind] = [case.kind, *(one.kind for one in run)]
    return (
        len(run) < MOST_FAULTS
        and case.situation == run[0].situation
        and case.location.step not in {one.location.step for one in run}
        and not any(kind.is_permanent for kind in kinds)
    )


def _step(case: Case) -> Step:
    return case.situation, f"{case.location.step}{case.location.of}"
