"""The project-local Python environments: made from the hash-locked requirements, made again when these change."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tooling.installers import EnvironmentFailed, Wanted, by_pip, by_uv, into_folder

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = REPOSITORY / "requirements"
LOCAL = REPOSITORY / ".local"
ENVIRONMENTS = LOCAL / "envs"
NAMES = ("cloud", "sam", "aws", "operator")
UV = "uv"
# MiB that are fetched for each, as measured; a first start tells their sum.
FETCHED_MIB = {
    "cloud": 72, "sam": 59, "aws": 22, "dev": 104, "checkov": 54, "lambda": 25, "node": 59, "locks": 5, "operator": 32,
    "uv": 19,
}  # fmt: skip
_COMPLETE = ".complete"
_IN_USE = ".in-use"


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
    has_uv = _is_current(ENVIRONMENTS, REQUIREMENTS, UV)
    report(_announcement(folder, missing if has_uv else [UV, *missing]))
    if not has_uv:
        has_uv = _fetch_uv(report)
    _make(folder, requirements, missing, report, [by_uv, by_pip] if has_uv else [by_pip])


def _fetch_uv(report: Callable[[str], None]) -> bool:
    """Fetch what installs the rest; tell whether that is there."""
    try:
        _make(ENVIRONMENTS, REQUIREMENTS, [UV], report, [into_folder])
    except EnvironmentFailed as failed:
        report(f"{failed}\npip installs the rest, which takes longer.")
        return False
    return True


def _make(
    folder: Path,
    requirements: Path,
    names: Sequence[str],
    report: Callable[[str], None],
    installers: Sequence[Callable[[Wanted], None]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()

    def make(name: str) -> None:
        home = folder / _versioned(requirements, name)
        lock = requirements / f"{name}.txt"
        _ensure_one(folder, requirements, Wanted(name=name, home=home, lock=lock, report=report, stop=stop), installers)

    with ThreadPoolExecutor(len(names)) as pool:
        jobs = [pool.submit(make, name) for name in names]
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
    folder: Path, requirements: Path, wanted: Wanted, installers: Sequence[Callable[[Wanted], None]]
) -> None:
    with _locked(folder / f".{wanted.name}.lock", wanted.stop):
        if _is_current(folder, requirements, wanted.name):  # another process made it while this one waited
            return
        started = time.monotonic()
        wanted.report(f"{wanted.name}: installing")
        _install(wanted, installers)
        (wanted.home / _COMPLETE).touch()
        _point(folder / wanted.name, wanted.home)
        _remove_older(folder, wanted.name, wanted.home)
        wanted.report(f"{wanted.name}: installed in {time.monotonic() - started:.0f} s")


def _install(wanted: Wanted, installers: Sequence[Callable[[Wanted], None]]) -> None:
    """Try one installer after the other; what the last one says is what failed."""
    *others, last = installers
    for install in others:
        _clear(wanted.home)
        try:
            install(wanted)
        except EnvironmentFailed as failed:
            if wanted.stop.is_set():
                raise
            wanted.report(f"{failed}\n{wanted.name}: once more, with pip")
        else:
            return
    _clear(wanted.home)
    last(wanted)


def _clear(home: Path) -> None:
    if home.exists():
        shutil.rmtree(home)


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
