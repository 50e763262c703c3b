"""The locks are renewed, and somebody who did not watch can read what changed."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tooling.environments import REQUIREMENTS
from tooling.renew_locks import LOCKS, NPM, Locks, RenewalFailed, locked_in, main, pinned_in, summary_of


class Index:
    """A package index with one package of each version, and the tools that resolve from it."""

    def __init__(self, newest: dict[str, str], refuses: str = "") -> None:
        self._newest, self._refuses = newest, refuses
        self.commands: list[str] = []

    def run(self, command: Sequence[str], folder: Path) -> str:
        self.commands.append(" ".join(command))
        tool, subject = Path(command[0]).name, command[-1]
        if tool == "python":
            return f"{subject} ({self._newest[subject]})\nAvailable versions: {self._newest[subject]}, 0.1\n"
        if tool == "npm":
            (folder / "package-lock.json").write_text(npm_lock(self._newest["asl"]))
            return ""
        if subject == self._refuses:
            raise RenewalFailed("it does not fit")
        asked = re.findall(r"^([a-z]+)(?:==(.+))?$", (folder / subject).read_text(), re.MULTILINE)
        lock = "".join(f"{name}=={version or self._newest[name]} \\\n    --hash=sha256:0\n" for name, version in asked)
        (folder / subject).with_suffix(".txt").write_text(lock)
        return ""


def npm_lock(version: str) -> str:
    packages = {
        "": {},
        "node_modules/asl": {"version": version},
        "node_modules/asl/node_modules/@a/y": {"version": "3"},
    }
    return json.dumps({"packages": packages})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dev.in").write_text("# for people\nlinter\nsdk==1.0\n")
    (tmp_path / "dev.txt").write_text("gone==0.9 \\\n    --hash=sha256:0\nlinter==2.0\nsdk==1.0\n")
    (tmp_path / "aws.in").write_text("sdk==1.0\n")
    (tmp_path / "aws.txt").write_text("sdk==1.0\n")
    (tmp_path / "node").mkdir()
    (tmp_path / "node/package-lock.json").write_text(npm_lock("4.0.0"))
    return tmp_path


def test_what_changed_came_and_went_is_in_the_summary_and_so_is_a_pin_that_is_behind(folder: Path) -> None:
    (folder / "dev.in").write_text("fresh\nlinter\nsdk==1.0\n")
    locks = Locks(folder, Index({"linter": "2.1", "fresh": "1", "sdk": "1.2", "asl": "4.0.1"}).run)
    summary = summary_of(locks.renew_all(["aws", "dev", NPM]), locks.newer_than_pinned())
    assert summary.splitlines() == [
        "## dev", "", "| Package | Before | Now |", "|---|---|---|",
        "| fresh | - | 1 |", "| gone | 0.9 | - |", "| linter | 2.0 | 2.1 |", "",
        "## npm", "", "| Package | Before | Now |", "|---|---|---|", "| asl | 4.0.0 | 4.0.1 |", "",
        "## Pinned, not renewed", "", "- sdk 1.0: 1.2 is there",
    ]  # fmt: skip


def test_a_pin_is_raised_wherever_it_stands_and_only_when_asked_for(folder: Path) -> None:
    locks = Locks(folder, Index({"linter": "2.0", "sdk": "1.2"}).run)
    renewals = locks.renew_all(["dev", "aws"], ["sdk"])
    assert [renewal.after["sdk"] for renewal in renewals] == ["1.2", "1.2"]
    assert (folder / "dev.in").read_text() == "# for people\nlinter\nsdk==1.2\n"
    assert (folder / "aws.in").read_text() == "sdk==1.2\n"
    assert locks.newer_than_pinned() == {}


def test_what_does_not_resolve_leaves_every_pin_as_it_was(folder: Path) -> None:
    locks = Locks(folder, Index({"linter": "2.0", "sdk": "1.2"}, refuses="aws.in").run)
    with pytest.raises(RenewalFailed, match="it does not fit"):
        locks.renew_all(["dev", "aws"], ["sdk"])
    assert (folder / "dev.in").read_text() == "# for people\nlinter\nsdk==1.0\n"


def test_a_pin_that_nobody_made_is_not_raised(folder: Path) -> None:
    index = Index({})
    with pytest.raises(RenewalFailed, match="found no pin of linter; pinned are sdk"):
        Locks(folder, index.run).renew_all(["dev"], ["linter"])
    assert index.commands == []


def test_nothing_new_is_said_too() -> None:
    assert summary_of([], {}) == "No lock changed.\n"


def test_resolving_runs_nobodys_code(folder: Path) -> None:
    index = Index({"linter": "2.0", "asl": "4"})
    Locks(folder, index.run).renew_all(["dev", NPM])
    compiling, updating = index.commands
    assert "--pip-args=--only-binary=:all:" in compiling
    assert "--ignore-scripts" in updating


@pytest.mark.parametrize(
    ("arguments", "version", "said"),
    [
        (["prod"], (3, 11), "found prod, expected some of lambda, dev"),
        (["dev"], (3, 13), "found Python 3.13, expected 3.11"),
    ],
)
def test_what_cannot_be_renewed_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    version: tuple[int, int],
    said: str,
) -> None:
    monkeypatch.setattr("sys.version_info", version)
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


def test_every_lock_of_the_project_is_renewed_and_holds_what_is_asked_for() -> None:
    assert {path.stem for path in REQUIREMENTS.glob("*.in")} == set(LOCKS)
    for lock in LOCKS:
        asked, locked = ((REQUIREMENTS / f"{lock}{end}").read_text() for end in (".in", ".txt"))
        assert pinned_in(asked).items() <= locked_in(locked).items(), lock
        assert "://" not in locked, f"{lock}: whose index it was resolved from is nobody else's"
    assert "asl-validator" in locked_in((REQUIREMENTS / "node/package-lock.json").read_text())
