"""Tests that are collected once: for each change a fork puts it in and runs those of them that can notice it."""

import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutation.changes import Change
from benchmarks.mutation.swap import CannotSwap, constants_swapped, functions_swapped
from benchmarks.mutation.trial import Verdict, module_of

_NOTICED, _SURVIVED, _OUT_OF_TIME, _COLD = 21, 22, 23, 24
_VERDICTS = {_NOTICED: Verdict.NOTICED, _SURVIVED: Verdict.SURVIVED, _OUT_OF_TIME: Verdict.OUT_OF_TIME}
# What takes long to make and is the same whatever is changed: made once, before the first fork.
_KEPT = "tests/unit/database/"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A change, the tests that run it in the order to run them, and how long they may take.

    `at_import`: an import runs it as well; `left_out`: tests that are too many for the time.
    """

    change: Change
    tests: Sequence[str]
    left_out: int = 0
    seconds: float
    at_import: bool = False


class Warm:
    """Tries changes instead of running the tests, and writes a line of JSON with each verdict."""

    def __init__(self, trials: Sequence[Trial], output: int, log: Path) -> None:
        self._trials, self._output, self._log = trials, output, log
        self._failed: pytest.TestReport | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try one change after the other."""
        items = {item.nodeid: item for item in session.items}
        self._make_what_is_kept(session)
        noticing: set[str] = set()
        for number, trial in enumerate(self._trials):
            began = time.monotonic()
            code = self._in_fork([items[test] for test in trial.tests], trial.change, trial.seconds)
            test, why = json.loads(self._log.read_text()) if code == _NOTICED else ("", "")
            noticing.add(test)
            if code == _SURVIVED and trial.at_import:
                code = _COLD
            line = json.dumps([number, _VERDICTS.get(code), time.monotonic() - began, why])
            os.write(self._output, line.encode() + b"\n")
        if self._in_fork([items[test] for test in sorted(noticing) if test], None, 600) == _NOTICED:
            raise RuntimeError(f"fails in a fork without any change: {self._log.read_text()}")
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first failure."""
        if report.failed and self._failed is None:
            self._failed = report

    def _make_what_is_kept(self, session: pytest.Session) -> None:
        user = next((item for item in session.items if item.nodeid.startswith(f"{_KEPT}test_rights.py")), None)
        other = next((item for item in session.items if item.nodeid.startswith(f"{_KEPT}test_setup.py")), None)
        if user and other:
            # The fixtures of the next test stay: those of the whole package.
            user.config.hook.pytest_runtest_protocol(item=user, nextitem=other)
            if self._failed:
                raise RuntimeError(f"fails without any change: {self._failed.nodeid}")

    def _in_fork(self, items: Sequence[pytest.Item], change: Change | None, seconds: float) -> int:
        child = os.fork()
        if child:
            return _wait(child, seconds + 30)
        code = _COLD
        try:
            code = self._try(items, change, seconds) if items else _SURVIVED
        except CannotSwap:
            pass
        finally:
            _end_servers()
            os._exit(code)

    def _try(self, items: Sequence[pytest.Item], change: Change | None, seconds: float) -> int:
        os.setsid()
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(int(seconds))
        # What the parent made stays its own: a fork neither ends it nor stands where the parent's last test ended.
        items[0].session._setupstate.stack.clear()
        for farm in _all_of("local_cloud.aurora.postgres.farm", "PostgresFarm"):
            farm.close = lambda: None
        survived = _SURVIVED if change is None else _put_in(change)
        for item, following in zip(items, [*items[1:], items[-1]], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                self._log.write_text(json.dumps([self._failed.nodeid, f"{self._failed.nodeid} ({self._failed.when})"]))
                return _NOTICED
        return survived


def _put_in(change: Change) -> int:
    """Put the change in; return what it means if no test fails. Raises `CannotSwap`."""
    module = importlib.import_module(module_of(change.path))
    if functions_swapped(module, change):
        return _SURVIVED
    if constants_swapped(module, change):
        return _COLD  # what is hidden in defaults or classes is seen after an import alone
    raise CannotSwap


def _too_late(*_: object) -> None:
    _end_servers()
    os._exit(_OUT_OF_TIME)


def _wait(child: int, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _OUT_OF_TIME


def _end_servers() -> None:
    """Remove the database servers that this process started; they live in sessions of their own."""
    for server in _all_of("local_cloud.aurora.postgres.server", "PostgresServer"):
        process = server._process
        if process is not None and _parent_of(process.pid) == os.getpid():
            server.remove()


def _all_of(module: str, name: str) -> list[Any]:
    kind = getattr(sys.modules.get(module), name, None)
    return [found for found in gc.get_objects() if type(found) is kind]


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
