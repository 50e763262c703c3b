"""The live view of an execution, and the summary at its end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from local_cloud.pipeline.executions import Progress
from local_cloud.pipeline.terminal import Terminal, table


def show_live(progress: Iterable[Progress], terminal: Terminal) -> Progress:
    """Show every state as it is reached, and return the end."""
    latest: Progress | None = None
    shown: dict[str, int] = {}
    current = ""
    for latest in progress:
        for state in latest.visits:
            if state not in shown:
                shown[state] = 1
                if current:
                    terminal.end(current)
                terminal.note(f"  {len(shown):2}  {state}")
        if latest.current != current:
            if current:
                terminal.end(current)
            current = latest.current
            terminal.begin_quietly(current)
    if current:
        terminal.end(current)
    if latest is None:
        raise ValueError("an execution without any progress")
    return latest


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Rows per table of the source and of the target."""

    source: Mapping[str, int]
    target: Mapping[str, int]

    @property
    def is_equal(self) -> bool:
        """Whether the target has exactly the source's tables and rows, and there are any."""
        return bool(self.source) and self.source == self.target

    def rows(self) -> list[list[str]]:
        """Return the lines of a table: name, source, target, verdict."""
        names = sorted({*self.source, *self.target})
        return [self._row(name) for name in names]

    def _row(self, name: str) -> list[str]:
        source, target = self.source.get(name), self.target.get(name)
        return [name, _number(source), _number(target), "same" if source == target else "DIFFERENT"]


def durations(progress: Progress) -> str:
    """Return a table of the states with the real time that was spent in each."""
    rows = [[visit.state, str(visit.times), f"{visit.seconds:.1f}"] for visit in progress.visits.values()]
    return table(["state", "times", "seconds"], rows)


def outcome(summary: Mapping[str, Any]) -> str:
    """Return what an execution's summary tells, line by line."""
    lines = [
        ("source snapshot", summary.get("snapshot")),
        ("snapshot copy", summary.get("copy") or "not needed"),
        ("deleted", _listed(summary.get("deleted"))),
        ("final snapshot", summary.get("final_snapshot") or "none"),
        ("created cluster", f"{summary.get('target_cluster_id')}, engine version {summary.get('engine_version')}"),
        ("created instances", _listed(summary.get("instances"))),
        ("endpoint", f"{summary.get('endpoint')}:{summary.get('port')}"),
        ("logins shut out", _listed(summary.get("shut_out"))),
        ("pruned snapshots", _listed(summary.get("pruned"))),
    ]
    users = [(f"user {name}", _listed(proofs, "; ")) for name, proofs in (summary.get("users") or {}).items()]
    width = max(len(name) for name, _ in [*lines, *users])
    return "\n".join(f"  {name.ljust(width)}  {text}" for name, text in [*lines, *users])


def operation_row(item: Mapping[str, Any] | None) -> str:
    """Return a row of the state table as indented JSON."""
    if item is None:
        return "  none yet"
    row = {key: TypeDeserializer().deserialize(value) for key, value in item.items()}
    return json.dumps(row, indent=2, sort_keys=True, default=float)


def failure(progress: Progress) -> str:
    """Return why an execution did not succeed."""
    cause = progress.cause
    with contextlib.suppress(ValueError, KeyError, TypeError):
        cause = json.loads(cause)["errorMessage"]
    return f"{progress.status}: {progress.error or 'no error name'}\n{cause}".rstrip()


def _listed(values: Iterable[str] | None, separator: str = ", ") -> str:
    return separator.join(values or ()) or "none"


def _number(value: int | None) -> str:
    return "missing" if value is None else f"{value:,}"
