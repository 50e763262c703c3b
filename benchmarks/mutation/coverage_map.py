"""Which tests run which lines of the product, from one run of the tests under coverage."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from coverage import CoverageData

from benchmarks.mutation import seconds
from benchmarks.mutation.changes import Change, assigned_names

FOLDERS = ("utils", "lambda_functions", "restore_command", "deployment")


def record(root: Path, data_file: Path, tests: Sequence[str]) -> None:
    """Run the tests and keep which of them runs what."""
    data_file.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "benchmarks.mutation.seconds", *tests,
        *(f"--cov={folder}" for folder in FOLDERS), "--cov-context=test", "--cov-report=", "--cov-fail-under=0",
    ]  # fmt: skip
    environment = {"COVERAGE_FILE": str(data_file), seconds.VARIABLE: str(data_file.with_name("seconds.json"))}
    subprocess.run(command, cwd=root, env=os.environ | environment, check=True)  # noqa: S603 - this interpreter


class CoverageMap:
    """Answers which tests could notice a change."""

    def __init__(self, root: Path, data_file: Path) -> None:
        self._root, self._data = root, CoverageData(str(data_file))
        self._data.read()
        self._by_line: dict[str, dict[int, list[str]]] = {}
        self._seconds: dict[str, float] = json.loads(data_file.with_name("seconds.json").read_text())
        self._sources = {
            str(Path(name).relative_to(root)): Path(name).read_text()
            for name in self._data.measured_files()
            if name.endswith(".py")
        }
        self._constants = [
            (assigned_names(node), _names_in(node))
            for source in self._sources.values()
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.ClassDef)
        ]

    def tests_for(self, change: Change) -> list[str]:
        """Return the tests that run the changed line, or what uses the name that it gives; the quickest first."""
        tests = self._running(change.path, {change.line})
        if not tests and change.names:
            names = self._with_what_is_made_of(change.names)
            for path, source in self._sources.items():
                tests |= self._running(path, _uses(source, names))
        return sorted(tests, key=self.seconds_of)

    def runs_at_import(self, change: Change) -> bool:
        """Tell whether an import runs the changed line, which nothing but an import shows the change of."""
        self.tests_for(change)
        return "" in self._by_line.get(change.path, {}).get(change.line, [])

    def seconds_of(self, test: str) -> float:
        """Return how long a test took when the coverage was recorded."""
        return self._seconds.get(test, 0.0)

    def _with_what_is_made_of(self, names: frozenset[str]) -> frozenset[str]:
        """Return the names, and those of constants and classes that are made of them: no test runs their lines."""
        while True:
            made = {name for targets, parts in self._constants if parts & names for name in targets}
            if made <= names:
                return names
            names |= made

    def _running(self, path: str, lines: set[int]) -> set[str]:
        if path not in self._by_line:
            self._by_line[path] = self._data.contexts_by_lineno(str(self._root / path))
        found = {context for line in lines for context in self._by_line[path].get(line, ())}
        return {context.partition("|")[0] for context in found if context}


def _names_in(statement: ast.stmt) -> set[str]:
    """Return what a statement is made of; of a class its bases and fields, as its methods run by themselves."""
    parts: list[ast.AST] = [statement]
    if isinstance(statement, ast.ClassDef):
        fields = [part for part in statement.body if isinstance(part, ast.Assign | ast.AnnAssign)]
        parts = [*statement.bases, *fields]
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


@cache
def _lines_of_names(source: str) -> list[tuple[str, int]]:
    return [(node.id, node.lineno) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]


def _uses(source: str, names: frozenset[str]) -> set[int]:
    return {line for name, line in _lines_of_names(source) if name in names}
