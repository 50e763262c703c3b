"""Text in the width of the terminal: no word is broken, and what goes on below keeps its indent."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable

NARROWEST = 40
_COMMAND = " " * 4  # what is indented so far is there to be copied: it stays in one piece
_FIELD = re.compile(r" *\S.*? {2,}")  # a name, and its text in a second column
_WIDEST_NAME = 30
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width() -> int:
    """Return the columns there are: the terminal's, COLUMNS, or 80."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def seen(text: str) -> int:
    """Return how many columns a text takes: colours take none."""
    return len(_COLOUR.sub("", text))


def wrapped(text: str, *, below: str | None = None) -> str:
    """Break longer lines between words; a line goes on below its own text, or with the indent `below`."""
    lines: list[str] = []
    for line in text.split("\n"):
        indent = _indent_of(line) if below is None else below
        lines += [line] if line.startswith(_COMMAND) else _lines(line, indent)
    return "\n".join(lines)


def fields(rows: Iterable[tuple[str, str]], *, indent: str = "  ") -> str:
    """Return names and their texts in two columns; a longer text goes on below itself."""
    listed = list(rows)
    name_width = max((len(name) for name, _ in listed), default=0)
    below = indent + " " * (name_width + 2)
    return "\n".join(
        part for name, text in listed for part in _lines(f"{indent}{name.ljust(name_width)}  {text}", below)
    )


def table(header: list[str], rows: list[list[str]], *, indent: str = "  ") -> str:
    """Return a table; columns of numbers are aligned to the right."""
    widths = [max(seen(row[column]) for row in [header, *rows]) for column in range(len(header))]
    numbers = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]

    def line(row: list[str]) -> str:
        cells = [
            " " * (size - seen(cell)) + cell if right or _is_number(cell) else cell + " " * (size - seen(cell))
            for cell, size, right in zip(row, widths, numbers, strict=True)
        ]
        return (indent + "  ".join(cells)).rstrip()

    return "\n".join([line(header), line(["─" * size for size in widths]), *(line(row) for row in rows)])


def clock_text(seconds: float) -> str:
    """Write seconds as a clock does: 01:05."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02}:{rest:02}"


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").isdigit()


def _indent_of(line: str) -> str:
    field = _FIELD.match(line)
    size = len(field[0]) if field and len(field[0]) <= _WIDEST_NAME else len(line) - len(line.lstrip())
    return " " * size


def _lines(line: str, below: str) -> list[str]:
    if seen(line) <= width():
        return [line]
    lead = line[: len(line) - len(line.lstrip())]
    parts = textwrap.wrap(
        line.lstrip(), width(), initial_indent=lead, subsequent_indent=below,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return parts or [""]
