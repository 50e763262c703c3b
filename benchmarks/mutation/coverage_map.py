"""Which tests run which lines of the product, from one run of the tests under coverage."""

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from coverage import CoverageData

from benchmarks.mutation.changes import Change, assigned_names


def record(root: Path, data_file: Path, tests: Sequence[str]) -> None:
    """Run the tests and keep which of them runs what."""
    data_file.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests,
        "--cov", "--cov-context=test", "--cov-report=", "--cov-fail-under=0",
    ]  # fmt: skip
    subprocess.run(  # noqa: S603 - this interpreter
        command, cwd=root, env=os.environ | {"COVERAGE_FILE": str(data_file)}, check=True
    )


class CoverageMap:
    """Answers which tests could notice a change."""

    def __init__(self, root: Path, data_file: Path) -> None:
        self._root, self._data = root, CoverageData(str(data_file))
        self._data.read()
        self._sources = {
            str(Path(name).relative_to(root)): Path(name).read_text() for name in self._data.measured_files()
        }
        self._constants = [
            (assigned_names(node), _names_in(node))
            for source in self._sources.values()
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
        ]

    def tests_for(self, change: Change) -> list[str]:
        """Return the tests that run the changed line, or what uses the name that it gives."""
        tests = self._running(change.path, {change.line})
        if not tests and change.names:
            names = self._with_what_is_made_of(change.names)
            for path, source in self._sources.items():
                tests |= self._running(path, _uses(source, names))
        return sorted(tests)

    def _with_what_is_made_of(self, names: frozenset[str]) -> frozenset[str]:
        """Return the names, and those of constants that are made of them: no test runs their lines either."""
        while True:
            made = {name for targets, parts in self._constants if parts & names for name in targets}
            if made <= names:
                return names
            names |= made

    def _running(self, path: str, lines: set[int]) -> set[str]:
        by_line = self._data.contexts_by_lineno(str(self._root / path))
        found = {context for line in lines for context in by_line.get(line, ())}
        return {context.partition("|")[0] for context in found if context}


def _names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _uses(source: str, names: frozenset[str]) -> set[int]:
    tree = ast.parse(source)
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in names}
