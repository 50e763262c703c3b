"""The journal of database round trips, for an observer from outside: who asked what kind of thing, never a value."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from local_cloud.aurora.postgres.proxy.doorkeeper import RoundTrip

KEPT = 100_000


@dataclass(frozen=True, kw_only=True)
class SqlEntry(RoundTrip):
    """One round trip at a cluster's door; `time` is on the simulated clock, `fault` what went wrong on demand."""

    time: str
    cluster: str
    region: str
    fault: str = ""


@dataclass
class SqlJournal:
    """Keeps the newest round trips in memory; a deque's append is atomic."""

    _entries: deque[SqlEntry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def write(self, entry: SqlEntry) -> None:
        """Add an entry."""
        self._entries.append(entry)

    def entries(self, cluster: str | None = None) -> list[SqlEntry]:
        """Return all entries, or those of one cluster, oldest first."""
        return [entry for entry in self._entries.copy() if cluster in (None, entry.cluster)]
