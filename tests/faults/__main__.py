"""`python -m tests.faults`: every case of the sweep, on a few local clouds at once, with a table at the end."""

import argparse
import json
import queue
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path

from tests.faults import observer
from tests.faults.cases import KINDS, SQL_KINDS, Case
from tests.faults.laboratory import Laboratory, Lanes, laboratory
from tests.faults.sweep import Baseline, Judged, Verdict, baseline, judge
from tests.integration.outcome import ApiCall

MOST_TRIES = 3
SHORT = {"throttled-until-given-up": "throttled x4", "unavailable-until-given-up": "unavailable x4"}


def main() -> int:
    """Run the sweep; 0 only if every case came out right."""
    options = _options()
    started = time.monotonic()
    with ExitStack() as stack:
        _say(f"Starting {options.clouds} local cloud(s)")
        with ThreadPoolExecutor(options.clouds) as pool:
            clouds = list(pool.map(lambda _: stack.enter_context(laboratory()), range(options.clouds)))
        _say("Recording two runs without a fault in each")
        with ThreadPoolExecutor(options.clouds) as pool:
            lanes = [Lanes(cloud) for cloud in clouds]
            baselines = list(pool.map(_record, clouds, lanes))
        wanted = [case for case in baselines[0].cases if fnmatchcase(case.case_id, f"*{options.only}*")]
        _say(
            f"{len(baselines[0].locations)} calls and {len(baselines[0].round_trips)} round trips to the database recorded, {len(wanted)} cases"
        )
        judged = _run_all(list(zip(clouds, lanes, baselines, strict=True)), wanted, options)
        broken = [line for cloud in clouds for line in observer.violations(journal(cloud))]
        changes = sum(call.is_change and bool(call.by_function) for cloud in clouds for call in journal(cloud))
    _report(judged, broken, changes, time.monotonic() - started)
    wrong = [item for item in judged if item.verdict is Verdict.WRONG]
    return 1 if wrong or broken or len(judged) < len(wanted) else 0


def journal(cloud: Laboratory) -> list[ApiCall]:
    """Read every call to a cloud's Aurora from the journal's file."""
    lines = (cloud.cloud.run_dir / "aurora" / "journal.jsonl").read_text().splitlines()
    return [ApiCall(**json.loads(line)) for line in lines]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test.sh --faults")
    parser.add_argument("--only", default="", help="part of a case's id, * for anything")
    parser.add_argument("--clouds", type=int, default=2, help="local clouds (2)")
    parser.add_argument("--at-once", type=int, default=3, help="cases at once in each (3)")
    parser.add_argument("--waiting", type=int, default=10, help="cases at once in each that mostly wait (10)")
    parser.add_argument("--minutes", type=float, default=0, help="start no further case after so many minutes")
    parser.add_argument("--results", type=Path, help="write a JSON line for every case")
    return parser.parse_args()


def _record(cloud: Laboratory, lanes: Lanes) -> Baseline:
    with lanes.lent() as lane:
        return baseline(cloud, lane)


def _run_all(
    clouds: list[tuple[Laboratory, Lanes, Baseline]], wanted: list[Case], options: argparse.Namespace
) -> list[Judged]:
    quick: queue.SimpleQueue[Case] = queue.SimpleQueue()
    slow: queue.SimpleQueue[Case] = queue.SimpleQueue()
    for case in wanted:
        (slow if case.kind.is_slow else quick).put(case)
    judged: list[Judged] = []
    lock = threading.Lock()
    give_up = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")

    def work(cloud: Laboratory, lanes: Lanes, fault_free: Baseline, waiting: "queue.SimpleQueue[Case]") -> None:
        while time.monotonic() < give_up:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                return
            result = _tried(cloud, lanes, case, fault_free)
            with lock:
                judged.append(result)
                _tell(result, len(judged), len(wanted), options)

    with ThreadPoolExecutor(options.clouds * (options.at_once + options.waiting)) as pool:
        jobs = [
            pool.submit(work, *cloud, waiting)
            for cloud in clouds
            for waiting, at_once in ((quick, options.at_once), (slow, options.waiting))
            for _ in range(at_once)
        ]
        for job in jobs:
            job.result()
    return judged


def _tried(cloud: Laboratory, lanes: Lanes, case: Case, fault_free: Baseline) -> Judged:
    """Run a case; again if a run looked less often than the recorded one, so that the fault was not met."""
    for _ in range(MOST_TRIES):
        with lanes.lent() as lane:
            result = judge(cloud, lane, case, fault_free)
            if result.verdict in (Verdict.WRONG, Verdict.NOT_REACHED):  # there may still be a fault that waits
                lanes.give_up(lane)
        if result.verdict is not Verdict.NOT_REACHED:
            break
    return result


def _tell(result: Judged, done: int, of: int, options: argparse.Namespace) -> None:
    if options.results:
        with options.results.open("a") as file:
            line = {"case": result.case.case_id, "verdict": result.verdict, "problems": result.problems}
            file.write(json.dumps(line) + "\n")
    if result.verdict is Verdict.WRONG:
        _say(f"{done}/{of} WRONG {result.case.case_id}", *result.problems)
    elif result.verdict is Verdict.NOT_REACHED or done % 20 == 0 or done == of:
        _say(f"{done}/{of} {result.verdict} {result.case.case_id}")


def _report(judged: list[Judged], broken: list[str], changes: int, seconds: float) -> None:
    counted = Counter((item.case.location.step, item.case.kind.name, item.verdict) for item in judged)
    steps = list(dict.fromkeys(item.case.location.step for item in judged))
    names = [kind.name for kind in (*KINDS, *SQL_KINDS)]
    right = (Verdict.SURVIVED, Verdict.RESUMED)

    def cell(step: str, kind: str) -> str:
        good = sum(counted[(step, kind, verdict)] for verdict in right)
        injected = good + counted[(step, kind, Verdict.WRONG)]
        return f"{good}/{injected}" if injected else "-"

    print(
        f"\n{'faults with the right outcome / injected':<42}"
        + "".join(f"{SHORT.get(name, name):>15}" for name in names)
    )
    for step in steps:
        print(f"{step:<42}" + "".join(f"{cell(step, name):>15}" for name in names))
    totals = Counter(item.verdict for item in judged)
    injected = len(judged) - totals[Verdict.NOT_REACHED]
    good = sum(totals[verdict] for verdict in right)
    print(f"\n{injected} faults injected, {good} with the right outcome: {totals[Verdict.SURVIVED]} survived,"
          f" {totals[Verdict.RESUMED]} stopped cleanly and resumed; {totals[Verdict.WRONG]} wrong;"
          f" {totals[Verdict.NOT_REACHED]} not reached")  # fmt: skip
    print(f"{len(broken)} violations of an invariant in {changes} changes; {seconds / 60:.1f} minutes")
    for item in judged:
        if item.verdict is Verdict.WRONG:
            print(f"WRONG {item.case.case_id}", *item.problems, sep="\n      ")
    for line in broken:
        print(f"VIOLATION {line}")


def _say(*lines: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} " + "\n         ".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main())
