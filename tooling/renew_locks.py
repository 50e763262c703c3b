"""Renews the locks in requirements/ and says what changed: `python3.11 -m tooling.renew_locks --help`.

A lock is what its `.in` file (for npm: package.json) asks for, resolved to the newest that fits, with hashes. A version
that the `.in` file pins stays; the summary says where the index has a newer one, and `--raise` moves the pin.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tooling.environments import REQUIREMENTS, ensure, environment_bin
from tooling.installers import EnvironmentFailed

# What is locked for the oldest Python that the project runs on fits newer ones as well, but not the other way round.
OLDEST_PYTHON = (3, 11)
# The functions' lock first: others are constrained by it.
LOCKS = ("lambda", "dev", "cloud", "sam", "aws", "node", "checkov", "locks", "operator", "uv")
NPM = "npm"
_LOCKED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?P<extras>\[[^\]]*\])?==(?P<version>\S+)$", re.MULTILINE)

Versions = dict[str, str]
Run = Callable[[Sequence[str], Path], str]


class RenewalFailed(Exception):
    """A lock could not be renewed; the message ends with the resolver's last lines."""


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """What one lock held before and holds now."""

    lock: str
    before: Mapping[str, str]
    after: Mapping[str, str]

    def lines(self) -> list[str]:
        """Return a row of Markdown for each package that changed, came or went."""
        names = sorted(self.before.keys() | self.after.keys())
        rows = [(name, self.before.get(name, "-"), self.after.get(name, "-")) for name in names]
        return [f"| {name} | {before} | {after} |" for name, before, after in rows if before != after]


def locked_in(text: str) -> Versions:
    """Return the version of each package in a lock of pip or npm."""
    if not text.startswith("{"):
        return dict(_LOCKED.findall(text))
    packages = json.loads(text)["packages"].items()
    return {path.replace("node_modules/", ""): package["version"] for path, package in packages if path}


def pinned_in(text: str) -> Versions:
    """Return the versions that an `.in` file fixes itself."""
    return {pin["name"]: pin["version"] for pin in _PIN.finditer(text)}


def summary_of(renewals: Sequence[Renewal], newer: Mapping[str, tuple[str, str]]) -> str:
    """Return in Markdown what changed, and which pins have a newer version (pinned, newest)."""
    parts = []
    for renewal in renewals:
        if lines := renewal.lines():
            parts.append("\n".join((f"## {renewal.lock}", "", "| Package | Before | Now |", "|---|---|---|", *lines)))
    if not parts:
        parts.append("No lock changed.")
    if newer:
        rows = [f"- {name} {pinned}: {newest} is there" for name, (pinned, newest) in sorted(newer.items())]
        parts.append("\n".join(("## Pinned, not renewed", "", *rows)))
    return "\n\n".join(parts) + "\n"


class Locks:
    """The locks of a folder, and who resolves them."""

    def __init__(self, folder: Path, run: Run) -> None:
        self._folder, self._run = folder, run

    def renew(self, lock: str) -> Renewal:
        """Resolve one lock anew."""
        path = self._path(lock)
        before = locked_in(path.read_text()) if path.exists() else {}
        if lock == NPM:
            npm = str(environment_bin("node") / "npm")
            self._run([npm, "update", "--package-lock-only", "--ignore-scripts", "--no-audit"], path.parent)
        else:
            # Wheels only: the environments take nothing else, and resolving runs nobody's setup.py.
            pip_compile = str(environment_bin("locks") / "pip-compile")
            self._run([pip_compile, "--upgrade", "--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras",
                       "--no-emit-options", "--pip-args=--only-binary=:all:", f"{lock}.in"],
                      self._folder)  # fmt: skip
        return Renewal(lock=lock, before=before, after=locked_in(path.read_text()))

    def renew_all(self, locks: Sequence[str], raised: Sequence[str] = ()) -> list[Renewal]:
        """Renew locks, with the pins of some packages moved to the newest versions that fit together."""
        asked = {path: path.read_text() for path in self._folder.glob("*.in")}
        pinned = {name for text in asked.values() for name in pinned_in(text)}
        if unknown := set(raised) - pinned:
            raise RenewalFailed(f"found no pin of {', '.join(sorted(unknown))}; pinned are {', '.join(sorted(pinned))}")
        try:
            for path, text in asked.items():
                path.write_text(_repinned(text, dict.fromkeys(raised, "")))
            renewals = [self.renew(lock) for lock in locks]
            asked = {path: _repinned(text, self._locked_for(path, raised)) for path, text in asked.items()}
        finally:
            for path, text in asked.items():
                path.write_text(text)
        return renewals

    def _locked_for(self, asked: Path, packages: Sequence[str]) -> Versions:
        locked = locked_in(asked.with_suffix(".txt").read_text())
        return {name: locked[name] for name in packages if name in locked}

    def newer_than_pinned(self) -> dict[str, tuple[str, str]]:
        """Return the pins for which the index has a newer version: the pinned one and the newest."""
        pins = dict(pin for path in self._folder.glob("*.in") for pin in pinned_in(path.read_text()).items())
        python = str(environment_bin("locks") / "python")
        newest = {name: self._run([python, "-m", "pip", "index", "versions", name], self._folder) for name in pins}
        found = {name: re.match(r"\S+ \((\S+)\)", line) for name, line in newest.items()}
        return {name: (pins[name], match[1]) for name, match in found.items() if match and match[1] != pins[name]}

    def _path(self, lock: str) -> Path:
        return self._folder / ("node/package-lock.json" if lock == NPM else f"{lock}.txt")


def _repinned(text: str, versions: Mapping[str, str]) -> str:
    """Return an `.in` file with other versions in its pins; the empty version takes the pin away."""

    def pin(match: re.Match[str]) -> str:
        version = versions.get(match["name"], match["version"])
        return match["name"] + (match["extras"] or "") + (f"=={version}" if version else "")

    return _PIN.sub(pin, text)


def run(command: Sequence[str], folder: Path) -> str:
    """Run a command in a folder; return what it prints."""
    again = {"CUSTOM_COMPILE_COMMAND": "python3.11 -m tooling.renew_locks"}  # what the lock's first lines say
    paths = {"PATH": f"{environment_bin('node')}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | again | paths, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise RenewalFailed(f"{' '.join(command)} ended with {done.returncode}:\n{tail}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Renew the locks that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python3.11 -m tooling.renew_locks", description=(__doc__ or "").split("\n\n")[1],
        epilog="Look at the summary, then run ./test.sh: it installs what is locked.",
    )  # fmt: skip
    parser.add_argument("locks", nargs="*", metavar="LOCK", help=f"which of {', '.join((*LOCKS, NPM))}; all by default")
    parser.add_argument(
        "--raise",
        action="append",
        default=[],
        metavar="PACKAGE",
        dest="raised",
        help="move its pin, too; may be repeated",
    )
    parser.add_argument("--summary", type=Path, metavar="FILE", help="write what changed there as well")
    given = parser.parse_args(arguments)
    names = [name for name in (*LOCKS, NPM) if name in given.locks or not given.locks]
    if unknown := set(given.locks) - set(names):
        parser.error(f"found {', '.join(sorted(unknown))}, expected some of {', '.join((*LOCKS, NPM))}")
    if sys.version_info[:2] != OLDEST_PYTHON:
        found, wanted = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST_PYTHON))
        parser.error(
            f"found Python {found}, expected {wanted}, the oldest that the locks are for; run it with python{wanted}"
        )
    try:
        ensure(("locks", "node"), print)
        locks = Locks(REQUIREMENTS, run)
        summary = summary_of(locks.renew_all(names, given.raised), locks.newer_than_pinned())
    except (RenewalFailed, EnvironmentFailed) as error:
        sys.stderr.write(f"renew_locks: {error}\n")
        return 1
    if given.summary:
        given.summary.write_text(summary)
    sys.stdout.write(summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
