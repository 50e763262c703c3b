"""Run folders: one per running local cloud, locked by it for as long as it lives."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from local_cloud import paths
from local_cloud.description import Description
from tooling import environments

KEPT = "kept"
_LOCK = "lock"
_STARTING_SECONDS = 60.0


def create(folder: Path | None = None) -> Path:
    """Make a new run folder, with a name of its own if none is wanted; FileExistsError if it is there."""
    folder = (folder or paths.RUNS / uuid.uuid4().hex[:8]).resolve()
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def one_at_a_time(what: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Let one process of this checkout do something at a time; `waiting` is called if another one does it just now."""
    paths.LOCAL.mkdir(exist_ok=True)
    with (paths.LOCAL / f"{what}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Mark a run folder as alive; the operating system takes the mark away however the holder ends."""
    with environments.in_use(), (folder / _LOCK).open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def is_alive(folder: Path) -> bool:
    """Tell whether a local cloud runs in this folder."""
    try:
        with (folder / _LOCK).open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def describe(folder: Path) -> Description | None:
    """Return the description of the local cloud that runs in this folder, None without one, or while it starts."""
    if not is_alive(folder):
        return None
    try:
        return Description.read(folder)
    except FileNotFoundError:
        return None


def holder(folder: Path) -> int:
    """Return the process id of the supervisor of a running local cloud."""
    return int((folder / _LOCK).read_text())


def remove_dead(folder: Path) -> None:
    """Remove what a local cloud that was killed left behind."""
    if folder.exists() and not is_alive(folder):
        remove_aurora(folder)
        shutil.rmtree(folder, ignore_errors=True)


def remove_aurora(folder: Path) -> None:
    """Stop the PostgreSQL servers that a killed server process left, and remove their data wherever it is."""
    # Imported late: the package needs psycopg2, which is not there yet when the environments are made.
    importlib.import_module("local_cloud.aurora").remove_leftovers(folder / "aurora")


def remove_all_dead(runs: Path = paths.RUNS) -> None:
    """Remove what earlier local clouds left behind; those that run or just start are left alone."""
    for folder in runs.iterdir() if runs.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            fresh = time.time() - folder.stat().st_mtime < _STARTING_SECONDS
            if not (fresh or (folder / KEPT).exists()):
                remove_dead(folder)
