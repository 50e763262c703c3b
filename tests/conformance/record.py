"""A record of what AWS answered, and where another endpoint's answers are not the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.conformance.answers import Answer, untold
from tests.conformance.asking import Asked

FOLDER = Path(__file__).with_name("records")
RECORDS = sorted(FOLDER.glob("aws-*.json"))[-1:]
_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """The answers to facts by name; without account, identifiers, hosts and times."""

    taken: str
    region: str
    facts: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, asked: Iterable[Asked], region: str, taken: datetime) -> Record:
        """Return the record of what was just asked."""
        facts = {
            item.fact.name: {
                "statement": item.fact.statement,
                "otherwise": untold(item.otherwise),
                "answers": [answer.as_json() for answer in item.answers],
            }
            for item in asked
        }
        return cls(taken.date().isoformat(), region, facts)

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read a record; ValueError if it is of another format."""
        kept = json.loads(path.read_text())
        if kept.get("format") != _FORMAT:
            raise ValueError(f"{path}: format {kept.get('format')!r}, not {_FORMAT}: take the record anew")
        return cls(kept["taken"], kept["region"], kept["facts"])

    def write(self, folder: Path) -> Path:
        """Write it as aws-<date>.json; return where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"aws-{self.taken}.json"
        kept = {"format": _FORMAT, "taken": self.taken, "region": self.region, "facts": self.facts}
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        return path


def differences(record: Record, asked: Iterable[Asked]) -> list[str]:
    """Return where the errors are others than the record's, or a member that it has is missing; facts of both only."""
    found: list[str] = []
    for item in asked:
        if kept := record.facts.get(item.fact.name):
            recorded = [Answer.from_json(answer) for answer in kept["answers"]]
            found += [f"{item.fact.name}: {line}" for line in _between(recorded, list(item.answers))]
    return found


def _between(recorded: list[Answer], answered: list[Answer]) -> list[str]:
    lines = []
    for call in dict.fromkeys(answer.call for answer in recorded):
        there = {answer.error for answer in recorded if answer.call == call}
        here = {answer.error for answer in answered if answer.call == call}
        if there != here:
            lines.append(f"{call} was answered with {_errors(there)} by AWS, with {_errors(here)} here")
        members = {name for answer in recorded if answer.call == call for name in answer.members}
        had = {name for answer in answered if answer.call == call for name in answer.members}
        if had and (missing := sorted(members - had)):
            lines.append(f"{call} has {', '.join(missing)} on AWS, and not here")
    return lines


def _errors(codes: set[str]) -> str:
    return " and ".join(sorted(code or "no error" for code in codes)) or "no call"
