"""Runs many cases at once, each on a lane of its own, in one or several laboratories."""

import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tests.faults.cases import Case
from tests.faults.laboratory import Laboratory, Lanes
from tests.faults.situations import SITUATIONS, Situation
from tests.faults.sweep import RECORDINGS, Baseline, Judged, Verdict, baseline, judge

MOST_TRIES = 3
RECORDED_AT_ONCE = 2
Waiting = queue.SimpleQueue[Case]


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
    cases: Sequence[Case],
    *,
    at_once: int,
    waiting_at_once: int,
    tell: Callable[[Judged], None] = lambda _: None,
    give_up: float = float("inf"),
) -> list[Judged]:
    """Run the cases, `at_once` on each bench, and beside them those that mostly wait; no new one after `give_up`."""
    quick, slow = Waiting(), Waiting()
    for case in cases:
        (slow if any(one.kind.is_slow for one in case.faults) else quick).put(case)
    judged: list[Judged] = []
    lock = threading.Lock()

    def work(bench: Bench, waiting: Waiting) -> None:
        while time.monotonic() < give_up:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                return
            result = run_one(bench, case)
            with lock:
                judged.append(result)
                tell(result)

    with ThreadPoolExecutor(len(benches) * (at_once + waiting_at_once)) as pool:
        jobs = [
            pool.submit(work, bench, waiting)
            for bench in benches
            for waiting, number in ((quick, at_once), (slow, waiting_at_once))
            for _ in range(number)
        ]
        for job in jobs:
            job.result()
    return judged


def run_one(bench: Bench, case: Case) -> Judged:
    """Run a case; again if a run looked less often than the recorded one, so that the fault was not met."""
    for _ in range(MOST_TRIES):
        with bench.lanes.lent() as lane:
            result = judge(bench.laboratory, lane, case, bench.fault_free[case.situation])
            if result.verdict in (Verdict.WRONG, Verdict.NOT_REACHED):  # there may still be a fault that waits
                bench.lanes.give_up(lane)
            else:
                bench.laboratory.tidy(lane)
        if result.verdict is not Verdict.NOT_REACHED:
            break
    return result
