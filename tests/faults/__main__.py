"""`./test.sh --faults`: every case of the sweep, on a few local clouds at once, with a table at the end."""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path

from tests.faults.cases import Case
from tests.faults.judges import observer
from tests.faults.laboratory import laboratory
from tests.faults.pool import bench, run_all
from tests.faults.report import report
from tests.faults.sharing.sweep import sweep as sweep_sharing
from tests.faults.situations import SITUATIONS
from tests.faults.sweep import RIGHT, Judged, Verdict
from utils.words import counted

SHARING = "sharing"


def main() -> int:
    """Run the sweep; 0 only if every case came out right."""
    options = _options()
    is_right = _sharing_is_right(options.only, options.results) if SHARING in options.situations else True
    if options.situations == [SHARING]:
        return 0 if is_right else 1
    return 0 if _pipeline_is_right(options) and is_right else 1


def _sharing_is_right(only: list[str], results: Path | None) -> bool:
    """Sweep the state machine in production's account, if a case of it is wanted."""
    if not any(pattern == "" or pattern.startswith((SHARING, "*")) for pattern in only):
        return True
    _say("Sweeping the sharing of snapshots, on a local cloud of its own")
    judged = []
    for found in sweep_sharing(only):
        judged.append(found)
        _write(results, found.case.case_id, found.verdict, found.problems)
        if not found.is_right:
            _say(str(found))
    wrong = sum(not found.is_right for found in judged)
    _say(f"{SHARING}: {counted(len(judged), 'case')}, {wrong} of them wrong or not reached")
    return wrong == 0


def _pipeline_is_right(options: argparse.Namespace) -> bool:
    started = time.monotonic()
    with ExitStack() as stack, ThreadPoolExecutor(options.clouds) as pool:
        _say(f"Starting {options.clouds} local cloud(s)")
        clouds = list(pool.map(lambda _: stack.enter_context(laboratory()), range(options.clouds)))
        _say("Recording runs without a fault")
        wanted_situations = [item for item in SITUATIONS if item.name in options.situations]
        benches = list(pool.map(lambda cloud: bench(cloud, wanted_situations), clouds))
        recorded = benches[0].fault_free.values()
        wanted = [
            case for case in benches[0].cases if any(fnmatchcase(case.case_id, f"*{only}*") for only in options.only)
        ]
        for one in recorded:
            of_it = [case for case in wanted if case.situation == one.situation.name]
            trips = counted(len(one.round_trips), "database round trip")
            _say(f"{one.situation.name}: {counted(len(one.locations), 'call')}, {trips}, {counted(len(of_it), 'case')}")
        before = right_before(options.results, wanted)
        if before:
            _say(f"{len(before)} of them came out right before, and are not run again")
        done = {item.case for item in before}
        judged = before + run_all(
            benches,
            [case for case in wanted if case not in done],
            at_once=options.at_once,
            tell=_Teller(len(wanted), len(before), options.results),
            give_up=started + options.minutes * 60,
        )
        calls = [call for cloud in clouds for call in cloud.changes()]
        failed = frozenset[str]().union(*(cloud.failed_clusters() for cloud in clouds))
        uncopied = frozenset[str]().union(*(cloud.uncopied_operations() for cloud in clouds))
    broken = observer.violations(calls, failed=failed, uncopied=uncopied)
    sys.stdout.write("\n" + "\n".join(report(judged, broken, len(calls))) + "\n")
    left = len(wanted) - sum(not item.case.also for item in judged)
    _say(f"{(time.monotonic() - started) / 60:.1f} minutes; {left} cases were not run")
    return not left and not broken and all(item.verdict in RIGHT for item in judged)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test.sh --faults")
    parser.add_argument(
        "--only", metavar="PATTERN", nargs="+", default=[""], help="parts of cases' ids; * stands for anything"
    )
    names = [SHARING, *(item.name for item in SITUATIONS)]
    parser.add_argument(
        "--situations", metavar="NAME", nargs="+", default=names, choices=names,
        help="only these, with what the others sweep in their stead",
    )  # fmt: skip
    parser.add_argument("--clouds", type=int, default=2, help="local clouds (2)")
    parser.add_argument("--at-once", type=int, default=6, help="runs at once in each (6)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no further case after so many")
    parser.add_argument(
        "--results", metavar="FILE", type=Path, help="write a JSON line for every case; what FILE has as right is done"
    )
    return parser.parse_args()


def right_before(results: Path | None, wanted: list[Case]) -> list[Judged]:
    """Return what an earlier sweep of the same code, stopped half-way, wrote down as right."""
    lines = results.read_text().splitlines() if results and results.exists() else []
    verdicts = {line["case"]: line["verdict"] for line in map(json.loads, lines)}
    found = ((case, verdicts.get(case.case_id)) for case in wanted)
    return [Judged(case=case, verdict=Verdict(verdict)) for case, verdict in found if verdict in RIGHT]


class _Teller:
    """Tells how far the sweep is."""

    def __init__(self, of: int, done: int, results: Path | None) -> None:
        self._of, self._results, self._done = of, results, done

    def __call__(self, result: Judged) -> None:
        self._done += not result.case.also
        faults = " ".join(one.case_id for one in result.case.faults)  # several where only together they are wrong
        _write(self._results, faults, result.verdict, result.problems)
        if result.verdict in (Verdict.WRONG, Verdict.NOT_REACHED) or self._done % 50 == 0:
            _say(f"{self._done}/{self._of} {result.verdict} {faults}", *result.problems)


def _write(results: Path | None, case: str, verdict: str, problems: list[str]) -> None:
    """Add a line to the file of results."""
    if results:
        with results.open("a") as file:
            file.write(json.dumps({"case": case, "verdict": verdict, "problems": problems}) + "\n")


def _say(*lines: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} " + "\n         ".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
