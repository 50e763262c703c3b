"""The journal: every API call, for an observer from outside."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_SECRET_PARTS = ("password", "presignedurl")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One API call; `outcome` is OK or the wire code of the error, `time` is on the simulated clock.

    before: what a changing call found (local_cloud.aurora.front.scene), at the very moment.
    """

    time: str
    caller: str
    account_id: str
    region: str
    operation: str
    parameters: Mapping[str, Any]
    outcome: str
    message: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """Keeps the entries in memory and as JSON lines in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def write(self, entry: Entry) -> None:
        """Add an entry."""
        with self._lock:
            self._entries.append(entry)
            with self._file.open("a") as file:
                file.write(json.dumps(asdict(entry), default=str) + "\n")

    def entries(self, operation: str | None = None) -> list[Entry]:
        """Return all entries, or those of one operation, oldest first."""
        with self._lock:
            return [entry for entry in self._entries if operation in (None, entry.operation)]


def masked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters without passwords."""
    return {
        name: "****" if isinstance(value, str) and _is_secret(name) else value for name, value in parameters.items()
    }


def _is_secret(name: str) -> bool:
    return any(part in name.lower() for part in _SECRET_PARTS)
