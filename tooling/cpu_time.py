"""Counts the CPU seconds of a command and of everything that it starts.

    python -m tooling.cpu_time FILE PART COMMAND [ARGUMENT …]    runs it, and adds a line to FILE
    python -m tooling.cpu_time --report FILE                     prints the sums

The kernel adds a process's times to its parent's when the parent waits for it. What outlives its own parent is adopted
here (Linux; elsewhere it is not counted), so every process is waited for in the end and counted to its last moment,
however short it was. What is still there when the command has ended is named and ended.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tooling import processes

# A local cloud ends by itself when its owner does.
_PATIENCE_SECONDS = 30.0
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, or report."""
    if arguments[0] == "--report":
        sys.stdout.write(report(Path(arguments[1]).read_text()))
        return 0
    file, part, *command = arguments
    status = _run(command)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with contextlib.suppress(FileNotFoundError), Path(file).open("a") as lines:  # its folder goes with test.sh
        lines.write(f"{part}\t{used.ru_utime:.2f}\t{used.ru_stime:.2f}\n")
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def report(lines: str) -> str:
    """Return a table of the parts, and of all together; the measuring process itself is not in it."""
    sums: dict[str, list[float]] = {}
    for line in lines.splitlines():
        part, user, system = line.split("\t")
        so_far = sums.get(part, [0.0, 0.0])
        sums[part] = [so_far[0] + float(user), so_far[1] + float(system)]
    total = [sum(seconds) for seconds in zip(*sums.values(), strict=True)]
    rows = [*sums.items(), ("in all", total)]
    return "".join(f"{part:20} {user + system:8.1f}   ({user:.1f} + {system:.1f})\n" for part, (user, system) in rows)


def _run(command: list[str]) -> int:
    """Run a command and whatever it leaves running to the end; return the command's wait status."""
    processes.adopt_orphans()
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until somebody is there to take them
    process = os.posix_spawnp(command[0], command, os.environ, setsigmask=())

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(process, number)

    for number in _SIGNALS:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command as well
    ended, status = os.wait()
    while ended != process:
        ended, status = os.wait()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    left = _wait_for_the_rest()
    if left:
        sys.stderr.write("\n  ".join([f"{' '.join(command)} left running:", *left]) + "\n")
        processes.end_descendants()
    return status


def _wait_for_the_rest() -> list[str]:
    """Wait until no process is left; return the command lines of those that do not end."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up:
        processes.reap()
        if not processes.descendants(os.getpid()):
            return []
        time.sleep(0.05)
    return [_command_line(pid) for pid in processes.descendants(os.getpid())]


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
