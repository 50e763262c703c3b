"""The small changes that can be made to a module, each as its whole source with one thing changed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

_OPERATORS = {
    "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
    "in": "not in", "not in": "in", "is": "is not", "is not": "is",
}  # fmt: skip
_IN_SQL = (("LEFT JOIN", "JOIN"), (" AND ", " OR "), (" NOT ", " "), (" = ", " <> "), (" <> ", " = "))
_IS_SQL = re.compile(r"\b(SELECT|ALTER|GRANT|REVOKE|CREATE|UPDATE|DELETE)\b")
# What is told to people, and to type checkers only.
_UNHEARD = ("logger.", "log.", "print(", "warnings.")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing changed in a module: at `line`, `before` became `after`, which makes `source`."""

    path: str
    line: int
    before: str
    after: str
    source: str
    names: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {_short(self.before)} -> {_short(self.after)}"


def changes_of(path: Path, root: Path) -> list[Change]:
    """Return every change that is known for a module."""
    text = path.read_text()
    return list(_Changes(str(path.relative_to(root)), text).all())


class _Changes:
    def __init__(self, path: str, text: str) -> None:
        self._path, self._text, self._tree = path, text, ast.parse(text)
        self._starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def all(self) -> Iterator[Change]:
        for statement in self._tree.body:
            yield from self._in(statement, assigned_names(statement))

    def _in(self, node: ast.AST, names: frozenset[str]) -> Iterator[Change]:
        if _is_left_alone(node):
            return
        if isinstance(node, ast.expr | ast.stmt):
            yield from self._at(node, names)
        if _is_text(node):
            return
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from self._in(child, names)

    def _at(self, node: ast.expr | ast.stmt, names: frozenset[str]) -> Iterator[Change]:
        text = self._text.encode()
        for start, end, new in self._of(node):
            source = (text[:start] + new.encode() + text[end:]).decode()
            before, after = text[start:end].decode(), new
            if after == before or not _can_be_read(source):
                continue
            if _is_text(node):
                # Of a long statement, the line that is changed.
                first, last = text.rfind(b"\n", 0, start) + 1, text.find(b"\n", end)
                before = text[first:last].decode()
                after = (text[first:start] + new.encode() + text[end:last]).decode()
            yield Change(path=self._path, line=node.lineno, before=before, after=after, source=source, names=names)

    def _of(self, node: ast.expr | ast.stmt) -> Iterator[tuple[int, int, str]]:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from self._operator(node.left, node.comparators[0])
        elif isinstance(node, ast.BoolOp):
            word = "and" if isinstance(node.op, ast.And) else "or"
            yield from self._between(node.values[0], node.values[1], word, "or" if word == "and" else "and")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield self._start(node), self._start(node) + len("not"), ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield self._start(node), self._end(node), str(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield self._start(node), self._end(node), str(node.value + 1)
        elif isinstance(node, ast.If | ast.IfExp):
            test = self._segment(node.test)
            yield self._start(node.test), self._end(node.test), f"(not ({test}))"
        elif isinstance(node, ast.stmt):
            yield from self._statement(node)
        elif _is_text(node):
            yield from self._sql(node)

    def _operator(self, left: ast.expr, right: ast.expr) -> Iterator[tuple[int, int, str]]:
        for word, other in _OPERATORS.items():
            start, end = self._end(left), self._start(right)
            gap = self._text.encode()[start:end].decode()
            if gap.strip(" ()\n") == word:
                at = start + gap.index(word)
                yield at, at + len(word), other

    def _between(self, left: ast.expr, right: ast.expr, word: str, other: str) -> Iterator[tuple[int, int, str]]:
        start = self._end(left)
        gap = self._text.encode()[start : self._start(right)].decode()
        at = gap.index(word)
        yield start + at, start + at + len(word), other

    def _statement(self, node: ast.stmt) -> Iterator[tuple[int, int, str]]:
        if isinstance(node, ast.Return) and node.value is not None and self._segment(node) != "return None":
            yield self._start(node), self._end(node), "return None"
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            yield self._start(node), self._end(node), "pass"
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(targets[0], ast.Attribute | ast.Subscript):
                yield self._start(node), self._end(node), "pass"

    def _sql(self, node: ast.expr) -> Iterator[tuple[int, int, str]]:
        text = self._segment(node)
        if not _IS_SQL.search(text):
            return
        for word, other in _IN_SQL:
            for found in re.finditer(word.replace(" ", r"\s"), text):
                start = self._start(node) + len(text[: found.start()].encode())
                spaced = found[0][0] + other.strip() + found[0][-1] if word.startswith(" ") else other
                yield start, start + len(found[0].encode()), spaced

    def _segment(self, node: ast.expr | ast.stmt) -> str:
        return self._text.encode()[self._start(node) : self._end(node)].decode()

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        # Whatever was parsed has an end; the types of ast say that it may have none.
        return self._starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Expr):
        words = ast.unparse(node.value)
        return isinstance(node.value, ast.Constant) or words.startswith(_UNHEARD)
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_text(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _can_be_read(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def assigned_names(statement: ast.stmt) -> frozenset[str]:
    """Return the names that a statement at the module's level gives, by which its users are found."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return frozenset({statement.name})
    if isinstance(statement, ast.Assign):
        return frozenset(target.id for target in statement.targets if isinstance(target, ast.Name))
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return frozenset({statement.target.id})
    return frozenset()


def _short(text: str) -> str:
    line = " ".join(text.split()) or "nothing"
    return line if len(line) <= 60 else f"{line[:57]}..."
