"""The live view of an execution, and the summary at its end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.screen.layout import fields, table
from local_cloud.screen.palette import Palette
from local_cloud.screen.terminal import Terminal
from restore_command.execution import Progress
from utils.report.preview_text import Tone, lines_of_output


def show_live(
    progress: Iterable[Progress], terminal: Terminal, how_far: Callable[[Progress], str] = lambda _progress: ""
) -> Progress:
    """Show every state as it is reached, and return the end; `how_far` is asked for the one that lasts."""
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
        if terminal.is_live and latest.status == "RUNNING":
            terminal.detail(current, how_far(latest))
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

    def rows(self, palette: Palette) -> list[list[str]]:
        """Return the lines of a table: name, source, target, verdict."""
        names = sorted({*self.source, *self.target})
        return [self._row(name, palette) for name in names]

    def _row(self, name: str, palette: Palette) -> list[str]:
        source, target = self.source.get(name), self.target.get(name)
        verdict = palette.good("same") if source == target else palette.bad("DIFFERENT")
        return [name, _number(source), _number(target), verdict]


def durations(progress: Progress) -> str:
    """Return a table of the states with the real time that was spent in each."""
    rows = [[visit.state, str(visit.times), f"{visit.seconds_so_far:.1f}"] for visit in progress.visits.values()]
    return table(["state", "times", "seconds"], rows)


def plan(summary: Mapping[str, Any], palette: Palette) -> str:
    """Return what a run would do, from the summary of a dry run."""
    marks = {
        Tone.HEADING: palette.heading,
        Tone.GOOD: palette.good,
        Tone.ATTENTION: palette.busy,
        Tone.BAD: palette.bad,
        Tone.QUIET: palette.quiet,
    }
    lines = lines_of_output(summary, lambda tone, text: marks[tone](text))
    return "\n".join(["  Nothing was changed: it was a dry run.", *lines])


def outcome(summary: Mapping[str, Any]) -> str:
    """Return what an execution's summary tells, line by line."""
    if summary.get("dry_run"):
        return plan(summary, Palette(coloured=False))
    lines = [
        ("source snapshot", _resource(summary.get("snapshot"))),
        ("snapshot copy", _resource(summary.get("copy")) or "not needed"),
        ("deleted", _listed(summary.get("deleted"))),
        ("final snapshot", _resource(summary.get("final_snapshot")) or "none"),
        ("created cluster", f"{summary.get('target_cluster_id')}, engine version {summary.get('engine_version')}"),
        ("created instances", _listed(summary.get("instances"))),
        ("endpoint", f"{summary.get('endpoint')}:{summary.get('port')}"),
        ("logins shut out", _listed(summary.get("shut_out"))),
        ("pruned snapshots", _listed(summary.get("pruned"))),
    ]
    users = [
        (name if number == 0 else "", proof)
        for name, proofs in (summary.get("users") or {}).items()
        for number, proof in enumerate(proofs)
    ]
    return fields(lines) + (f"\n\nUsers, proven\n{fields(users)}" if users else "")


def error_of(progress: Progress) -> tuple[str, str]:
    """Return name and message of what ended an execution."""
    cause = progress.cause
    with contextlib.suppress(ValueError, KeyError, TypeError):
        cause = json.loads(cause)["errorMessage"]
    return progress.error or progress.status, cause


def _resource(arn: str | None) -> str:
    """Return what an ARN names, with its Region: short enough for a line of its own."""
    if not arn:
        return ""
    *_, region, _, _, name = str(arn).split(":", 6)
    return f"{name} ({region})"


def _listed(values: Iterable[str] | None, separator: str = ", ") -> str:
    return separator.join(values or ()) or "none"


def _number(value: int | None) -> str:
    return "missing" if value is None else f"{value:,}"
