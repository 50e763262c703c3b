"""Data directories on disk: what a snapshot is a copy of."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator

from local_cloud.aurora.postgres.host import PostgresHost

GIBIBYTE = 1024**3


class Volume:
    """One PostgreSQL data directory that no server writes to (a snapshot's), or that one server owns (a cluster's).

    The lock makes "copy it" and "remove it" wait for each other.
    """

    def __init__(self, host: PostgresHost, name: str) -> None:
        self._host = host
        self.folder = host.data_root / name
        self.data = self.folder / "data"
        self.lock = threading.RLock()
        self._removed = False

    def create(self) -> None:
        """Make the empty folder, unless the volume was removed before its data came."""
        if self._removed:
            raise RuntimeError(f"{self.folder.name} is removed")
        self.folder.mkdir(mode=0o700)
        self._host.hand_over(self.folder)

    def copy_from(self, source: Volume) -> None:
        """Fill this volume with a full copy of a volume at rest, for a server to write to."""
        with self._filled_from(source):
            self._host.copy(source.data, self.data)

    def link_from(self, source: Volume) -> None:
        """Fill this volume with hard links: only between snapshots, whose files nobody ever writes to."""
        with self._filled_from(source):
            shutil.copytree(source.data, self.data, symlinks=True, copy_function=os.link)
            self._host.hand_over(self.folder)

    def remove(self) -> None:
        """Remove the folder."""
        with self.lock:
            self._removed = True
            shutil.rmtree(self.folder, ignore_errors=True)

    def size_gib(self) -> int:
        """Return the size in GiB, rounded up, at least 1."""
        size = sum(path.lstat().st_size for path in self.data.rglob("*"))
        return max(1, -(-size // GIBIBYTE))

    @contextlib.contextmanager
    def _filled_from(self, source: Volume) -> Iterator[None]:
        with source.lock, self.lock:
            if not source.data.is_dir():
                raise RuntimeError(f"the data of {source.folder.name} is gone")
            self.create()
            yield
