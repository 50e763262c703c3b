"""Folders in memory, where data is copied and removed for a fraction of what it takes on disk (Linux)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - made with mkdtemp
PLENTY = 4 * 1024**3  # bytes; a dozen clusters with their snapshots take a quarter
PREFIX = "local-aurora-"
_AVAILABLE = re.compile(r"^MemAvailable: +(\d+) kB$", re.MULTILINE)


class FolderInMemory:
    """A folder that is locked while its process or a server in it lives; what dead ones left, the next removes."""

    def __init__(self, memory: Path) -> None:
        remove_leftovers(memory)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
            self._handle = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._handle, fcntl.LOCK_SH)
            if self.path.exists():
                return
            os.close(self._handle)  # taken for a leftover before it was locked

    @property
    def locks(self) -> tuple[int, ...]:
        """The lock, for the servers to inherit."""
        return (self._handle,)

    def release(self) -> None:
        """Give up the lock; nothing to do the second time."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def remove_leftovers(memory: Path) -> None:
    """Remove the folders of processes that are gone, their servers too."""
    for folder in memory.glob(f"{PREFIX}*"):
        with contextlib.suppress(FileNotFoundError, PermissionError, BlockingIOError), _locked(folder):
            shutil.rmtree(folder, ignore_errors=True)


def has_plenty(memory: Path) -> bool:
    """Tell whether there is so much memory that data in it is in nobody's way, and programs can run there."""
    meminfo = Path("/proc/meminfo")
    if not (memory.is_dir() and os.access(memory, os.W_OK) and meminfo.exists()):
        return False
    there = os.statvfs(memory)
    available = _AVAILABLE.search(meminfo.read_text())
    is_free = there.f_bavail * there.f_frsize >= PLENTY and available and int(available[1]) * 1024 >= PLENTY
    return bool(is_free) and not there.f_flag & os.ST_NOEXEC


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
