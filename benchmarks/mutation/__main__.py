"""Changes a sample of the product's lines, one at a time and never on disk, and runs the tests that run each line.

Needs the development environment (./test.sh makes it):
.local/envs/dev/bin/python -m benchmarks.mutation --help
"""

import argparse
import random
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.mutation.changes import Change, changes_of
from benchmarks.mutation.coverage_map import CoverageMap, record
from benchmarks.mutation.trial import Verdict, load_what_is_heavy, start, wait

_ROOT = Path(__file__).parents[2]
_COVERAGE = _ROOT / ".local/mutation/coverage"
_SECONDS = 600.0
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
    arguments = parser.parse_args()
    if arguments.record is not None:
        record(_ROOT, _COVERAGE, arguments.record or _TESTS)
    by_room = _sample(arguments.seed, arguments.of_each_room, arguments.only, arguments.rooms)
    found = defaultdict[str, Counter[Verdict]](Counter)
    tests_for = (lambda _: arguments.tests) if arguments.tests else CoverageMap(_ROOT, _COVERAGE).tests_for
    load_what_is_heavy()
    with tempfile.TemporaryDirectory() as logs:
        for room, changes in by_room.items():
            for change in changes:
                began = time.monotonic()
                tests = tests_for(change)
                log = Path(logs, "log")
                verdict = wait(start(change, tests, log), log, _SECONDS) if tests else Verdict.UNCOVERED
                found[room][verdict] += 1
                print(f"{verdict:14} {change} ({len(tests)} tests, {time.monotonic() - began:.0f} s)", flush=True)
    _print_scores(found)


def _sample(seed: int, of_each: int, only: str, rooms: list[str] | None) -> dict[str, list[Change]]:
    by_room: dict[str, list[Change]] = defaultdict(list)
    for path in sorted((*_ROOT.glob("utils/**/*.py"), *_ROOT.glob("lambda_functions/*/*.py"))):
        if rooms is None or _room_of(path) in rooms:
            by_room[_room_of(path)] += [change for change in changes_of(path, _ROOT) if only in str(change)]
    draw = random.Random(seed)  # noqa: S311 - a sample
    drawn = {room: draw.sample(changes, len(changes))[:of_each] for room, changes in by_room.items()}
    return {room: changes for room, changes in drawn.items() if changes}


def _room_of(path: Path) -> str:
    parts = path.relative_to(_ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "utils" and len(parts) > 2 else parts[0]


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
