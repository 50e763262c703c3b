"""Reads the traps of `sql/`: what each plants, and what must come of it (README.md says how they are written)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SQL = Path(__file__).parent / "sql"
VERSIONS = (14, 15, 16, 17)
_HEADER = re.compile(r"-- (trap|versions|outcome|says|allowed|refused|server|alone|last): (.*)")
_PART = re.compile(r"-- as: (\S+) in (\S+?)(, in latin1)?\n")


@dataclass(frozen=True, kw_only=True)
class Part:
    """Statements that somebody plants in one session, sent at once."""

    user: str
    database: str
    statements: str
    encoding: str


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A statement that a user must, or must not, be able to run afterwards."""

    user: str
    database: str
    statement: str


@dataclass(frozen=True, kw_only=True)
class Trap:
    """What is planted, and the outcome by version; `says`: what report or error must say."""

    name: str
    title: str
    outcomes: dict[int, str]
    parts: list[Part]
    says: list[str]
    allowed: list[Wish] = field(default_factory=list)
    refused: list[Wish] = field(default_factory=list)
    server: list[str] = field(default_factory=list)
    is_alone: bool = False
    is_last: bool = False


def traps() -> list[Trap]:
    """Return every trap of the kit, by name."""
    return [_read(path) for path in sorted(SQL.glob("*.sql"))]


def table() -> str:
    """Return the README's table: each trap and its outcome by version."""
    lines = ["| Trap | " + " | ".join(map(str, VERSIONS)) + " |", "|---|" + "---|" * len(VERSIONS)]
    for trap in traps():
        outcomes = " | ".join(trap.outcomes.get(version, "") for version in VERSIONS)
        lines.append(f"| [{trap.title}](sql/{trap.name}.sql) | {outcomes} |")
    return "\n".join(lines)


def _read(path: Path) -> Trap:
    text = path.read_text()
    header, *rest = _PART.split(text)
    found: dict[str, list[str]] = {}
    for line in header.splitlines():
        match = _HEADER.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name}: found {line!r}; expected a line of the header")
        found.setdefault(match[1], []).append(match[2])
    versions = [int(version) for version in found["versions"][0].split()]
    return Trap(
        name=path.stem,
        title=found["trap"][0],
        outcomes=dict(_outcomes(versions, found["outcome"][0])),
        parts=[
            Part(user=user, database=database, statements=statements, encoding="latin1" if in_latin1 else "utf-8")
            for user, database, in_latin1, statements in zip(rest[::4], rest[1::4], rest[2::4], rest[3::4], strict=True)
        ],
        says=found["says"],
        allowed=[_wish(line) for line in found.get("allowed", [])],
        refused=[_wish(line) for line in found.get("refused", [])],
        server=found.get("server", []),
        is_alone="alone" in found,
        is_last="last" in found,
    )


def _outcomes(versions: list[int], text: str) -> Iterator[tuple[int, str]]:
    for part in text.split(", "):
        *some, outcome = part.split()
        for version in [int(one) for one in some] or versions:
            yield version, outcome


def _wish(line: str) -> Wish:
    user, database, statement = line.split(" | ", 2)
    return Wish(user=user, database=database, statement=statement)
