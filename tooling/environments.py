"""The project-local Python environments: made from the hash-locked requirements, made again when these change."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = REPOSITORY / "requirements"
LOCAL = REPOSITORY / ".local"
ENVIRONMENTS = LOCAL / "envs"
NAMES = ("cloud", "sam", "aws")
# MiB that are fetched for each, as measured; a first start tells their sum.
FETCHED_MIB = {
    "cloud": 72, "sam": 59, "aws": 22, "dev": 104, "checkov": 54, "lambda": 25, "node": 59, "locks": 5, "operator": 27,
}  # fmt: skip
SIGN_OF_LIFE_SECONDS = 10.0
_COMPLETE = ".complete"
_IN_USE = ".in-use"


class EnvironmentFailed(Exception):
    """An environment could not be made; the message ends with the installer's last lines."""


def environment_bin(name: str) -> Path:
    """Return the folder of an environment's commands."""
    return ENVIRONMENTS / name / "bin"


@contextlib.contextmanager
def in_use(folder: Path = ENVIRONMENTS) -> Iterator[None]:
    """Keep what is installed while something long runs in it: an environment whose lock changed gets a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _IN_USE).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


def ensure(
    names: Sequence[str] = NAMES,
    report: Callable[[str], None] = lambda _line: None,
    *,
    requirements: Path = REQUIREMENTS,
    folder: Path | None = None,
) -> None:
    """Make the named environments that are missing or older than their lock file."""
    folder = folder or ENVIRONMENTS
    missing = [name for name in names if not _is_current(folder, requirements, name)]
    if not missing:
        return
    report(_announcement(folder, missing))
    folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    with ThreadPoolExecutor(len(missing)) as pool:
        jobs = {pool.submit(_ensure_one, folder, requirements, name, report, stop): name for name in missing}
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:
            stop.set()
            raise


def _announcement(folder: Path, missing: Sequence[str]) -> str:
    """Return what is about to be fetched, how much that is, and that it is once."""
    size = sum(FETCHED_MIB.get(name, 0) for name in missing)
    again = any((folder / name).is_symlink() for name in missing)
    why = "Their lock has changed" if again else "First start"
    return (
        f"{why}: fetching {', '.join(missing)} from the package index, about {size} MiB.\n"
        f"This is done once and takes some minutes; it is kept in {folder}."
    )


def _ensure_one(
    folder: Path, requirements: Path, name: str, report: Callable[[str], None], stop: threading.Event
) -> None:
    with _locked(folder / f".{name}.lock", stop):
        if _is_current(folder, requirements, name):  # another process made it while this one waited
            return
        started = time.monotonic()
        report(f"{name}: installing")
        home = folder / _versioned(requirements, name)
        if home.exists():
            shutil.rmtree(home)
        lock = requirements / f"{name}.txt"
        _run([sys.executable, "-m", "venv", str(home)], name, stop, lambda _lines: None)
        _run(_pip_install(home, lock), name, stop, _signs_of_life(name, lock, report))
        (home / _COMPLETE).touch()
        _point(folder / name, home)
        _remove_older(folder, name, home)
        report(f"{name}: installed in {time.monotonic() - started:.0f} s")


def _pip_install(home: Path, lock: Path) -> list[str]:
    # --no-deps: the lock is complete, and pip before 24 refuses a locked dependency that is asked for with extras.
    return [str(home / "bin" / "python"), "-m", "pip", "install", "--progress-bar=off", "--no-input", "--no-deps",
            "--no-compile", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:",
            "-r", str(lock)]  # fmt: skip


def _versioned(requirements: Path, name: str) -> str:
    """Return the folder's name: scripts in an environment carry its path, so it is built where it will stay."""
    lock = (requirements / f"{name}.txt").read_bytes()
    mark = hashlib.sha256(lock + sys.version.encode() + sys.base_prefix.encode()).hexdigest()[:12]
    return f"{name}-{mark}"


def _is_current(folder: Path, requirements: Path, name: str) -> bool:
    link = folder / name
    current = folder / _versioned(requirements, name)
    return link.is_symlink() and link.resolve() == current.resolve() and (current / _COMPLETE).exists()


def _point(link: Path, home: Path) -> None:
    """Make the environment visible at once and whole: a rename of a symbolic link is atomic."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(home.name)
    fresh.replace(link)


def _remove_older(folder: Path, name: str, home: Path) -> None:
    with (folder / _IN_USE).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody works with the older one
            return
        for other in folder.glob(f"{name}-*"):
            if other != home:
                shutil.rmtree(other)


@contextlib.contextmanager
def _locked(path: Path, stop: threading.Event) -> Iterator[None]:
    with path.open("w") as handle:
        while True:
            if stop.is_set():
                raise EnvironmentFailed("stopped")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.2)
        yield


def _signs_of_life(name: str, lock: Path, report: Callable[[str], None]) -> Callable[[Sequence[str]], None]:
    """Return what tells now and then how far the installer is, given what it has printed so far."""
    started = last = time.monotonic()
    of_all = sum(line[:1].isalnum() for line in lock.read_text().splitlines())

    def tell(lines: Sequence[str]) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < SIGN_OF_LIFE_SECONDS:
            return
        last = now
        found = sum(line.startswith("Collecting ") for line in lines)
        unpacking = any(line.startswith("Installing collected packages") for line in lines)
        doing = f"unpacking {of_all} packages" if unpacking else f"fetching package {found} of {of_all}"
        report(f"{name}: {doing} ({now - started:.0f} s)")

    return tell


def _run(command: list[str], name: str, stop: threading.Event, meanwhile: Callable[[Sequence[str]], None]) -> None:
    """Run a command in a group of its own, so that stopping it stops what it started."""
    output: list[str] = []
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, env=_installer_environment(),
        ) as process,
        ThreadPoolExecutor(1) as pool,
    ):  # fmt: skip
        reading = pool.submit(lambda: output.extend(process.stdout or ()))
        while wait([reading], timeout=0.2).not_done:
            meanwhile(output)
            if stop.is_set():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 15)
    if stop.is_set():
        raise EnvironmentFailed("stopped")
    if process.returncode != 0:
        tail = "".join(output[-15:]).strip()
        raise EnvironmentFailed(
            f"the environment {name!r} could not be installed (exit code {process.returncode}).\n{tail}\n"
            "Check that the package index can be reached, then run the same command again."
        )


def _installer_environment() -> dict[str, str]:
    unwanted = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    return {key: value for key, value in os.environ.items() if key not in unwanted}
