"""The zygotes of a cloud, one for each set of layers, and the environments that they forked, as ministack sees them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any

from local_cloud.functions import zygote as program

_KILL_SECONDS = 10.0
_KILLED = -signal.SIGKILL


class Environment:
    """A process of a zygote's, with the face of a `subprocess.Popen`."""

    def __init__(self, zygote: Zygote, number: int, files: Sequence[int], end: int) -> None:
        self._zygote = zygote
        self._number = number
        self._end = os.fdopen(end, "rb", buffering=0)
        self._lock = threading.Lock()
        self.returncode: int | None = None
        self.pid: int | None = None  # known once it is ready
        self.stdin = os.fdopen(files[0], "w", buffering=1)
        self.stdout = os.fdopen(files[1])
        self.stderr = os.fdopen(files[2])

    def is_ready(self) -> bool:
        """Wait until the function is loaded, well or not; False if the process ended before."""
        try:
            ready = json.loads(self.stdout.readline())
        except ValueError:
            return False
        self.pid = int(ready["process"])
        self._zygote.warm_up(ready["loaded"])
        return True

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when the process has ended; raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("a Lambda environment", timeout or 0)
        return code

    def terminate(self) -> None:
        """Ask the process to end."""
        self._zygote.send_signal(self._number, signal.SIGTERM)

    def kill(self) -> None:
        """End the process; it has ended when this returns."""
        self._zygote.send_signal(self._number, signal.SIGKILL)
        self.wait(_KILL_SECONDS)

    def _ended(self, seconds: float | None) -> int | None:
        """Return the exit code if the process ends within some seconds.

        The zygote tells it. A zygote that is gone has taken its environments along.
        """
        with self._lock:
            if self.returncode is None and _can_be_read(self._end, seconds):
                self.returncode = int(self._end.read(8) or _KILLED)
                self._end.close()
            return self.returncode


def _can_be_read(file: socket.socket | IO[bytes], seconds: float | None) -> bool:
    """Tell whether there is something to read, or the end, within some seconds; select() takes no file beyond 1,023."""
    waiting = select.poll()
    waiting.register(file, select.POLLIN)
    return bool(waiting.poll(None if seconds is None else seconds * 1000))


class Zygote:
    """A process of `zygote.py` from outside."""

    def __init__(self, layers: Sequence[str], variables: dict[str, str]) -> None:
        self._control, control = socket.socketpair()
        with control:
            command = [sys.executable, "-I", "-S", program.__file__, str(control.fileno()), json.dumps(variables)]
            self._process = subprocess.Popen(
                [*command, *layers], cwd="/", env=variables, pass_fds=[control.fileno()], stdin=subprocess.DEVNULL
            )
        self._numbers = itertools.count()
        self._warm: set[str] = set()
        self._lock = threading.Lock()

    @property
    def is_alive(self) -> bool:
        """Tell whether it can fork; it says nothing, so there is something to read only at its end."""
        return not _can_be_read(self._control, 0)

    def fork(self, start: Mapping[str, Any]) -> Environment:
        """Start an environment with its path, module, handler and variables."""
        pipes = [os.pipe() for _ in range(program.FILES_OF_A_FORK)]
        theirs = [pipes[0][0], *(writing for _, writing in pipes[1:])]
        number = next(self._numbers)
        self._send(b"F", number, start, theirs)
        for file in theirs:
            os.close(file)
        return Environment(self, number, [pipes[0][1], pipes[1][0], pipes[2][0]], pipes[3][0])

    def warm_up(self, modules: Sequence[str]) -> None:
        """Have modules loaded for the environments that come."""
        with self._lock:
            fresh = [name for name in modules if name not in self._warm]
            self._warm.update(fresh)
        if fresh:
            self._send(b"W", 0, fresh)

    def send_signal(self, number: int, signal_number: int) -> None:
        """Send a signal to an environment if it lives."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._control.sendall(program.HEADER.pack(b"S", number, signal_number))

    def close(self) -> None:
        """End it, and its environments with it."""
        self._control.close()
        self._process.wait()

    def _send(self, kind: bytes, number: int, document: Any, files: Sequence[int] = ()) -> None:
        body = json.dumps(document).encode()
        header = program.HEADER.pack(kind, number, len(body))
        with self._lock:
            if files:
                socket.send_fds(self._control, [header], files)
            else:
                self._control.sendall(header)
            self._control.sendall(body)


class Zygotes:
    """Makes zygotes when they are needed; `variables` are those that all environments have in common."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._all: dict[tuple[str, ...], Zygote] = {}
        self._lock = threading.Lock()

    def fork(self, start: Mapping[str, Any]) -> Environment:
        """Start an environment from the zygote of its layers and its runtime."""
        runtime = start["environment"]["AWS_EXECUTION_ENV"]
        layers = start["path"][1:]
        key = (runtime, *layers)
        with self._lock:
            if key in self._all and not self._all[key].is_alive:
                self._all.pop(key).close()
            if key not in self._all:
                self._all[key] = Zygote(layers, {**self._variables, "AWS_EXECUTION_ENV": runtime})
            zygote = self._all[key]
        return zygote.fork(start)

    def close(self) -> None:
        """End the zygotes and what is left of their environments."""
        with self._lock:
            for zygote in self._all.values():
                zygote.close()
            self._all.clear()
