"""What `./local.sh status` tells of an operation: for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import report, rows
from local_cloud.screen.layout import duration_text, wrapped
from local_cloud.screen.palette import Palette
from restore_command.execution import Progress


@dataclass(frozen=True, kw_only=True)
class Status:
    """An execution, the row of the operation it works on (None before there is a plan), and how far RDS is."""

    progress: Progress
    row: Mapping[str, Any] | None
    speed: float
    how_far: str

    def text(self, palette: Palette) -> str:
        """Tell how it stands, or how it ended, its steps, and what came of it."""
        parts = [self._head(palette), self._origin(palette), self._steps(palette), self._end(palette)]
        return "\n\n".join(part for part in parts if part)

    def document(self) -> str:
        """Return all of it as JSON; times of the row that RDS decided on are on RDS's simulated clock."""
        progress = self.progress
        execution = {
            "name": progress.operation_id,
            "status": progress.status,
            "state": progress.current,
            "resumes": progress.resumes or None,
            "started_at": _iso(progress.started_at),
            "stopped_at": _iso(progress.stopped_at),
            "seconds": round(progress.seconds, 3),
            "error": progress.error or None,
            "cause": progress.cause or None,
            "steps": [
                {"state": visit.state, "times": visit.times, "seconds": round(visit.seconds_so_far, 3)}
                for visit in progress.visits.values()
            ],
        }
        known = {"execution": execution, "how_far": self.how_far or None, "speed": self.speed, "row": self.row}
        return json.dumps(known, indent=2, default=float)

    def _head(self, palette: Palette) -> str:
        progress = self.progress
        mark, verb = _marks(palette).get(progress.status, (palette.bad(f"✗ {progress.status}"), "after"))
        took = duration_text(progress.seconds)
        lines = [wrapped(f"{palette.heading(progress.operation_id)}  {mark} {verb} {took}")]
        began = f"started {_clock(progress.started_at)}"
        ended = f", ended {_clock(progress.stopped_at)}" if progress.stopped_at else ""
        pace = f"{self.speed:g} times faster here than on AWS"
        lines.append(wrapped(palette.quiet(f"{began}{ended} UTC by this machine's clock; Aurora works {pace}")))
        return "\n".join(lines)

    def _origin(self, palette: Palette) -> str:
        """Tell what a resumption goes on with, and of an operation that others went on with."""
        progress, row = self.progress, self.row or {}
        others = [
            str(item["execution_arn"]).rpartition(":")[2]
            for item in row.get("executions", [])
            if not str(item["execution_arn"]).endswith(f":{progress.operation_id}")
        ]
        if progress.resumes:
            text = f"It goes on with operation {palette.heading(progress.resumes)}"
            first = next((item["error"] for item in row.get("executions", []) if item.get("error")), None)
            return wrapped(f"{text}, which had failed{_at(first)}." if first else f"{text}.")
        if others:
            return wrapped(f"It was resumed as {', '.join(others)}; the operation is {row['status']} now.")
        return ""

    def _steps(self, palette: Palette) -> str:
        if not self.progress.visits:
            return ""
        return f"{palette.heading('Steps')}\n{report.durations(self.progress)}"

    def _end(self, palette: Palette) -> str:
        progress = self.progress
        if progress.status == "RUNNING":
            return wrapped(f"{palette.heading('Now')}  {progress.current}" + f": {self.how_far}" * bool(self.how_far))
        if progress.status == "SUCCEEDED":
            return f"{palette.heading('What was done')}\n{report.outcome(progress.output)}"
        return failure(progress, palette)


def status_of(cloud: LocalCloud, progress: Progress) -> Status:
    """Gather what is known of an execution now."""
    row = rows.find_row(cloud, progress.resumes or progress.operation_id)
    running = progress.status == "RUNNING"
    how_far = rows.how_far(cloud, row, progress.current) if running else ""
    return Status(progress=progress, row=row, speed=cloud.speed, how_far=how_far)


def failure(progress: Progress, palette: Palette) -> str:
    """Return why an execution did not succeed, and where more is told."""
    name, message = report.error_of(progress)
    more = palette.quiet("The whole message, with what is left and what to do: ./local.sh messages")
    return f"{palette.bad(name)}\n{wrapped(message, below='')}\n\n{more}".replace("\n\n\n", "\n\n")


def _marks(palette: Palette) -> dict[str, tuple[str, str]]:
    return {
        "SUCCEEDED": (palette.good("✓ SUCCEEDED"), "in"),
        "RUNNING": (palette.busy("… RUNNING"), "for"),
    }


def _at(error: Mapping[str, Any]) -> str:
    step = f" at {error['step']}" if error.get("step") else ""
    return f"{step}: {error['name']}"


def _clock(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else "not yet"


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
