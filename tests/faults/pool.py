"""Runs many cases at once, each on a lane of its own, in one or several laboratories."""

import queue
import random
import time
import traceback
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tests.faults.cases import Case
from tests.faults.laboratory import Laboratory, Lanes
from tests.faults.packing import Density, in_few_runs
from tests.faults.situations import SITUATIONS, Situation
from tests.faults.sweep import RECORDINGS, RIGHT, Baseline, Judged, Verdict, baseline, judge

MOST_TRIES = 3
RECORDED_AT_ONCE = 2


@dataclass(frozen=True)
class Bench:
    """A laboratory that is ready for cases; what is fault-free, by its situation's name."""

    laboratory: Laboratory
    lanes: Lanes
    fault_free: dict[str, Baseline]

    @property
    def cases(self) -> list[Case]:
        """Every case once: what an earlier situation has is not swept in a later one."""
        return [case for found in self.fault_free.values() for case in found.cases]


def bench(laboratory: Laboratory, situations: Sequence[Situation] = SITUATIONS, recordings: int = RECORDINGS) -> Bench:
    """Record every situation without a fault."""
    lanes = Lanes(laboratory)

    def recorded(situation: Situation) -> Baseline:
        with lanes.lent() as lane:
            return baseline(laboratory, lane, situation, recordings)

    with ThreadPoolExecutor(RECORDED_AT_ONCE) as pool:
        found = list(pool.map(recorded, situations))
    return Bench(laboratory, lanes, {one.situation.name: one for one in each_once(found)})


def each_once(found: Sequence[Baseline]) -> list[Baseline]:
    """Leave every call, and every round trip, to the first situation that has it."""
    seen: set[Hashable] = set()
    result = []
    for one in found:
        situation = one.situation
        fresh = [location for location in one.locations if situation.sameness(location) not in seen]
        seen |= {situation.sameness(location) for location in fresh}
        known = {(situation.undoes, trip.step) in seen for trip in one.round_trips} == {True}
        seen |= {(situation.undoes, trip.step) for trip in one.round_trips}
        result.append(replace(one, locations=fresh, round_trips=[] if known else one.round_trips))
    return result


def run_all(
    benches: Sequence[Bench],
    cases: Iterable[Case],
    *,
    at_once: int,
    tell: Callable[[Judged], None] = lambda _: None,
    give_up: float = float("inf"),
) -> list[Judged]:
    """Run the cases, `at_once` runs on each bench; no new run after `give_up`.

    At first a run meets many faults. Those of a run that was wrong, and those that it did not meet, are met again by
    runs with fewer, in the end by one alone, whose verdict it is. What was wrong only together is returned as well.
    """
    left, judged, wrong_together = list(cases), list[Judged](), list[Judged]()
    for density in Density:
        left_now, left = left, []
        runs = in_few_runs(left_now, density)
        random.Random(0).shuffle(runs)  # noqa: S311 - so that the beginning of the sweep has everything in it
        for result in _run(benches, runs, at_once, give_up):
            again, done = _parted(result)
            left += again
            if again and result.verdict is Verdict.WRONG:
                wrong_together.append(result)
                tell(result)
            for one in done:
                judged.append(one)
                tell(one)
    wrong_alone = {one.case.case_id for one in judged if one.verdict is Verdict.WRONG}
    unexplained = (run for run in wrong_together if not wrong_alone & {one.case_id for one in run.case.faults})
    return [*judged, *unexplained]


def _parted(result: Judged) -> tuple[list[Case], list[Judged]]:
    """Return which cases of a run are to be run again, and the others with their verdicts."""
    met, missed = _each(result.case.faults), _each(result.missed)
    if len({*met, *missed}) == 1:
        return [], [result]
    if result.verdict not in RIGHT:
        return list(dict.fromkeys(met + missed)), []
    return missed, [replace(result, case=one) for one in met]


def _each(faults: Iterable[Case]) -> list[Case]:
    return [replace(one, also=()) for one in faults]


def _run(benches: Sequence[Bench], runs: Sequence[Case], at_once: int, give_up: float) -> Iterator[Judged]:
    """Yield the results of runs as they come."""
    waiting, results = queue.SimpleQueue[Case](), queue.SimpleQueue[Judged | None]()
    for case in runs:
        waiting.put(case)

    def work(bench: Bench) -> None:
        try:
            while time.monotonic() < give_up:
                results.put(run_one(bench, waiting.get_nowait()))
        except queue.Empty:
            pass
        finally:
            results.put(None)

    at_work = len(benches) * at_once
    with ThreadPoolExecutor(at_work) as pool:
        jobs = [pool.submit(work, bench) for bench in benches for _ in range(at_once)]
        while at_work:
            result = results.get()
            if result is None:
                at_work -= 1
            else:
                yield result
        for job in jobs:
            job.result()


def run_one(bench: Bench, case: Case) -> Judged:
    """Run a case; a single fault again if the run looked less often than the recorded one, and so did not meet it."""
    for _ in range(1 if case.also else MOST_TRIES):
        result = _judged(bench, case)
        if result.verdict is not Verdict.NOT_REACHED:
            break
    return result


def _judged(bench: Bench, case: Case) -> Judged:
    try:
        with bench.lanes.lent() as lane:
            result = judge(bench.laboratory, lane, case, bench.fault_free[case.situation])
            if result.verdict is Verdict.WRONG:
                bench.lanes.give_up(lane)
            else:
                bench.laboratory.tidy(lane)
    except Exception as error:  # noqa: BLE001 - whatever could not be judged is told as wrong, and the sweep goes on
        return Judged(case=case, verdict=Verdict.WRONG, problems=traceback.format_exception(error))
    return result
