"""One change tried: a fork of this process imports the changed module instead of the file, and runs the tests on it."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from benchmarks.mutation.changes import Change

# Imported once, before the first fork; nothing of the product's own.
_HEAVY = ("boto3", "moto", "pydantic", "psycopg2", "aws_lambda_powertools")


class Verdict(StrEnum):
    """What became of a change."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    UNCOVERED = "run by no test"
    OUT_OF_TIME = "out of time"


def load_what_is_heavy() -> None:
    """Import what every test needs anyway."""
    for name in _HEAVY:
        importlib.import_module(name)


def start(change: Change, tests: Sequence[str], log: Path) -> int:
    """Fork a process that tries the change; return its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    os.setsid()
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.meta_path.insert(0, _Changed(change))
    code = 3
    try:
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--tb=line", *tests], plugins=[InOrder(tests)]))
    finally:
        os._exit(code)


def wait(child: int, log: Path, seconds: float) -> Verdict:
    """Wait for the end of a trial; one that takes too long may loop, or the machine is busy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            # A change that breaks the import of a conftest.py ends with the same code, and is noticed.
            if code == pytest.ExitCode.USAGE_ERROR and b"not found: " in log.read_bytes():
                raise RuntimeError("pytest does not find the tests; record the coverage again")
            return Verdict.SURVIVED if code == 0 else Verdict.NOTICED
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Verdict.OUT_OF_TIME


def module_of(path: str) -> str:
    """Return the name under which the tests import a file of the product."""
    if path.startswith("lambda_functions/"):
        return Path(path).stem
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


class InOrder:
    """Runs the tests in the order that they were asked for."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort them; whole files and folders stay as they are."""
        items.sort(key=lambda item: self._places.get(item.nodeid, 0))


class _Changed(importlib.abc.MetaPathFinder):
    def __init__(self, change: Change) -> None:
        self._name, self._change = module_of(change.path), change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        file = str(Path(self._change.path).resolve())
        return importlib.util.spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self._change))


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, file: str, change: Change) -> None:
        super().__init__(name, file)
        self._source = change.source

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        code: CodeType = compile(self._source, self.path, "exec", dont_inherit=True)
        return code
