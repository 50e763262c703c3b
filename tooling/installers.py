"""How what a lock names gets into an environment: by uv, a tenth of pip's work, or by pip where uv cannot."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from tooling import uv

SIGN_OF_LIFE_SECONDS = 10.0
# --no-deps: the lock is complete, and pip before 24 refuses a locked dependency that is asked for with extras.
_AS_LOCKED = ("--no-deps", "--require-hashes", "--only-binary=:all:")
_PIP_INSTALL = ("install", "--progress-bar=off", "--no-input", "--no-compile", "--disable-pip-version-check")


class EnvironmentFailed(Exception):
    """An environment could not be made; the message ends with the installer's last lines."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be made where, who hears of it and who can stop it."""

    name: str
    home: Path
    lock: Path
    report: Callable[[str], None]
    stop: threading.Event

    def run(self, command: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        """Run a command in a group of its own, so that stopping it stops what it started."""
        output: list[str] = []
        with (
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                start_new_session=True, env=_installer_environment() | dict(settings or {}),
            ) as process,
            ThreadPoolExecutor(1) as pool,
        ):  # fmt: skip
            reading = pool.submit(lambda: output.extend(process.stdout or ()))
            tell = self._signs_of_life()
            while wait([reading], timeout=0.2).not_done:
                tell(output)
                if self.stop.is_set():
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, 15)
        if self.stop.is_set():
            raise EnvironmentFailed("stopped")
        if process.returncode != 0:
            tail = "".join(output[-15:]).strip()
            raise EnvironmentFailed(
                f"the environment {self.name!r} could not be installed (exit code {process.returncode}).\n{tail}\n"
                "Check that the package index can be reached, then run the same command again."
            )

    def _signs_of_life(self) -> Callable[[Sequence[str]], None]:
        """Return what tells now and then how far the installer is, given what it has printed so far."""
        started = last = time.monotonic()
        of_all = sum(line[:1].isalnum() for line in self.lock.read_text().splitlines())

        def tell(lines: Sequence[str]) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < SIGN_OF_LIFE_SECONDS:
                return
            last = now
            found = sum(line.startswith(("Collecting ", " Downloaded ")) for line in lines)
            unpacking = any(line.startswith(("Installing collected packages", "Prepared ")) for line in lines)
            doing = f"unpacking {of_all} packages" if unpacking else f"fetching package {found} of {of_all}"
            self.report(f"{self.name}: {doing} ({now - started:.0f} s)")

        return tell


def by_pip(wanted: Wanted) -> None:
    """Make an environment with a pip of its own, which installs the rest."""
    wanted.run([sys.executable, "-m", "venv", str(wanted.home)])
    wanted.run([str(wanted.home / "bin/python"), "-m", "pip", *_PIP_INSTALL, *_AS_LOCKED, "-r", str(wanted.lock)])


def by_uv(wanted: Wanted) -> None:
    """Make an environment with uv; what several environments share is unpacked once."""
    wanted.run([sys.executable, "-m", "venv", "--without-pip", str(wanted.home)])
    python = str(wanted.home / "bin/python")
    command = [str(uv.HOME / "bin/uv"), "pip", "install", "--no-progress", "--python", python]
    wanted.run([*command, *_AS_LOCKED, "-r", str(wanted.lock)], uv.settings())


def into_folder(wanted: Wanted) -> None:
    """Put what a lock names into a folder, commands into its `bin`, with the pip that is there: uv needs no more."""
    if importlib.util.find_spec("pip") is None:
        wanted.run([sys.executable, "-m", "venv", str(wanted.home / "pip")])
    command = [*uv.pip_of(wanted.home), *_PIP_INSTALL, *_AS_LOCKED]
    wanted.run([*command, "--target", str(wanted.home), "-r", str(wanted.lock)])


def _installer_environment() -> dict[str, str]:
    unwanted = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    return {key: value for key, value in os.environ.items() if key not in unwanted}
