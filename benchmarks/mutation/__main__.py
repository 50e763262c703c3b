"""Changes a sample of the product's lines, one at a time and never on disk, and runs the tests that run each line.

Needs the development environment (./test.sh makes it):
.local/envs/dev/bin/python -m benchmarks.mutation --help
"""

import argparse
import itertools
import json
import os
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.mutation.changes import Change, changes_of
from benchmarks.mutation.coverage_map import FOLDERS, CoverageMap, record
from benchmarks.mutation.trial import Verdict, load_what_is_heavy, start, wait
from benchmarks.mutation.warm import Trial, Warm

_ROOT = Path(__file__).parents[2]
_COVERAGE = _ROOT / ".local/mutation/coverage"
_TESTS = ("tests/unit", "tests/traps")


def main() -> None:
    """Draw the sample, try it, and print the score of every room and what survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026, help="of the sample (default 2026)")
    parser.add_argument("--of-each-room", type=int, default=20, metavar="N", help="changes to try (default 20)")
    parser.add_argument("--rooms", nargs="+", metavar="ROOM", help="such as utils/steps (default: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="changes whose line in the output contains it")
    parser.add_argument("--tests", nargs="+", metavar="TESTS", help="tests to run on each, whatever lines they run")
    parser.add_argument("--record", nargs="*", metavar="TESTS", help="run the tests (all of unit) under coverage first")
    parser.add_argument(
        "--seconds",
        type=float,
        default=120.0,
        help="for each change: the quickest tests that fit into it (default 120)",
    )
    arguments = parser.parse_args()
    if arguments.record is not None:
        record(_ROOT, _COVERAGE, arguments.record or _TESTS)
    by_room = _sample(arguments.seed, arguments.of_each_room, arguments.only, arguments.rooms)
    changes = [change for room in by_room.values() for change in room]
    load_what_is_heavy()
    if arguments.tests:
        verdicts = _cold([Trial(change=change, tests=arguments.tests, seconds=600) for change in changes])
    else:
        covered = CoverageMap(_ROOT, _COVERAGE)
        verdicts = _tried([_trial(change, covered, arguments.seconds) for change in changes])
    found = defaultdict[str, Counter[Verdict]](Counter)
    for trial, verdict, seconds, why in verdicts:
        found[_room_of(Path(trial.change.path))][verdict] += 1
        number = f"{len(trial.tests)} of {len(trial.tests) + trial.left_out} tests"
        told = f"{number}, {seconds:.1f} s{f'; {why}' if why else ''}"
        print(f"{verdict:14} {trial.change} ({told})", flush=True)
    _print_scores({room: found[room] for room in by_room})


Told = Iterator[tuple[Trial, Verdict, float, str]]


def _trial(change: Change, covered: CoverageMap, most: float) -> Trial:
    every = covered.tests_for(change)
    sums = itertools.accumulate(map(covered.seconds_of, every))
    tests = [test for test, seconds in zip(every, sums, strict=True) if seconds < most] or every[:1]
    seconds = 30 + 4 * sum(map(covered.seconds_of, tests))
    left_out, at_import = len(every) - len(tests), covered.runs_at_import(change)
    return Trial(change=change, tests=tests, left_out=left_out, seconds=seconds, at_import=at_import)


def _tried(trials: Sequence[Trial]) -> Told:
    for trial in trials:
        if not trial.tests:
            yield trial, Verdict.UNCOVERED, 0.0, ""
    covered = [trial for trial in trials if trial.tests]
    cold = []
    for trial, verdict, seconds, why in _warm(covered):
        if verdict is None:
            cold.append(trial)
        else:
            yield trial, verdict, seconds, why
    yield from _cold(cold)


def _warm(trials: Sequence[Trial]) -> Iterator[tuple[Trial, Verdict | None, float, str]]:
    """Let one process that has collected the tests try them; the verdict is None where only an import can tell."""
    files = sorted({test.partition("::")[0] for trial in trials for test in trial.tests})
    if not files:
        return
    with tempfile.TemporaryDirectory() as folder:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _collect_and_try(trials, files, writing, Path(folder))
        os.close(writing)
        with os.fdopen(reading) as lines:
            for line in lines:
                number, verdict, seconds, why = json.loads(line)
                yield trials[number], verdict and Verdict(verdict), seconds, why
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise RuntimeError(f"the tests do not run: {Path(folder, 'output').read_text()[-2000:]}")


def _collect_and_try(trials: Sequence[Trial], files: Sequence[str], writing: int, folder: Path) -> None:
    code = 1
    try:
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        os.dup2(output, 1)
        os.dup2(output, 2)
        warm = Warm(trials, writing, folder / "why")
        code = int(pytest.main(["-q", "-p", "no:cacheprovider", "--tb=line", *files], plugins=[warm]))
    finally:
        os._exit(code)


def _cold(trials: Sequence[Trial]) -> Told:
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs, "log")
        for trial in trials:
            began = time.monotonic()
            verdict = wait(start(trial.change, trial.tests, log), log, trial.seconds + 60)
            yield trial, verdict, time.monotonic() - began, "imported"


def _sample(seed: int, of_each: int, only: str, rooms: list[str] | None) -> dict[str, list[Change]]:
    by_room: dict[str, list[Change]] = defaultdict(list)
    for path in sorted(path for folder in FOLDERS for path in _ROOT.glob(f"{folder}/**/*.py")):
        room = _room_of(path.relative_to(_ROOT))
        if rooms is None or room in rooms:
            by_room[room] += [change for change in changes_of(path, _ROOT) if only in str(change)]
    draw = random.Random(seed)  # noqa: S311 - a sample
    drawn = {room: draw.sample(changes, len(changes))[:of_each] for room, changes in by_room.items()}
    return {room: changes for room, changes in drawn.items() if changes}


def _room_of(path: Path) -> str:
    parts = path.parts
    if parts[0] != "utils":
        return parts[0]
    deep = 3 if parts[:2] == ("utils", "database") else 2
    return "/".join(parts[:deep] if len(parts) > deep else parts[: len(parts) - 1])


def _print_scores(found: dict[str, Counter[Verdict]]) -> None:
    print("\n| room | changes | noticed | survived | run by no test | out of time |\n|---|---:|---:|---:|---:|---:|")
    total = Counter[Verdict]()
    for room, counts in found.items():
        total += counts
        print(_row(f"`{room}`", counts))
    print(_row("all", total))


def _row(name: str, counts: Counter[Verdict]) -> str:
    number = counts.total()
    share = f"{counts[Verdict.NOTICED] / number:.0%}" if number else "-"
    others = " | ".join(str(counts[verdict]) for verdict in Verdict if verdict is not Verdict.NOTICED)
    return f"| {name} | {number} | {share} | {others} |"


if __name__ == "__main__":
    main()
