"""The part of the sweep that `./test.sh` runs: every step of every situation, every kind of fault, always the same."""

import os
import random
from collections.abc import Iterable, Sequence

from tests.faults.cases import Case, RoundTrip
from tests.faults.kinds import KINDS, SQL_KINDS
from tests.faults.packing import Step, step_of
from tests.faults.situations import LATER_SITUATIONS, SITUATIONS, Situation

LATER_IN_THE_SAMPLE = 1
STOPPED_LATER = 4


def sampled_situations() -> list[Situation]:
    """Return the first situations and one of the later ones, by FAULTS_SEED another."""
    seed = os.environ.get("FAULTS_SEED", "0")
    chosen = random.Random(seed).sample(LATER_SITUATIONS, LATER_IN_THE_SAMPLE)  # noqa: S311 - the same for a seed
    return [item for item in SITUATIONS if item not in LATER_SITUATIONS or item in chosen]


def sample(cases: Iterable[Case]) -> list[Case]:
    """Return cases that have every step of every situation, and every kind."""
    every = list(cases)
    return [*_at_the_database(every), *_at_every_step(every)]


def find(cases: Iterable[Case], step: str, operation: str, kind: str) -> Case:
    """Return the first case of a kind at a call of a step."""
    return next(
        case
        for case in cases
        if (case.location.step, case.kind.name) == (step, kind) and f"-{operation}/" in case.case_id
    )


def steps_of(cases: Iterable[Case]) -> set[Step]:
    """Return the steps at which cases are, each with its situation."""
    return {step_of(case) for case in cases}


def _at_every_step(every: Sequence[Case]) -> list[Case]:
    """Choose for each step, in the order in which a run comes to them, a kind that was chosen least often so far."""
    chosen: list[Case] = []
    # What stops a run costs two.
    often = {kind: STOPPED_LATER if kind.is_permanent else 0 for kind in KINDS}
    for step in dict.fromkeys(step_of(case) for case in every if not isinstance(case.location, RoundTrip)):
        here = [case for case in every if step_of(case) == step and not isinstance(case.location, RoundTrip)]
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
        of_steps = list(dict.fromkeys(step_of(case) for case in of_kind))
        at = [case for case in of_kind if step_of(case) == of_steps[number % len(of_steps)]]
        chosen.append(at[len(at) * (number + 1) // (len(SQL_KINDS) + 1)])
    return chosen
