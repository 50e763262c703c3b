"""Cuts a SQL script into statements where psql would, and refuses what must not be in one transaction.

The rules are those of PostgreSQL's own scanner (src/fe_utils/psqlscan.l): quotes, dollar quotes, comments, brackets,
and the bodies of SQL-standard functions (BEGIN ATOMIC ... END) hold semicolons that end nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<string>(?:[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'))
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<unfinished>[eE]'|['"]|\\|\$(?:[^\W\d]\w*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<end>;)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TRANSACTION_CONTROL = {"abort", "begin", "commit", "end", "release", "rollback", "savepoint", "start"}
_SHOWN_WORDS = 4


class NotASqlScript(Exception):
    """The text cannot be run as a script in one transaction; the message says where, and repeats no data."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a script; `line` counts from 1, `words` are its first ones, without literals."""

    text: str
    line: int
    words: str

    def __str__(self) -> str:
        """Name the statement as messages do."""
        return f"line {self.line} ({self.words} ...)"


@dataclass
class _Reading:
    """A statement while it is read."""

    start: int = -1
    words: list[str] = field(default_factory=list)
    shown: str = ""
    showing: bool = True
    brackets: int = 0
    blocks: int = 0

    def see(self, kind: str, text: str) -> None:
        if kind == "word":
            word = text.lower()
            self._follow_function_body(word)
            self.words.append(word)
        self.brackets = max(0, self.brackets + {"open": 1, "close": -1}.get(kind, 0))
        if kind in {"string", "dollar", "number", "open"} or len(self.words) > _SHOWN_WORDS:
            self.showing = False
        if self.showing:
            is_name = kind in {"word", "quoted"} and self.shown and not self.shown.endswith(".")
            self.shown += f" {text}" if is_name else text

    def _follow_function_body(self, word: str) -> None:
        is_routine = self.words[:1] == ["create"] and {"function", "procedure"} & set(self.words[1:4])
        if not is_routine or self.brackets:
            return
        if word == "begin" or (self.blocks and word == "case"):
            self.blocks += 1
        elif self.blocks and word == "end":
            self.blocks -= 1


def split(script: str) -> list[Statement]:
    """Return the statements in order; raises `NotASqlScript` for what is not plain SQL of one transaction."""
    statements, reading = [], _Reading()
    for kind, text, position in _tokens(script):
        if kind == "end" and not reading.blocks and not reading.brackets:
            if reading.start >= 0:
                statements.append(_statement(script, reading, position))
            reading = _Reading()
        else:
            if reading.start < 0:
                reading.start = position
            reading.see(kind, text)
    if reading.start >= 0:
        statements.append(_statement(script, reading, len(script)))
    return statements


def _tokens(script: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(script):
        found = _TOKEN.match(script, position)
        kind = str(found.lastgroup) if found else "other"
        end = found.end() if found else position + 1
        if kind == "block":
            end = _end_of_comment(script, position)
        elif kind == "unfinished":
            what = "a command of psql" if script[position] == "\\" else "a quote that does not end"
            raise NotASqlScript(f"{what} in line {_line(script, position)}")
        elif kind not in {"comment", "space"}:
            yield kind, script[position:end], position
        position = end


def _end_of_comment(script: str, position: int) -> int:
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(script, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise NotASqlScript(f"a comment that does not end in line {_line(script, position)}")


def _statement(script: str, reading: _Reading, end: int) -> Statement:
    words = reading.words
    statement = Statement(
        text=script[reading.start : end].rstrip(), line=_line(script, reading.start), words=reading.shown[:120]
    )
    if words[:1] and (words[0] in _TRANSACTION_CONTROL or words[:2] == ["prepare", "transaction"]):
        raise NotASqlScript(f"transaction control in {statement}")
    if words[:1] == ["copy"] and {"stdin", "stdout"} & set(words):
        raise NotASqlScript(f"data of the client in {statement}")
    return statement


def _line(script: str, position: int) -> int:
    return script.count("\n", 0, position) + 1
