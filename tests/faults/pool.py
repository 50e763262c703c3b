"""Runs many cases at once, each on a lane of its own, in one or several laboratories."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.faults.cases import Case
from tests.faults.laboratory import Laboratory, Lanes
from tests.faults.sweep import Baseline, Judged, Verdict, baseline, judge

MOST_TRIES = 3
Waiting = queue.SimpleQueue[Case]


@dataclass(frozen=True)
class Bench:
    """A laboratory that is ready for cases."""

    laboratory: Laboratory
    lanes: Lanes
    fault_free: Baseline


def bench(laboratory: Laboratory) -> Bench:
    """Record runs without a fault."""
    lanes = Lanes(laboratory)
    with lanes.lent() as lane:
        return Bench(laboratory, lanes, baseline(laboratory, lane))


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
        (slow if case.kind.is_slow else quick).put(case)
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
            result = judge(bench.laboratory, lane, case, bench.fault_free)
            if result.verdict in (Verdict.WRONG, Verdict.NOT_REACHED):  # there may still be a fault that waits
                bench.lanes.give_up(lane)
        if result.verdict is not Verdict.NOT_REACHED:
            break
    return result
