"""Lets few runs meet many faults: most of a fault's cost is that of the run which meets it."""

import enum
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.faults.cases import Case, RoundTrip, together
from tests.faults.situations import SITUATIONS

# At so many steps a run meets faults at most, and so often it is stopped and resumed.
MOST_STEPS, MOST_STOPS = 10, 6
Step = tuple[str, str]
# Gone on with, such a run comes to another end, or does not tell that it stopped but why it takes back.
_NEVER_AGAIN = {item.name for item in SITUATIONS if item.takes_back}


class Density(enum.Enum):
    """How close faults are: several at a step, each in another try of it or unnoticed by it; one at a step; one."""

    SEVERAL_AT_A_STEP = enum.auto()
    ONE_AT_A_STEP = enum.auto()
    ALONE = enum.auto()


class Effect(enum.Enum):
    """What a fault does to its step."""

    ABSORBED = enum.auto()
    SLOW = enum.auto()
    KILLED = enum.auto()
    BROKEN_OFF = enum.auto()
    BROKEN_OFF_AT_DATABASE = enum.auto()


# So many a step can meet in a run: of what ends a try of it, fewer than its retrier in the state machine has tries.
_MOST = {
    Effect.ABSORBED: 4, Effect.SLOW: 1, Effect.KILLED: 5, Effect.BROKEN_OFF: 5, Effect.BROKEN_OFF_AT_DATABASE: 8,
}  # fmt: skip


def step_of(case: Case) -> Step:
    """Return the step at which a case is, with its situation."""
    return case.situation, f"{case.location.step}{case.location.of}"


def in_few_runs(cases: Iterable[Case], density: Density = Density.SEVERAL_AT_A_STEP) -> list[Case]:
    """Let as few runs as may be meet the faults; what stops a run has none beside it that does not."""
    alone, survived, stopping = list[Case](), defaultdict[str, list[Case]](list), defaultdict[Step, list[Case]](list)
    for case in cases:
        if density is Density.ALONE or (case.kind.is_permanent and case.situation in _NEVER_AGAIN):
            alone.append(case)
        elif case.kind.is_permanent:
            # What stops the clean-up of a drill would stop that of one that stopped as well.
            stopping[case.situation, case.location.of].append(case)
        else:
            survived[case.situation].append(case)
    is_dense = density is Density.SEVERAL_AT_A_STEP
    runs = [run for group in survived.values() for run in _dealt(_lots(group, is_dense), MOST_STEPS)]
    for group in stopping.values():
        # It is resumed at the step where it stopped, which may stop it again.
        runs += _dealt([[(case,)] for case in group] if is_dense else _lots(group, is_dense), MOST_STOPS)
    return runs + alone


Lots = list[tuple[Case, ...]]


def _lots(cases: Sequence[Case], is_dense: bool) -> list[Lots]:
    """Return for each step what it meets in each of its runs."""
    steps = defaultdict[Step, list[Case]](list)
    for case in cases:
        steps[step_of(case)].append(case)
    return [_lots_of_a_step(here) if is_dense else [(case,) for case in here] for here in steps.values()]


def _lots_of_a_step(cases: Sequence[Case]) -> Lots:
    places = {where: place for place, where in enumerate(dict.fromkeys(case.location for case in cases))}
    effects = defaultdict[Effect, list[Case]](list)
    for case in sorted(cases, key=lambda case: places[case.location]):
        effects[_effect(case)].append(case)
    number = max(-(-len(found) // _MOST[effect]) for effect, found in effects.items())
    # Far from each other: a try that is broken off comes past where the one before it was.
    return [tuple(case for found in effects.values() for case in found[start::number]) for start in range(number)]


def _effect(case: Case) -> Effect:
    if case.kind.is_absorbed:
        return Effect.ABSORBED
    if case.kind.is_slow:
        return Effect.SLOW
    if case.kind.kills:
        return Effect.KILLED
    return Effect.BROKEN_OFF_AT_DATABASE if isinstance(case.location, RoundTrip) else Effect.BROKEN_OFF


def _dealt(lots: Sequence[Lots], most: int) -> list[Case]:
    """Deal lots out to runs, at most so many to each, step by step, so that none gets two of a step."""
    runs = max(-(-sum(map(len, lots)) // most), *map(len, lots))
    dealt: list[list[Case]] = [[] for _ in range(runs)]
    for run, lot in zip(itertools.cycle(dealt), itertools.chain.from_iterable(lots), strict=False):
        run += lot
    return [together(faults) for faults in dealt]
