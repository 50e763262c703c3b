"""Has loaded what the functions of some layers load, and forks their execution environments from itself.

    python -I -S zygote.py CONTROL_FD VARIABLES [FOLDER_OF_A_LAYER …]

Nothing is known here beforehand: an environment that has started tells what it loaded from its layers, and that is
loaded here as well, for those that come after it; never what a function brings itself. Where that would not be the
same as loading everything itself (see `is_like_new`), an environment starts as a new Python.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Kind, environment, number: F(ork) with the length of its start, S(ignal) with the signal, W(arm up) with the length.
HEADER = struct.Struct("!cII")
FILES_OF_A_FORK = 4
_WORKER, _MODELS = (Path(__file__).with_name(name) for name in ("worker.py", "models.py"))
# Read by the C library or the interpreter when a process starts.
_READ_AT_START = {"LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LD_PRELOAD", "OPENSSL_CONF"}
Start = dict[str, Any]
Variables = dict[str, str]


class Missed:
    """The modules that were asked for, and that neither a layer nor the standard library has."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, *_: object) -> None:
        """Find nothing, as the last one asked."""
        self.names.add(name)


class Loaded:
    """What is loaded from the layers, and what that depended on; `variables` are those that this process was given."""

    def __init__(self, variables: Variables, models: Any) -> None:
        self.variables, self.models = variables, models
        self.read = set(_READ_AT_START)
        self.missed = Missed()
        self.failed: set[str] = set()
        self.is_of_modules_alone = True

    def add(self, modules: list[str]) -> None:
        """Load modules, in the order in which they were loaded before."""
        files = _open_files()
        sys.meta_path.append(self.missed)
        with self._noting_variables():
            for name in modules:
                if name not in sys.modules and name not in self.failed:
                    self._add(name)
        sys.meta_path.remove(self.missed)
        self.models.share()
        self.is_of_modules_alone &= _open_files() == files and _threads() == 1
        gc.collect()
        gc.freeze()  # the collector of a child need not touch, and so copy, what all have in common

    def is_like_new(self, start: Start) -> bool:
        """Tell whether an environment finds here what it would have loaded itself.

        Not if something read a variable that is another in this environment, if the function brings a module
        that something found elsewhere or not at all, or if loading started a thread or opened a file.
        """
        names = {name.partition(".")[0] for name in (*sys.modules, *self.missed.names)}
        return (
            self.is_of_modules_alone
            and all(start["environment"].get(name) == self.variables.get(name) for name in self.read)
            and not [path for path in Path(start["path"][0]).iterdir() if path.name.partition(".")[0] in names]
        )

    def _add(self, name: str) -> None:
        before = set(sys.modules)
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - whatever it is, an environment meets it by itself
            self.failed.add(name)
            for added in set(sys.modules) - before:
                del sys.modules[added]

    @contextlib.contextmanager
    def _noting_variables(self) -> Iterator[None]:
        environ: Any = type(os.environ)
        original = environ.__getitem__

        def noting(variables: Any, name: str) -> Any:
            self.read.add(name)
            return original(variables, name)

        environ.__getitem__ = noting
        try:
            yield
        finally:
            environ.__getitem__ = original


class Zygote:
    """Forks, signals and waits for environments."""

    def __init__(self, control: socket.socket, variables: Variables) -> None:
        self.loaded = Loaded(variables, _program(_MODELS).Models())
        self._control = control
        self._processes: dict[int, int] = {}  # by environment
        self._ends: dict[int, int] = {}  # the file where a process's end is told, by process

    def serve(self) -> tuple[Start, list[int]]:
        """Do what the server asks for until it is gone. Returns in each new environment, with its start and files."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        waiting = select.poll()  # select() takes no file beyond 1,023, and the server may have given such a one
        models = self.loaded.models
        for file in (self._control.fileno(), wake, models.told):
            waiting.register(file, select.POLLIN)
        while True:
            ready = dict(waiting.poll())
            if wake in ready:
                os.read(wake, 512)
                self._tell_ends()
            if models.told in ready:
                models.parse_what_was_told()
            if self._control.fileno() in ready:
                header, files, _, _ = socket.recv_fds(self._control, HEADER.size, FILES_OF_A_FORK)
                if not header:
                    self._end()
                kind, environment, number = HEADER.unpack(header)
                if kind == b"S":
                    self._signal(environment, number)
                elif kind == b"W":
                    self.loaded.add(json.loads(self._receive(number)))
                else:
                    start = json.loads(self._receive(number))
                    if self._fork(environment, files):
                        return start, files

    def _fork(self, environment: int, files: list[int]) -> bool:
        """Fork; True in the child."""
        process = os.fork()
        if process == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._control.detach())
            return True
        for file in files[:-1]:
            os.close(file)
        self._processes[environment], self._ends[process] = process, files[-1]
        return False

    def _signal(self, environment: int, number: int) -> None:
        # One that nobody has waited for: its process number cannot be another's yet.
        if environment in self._processes:
            os.kill(self._processes[environment], number)

    def _tell_ends(self) -> None:
        while self._ends:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            self._processes = {key: value for key, value in self._processes.items() if value != process}
            file = self._ends.pop(process)
            with contextlib.suppress(BrokenPipeError):  # nobody wants to know any more
                os.write(file, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(file)

    def _end(self) -> None:
        for process in self._ends:
            os.kill(process, signal.SIGKILL)
        os._exit(0)

    def _receive(self, length: int) -> bytes:
        received = b""
        while len(received) < length:
            part = self._control.recv(length - len(received))
            if not part:
                self._end()
            received += part
        return received


def main() -> None:
    """Be a zygote; in what it forks, be an environment."""
    control, given, *layers = sys.argv[1:]
    variables: Variables = json.loads(given)
    added = {name: value for name, value in os.environ.items() if name not in variables}  # LC_CTYPE, by the interpreter
    worker = _program(_WORKER)
    path = list(sys.path)
    sys.path[:0] = layers
    zygote = Zygote(socket.socket(fileno=int(control)), variables)
    start, files = zygote.serve()
    for number, file in enumerate(files[:-1]):
        os.dup2(file, number)
    zygote.loaded.models.keep_as(3)
    os.closerange(4, max(os.sysconf("SC_OPEN_MAX"), 4096))
    os.chdir(start["path"][0])
    if not zygote.loaded.is_like_new(start):
        _start_anew(start)
    sys.path[:] = path
    sys.argv[:] = [str(_WORKER)]
    sys.stdin = os.fdopen(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)
    os.environ.clear()
    os.environ.update({**added, **start["environment"]})
    time.tzset()
    worker.serve(start, zygote.loaded.models.share)


def _program(file: Path) -> Any:
    """Load a part of this program without a trace: no function may find it."""
    spec: Any = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    del sys.modules[file.stem]
    return module


def _start_anew(start: Start) -> None:
    reading, writing = os.pipe()
    os.write(writing, json.dumps(start).encode())
    os.close(writing)
    os.set_inheritable(reading, True)
    command = [sys.executable, "-I", "-S", str(_WORKER), str(reading)]
    os.execve(sys.executable, command, start["environment"])  # noqa: S606 - its own interpreter


def _open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


if __name__ == "__main__":
    main()
