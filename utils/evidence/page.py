"""`report.html`: the evidence as a page of its own, one file without scripts; all that it shows is text."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from utils.evidence.markdown import objective_in_words, phase_in_words
from utils.evidence.model import Evidence, Phase
from utils.words import duration

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent
_WIDTH = 1000.0  # of a bar's picture, in its own units
_NARROWEST = 2.0


class Bar(NamedTuple):
    """A part of a phase in the timeline's picture."""

    kind: str
    x: float
    width: float


def page_of(evidence: Evidence) -> str:
    """Return the page."""
    return template_of(_HERE / "report.html.jinja").render(
        e=evidence,
        rows=[(phase, bars_of(phase, evidence.timeline), phase_in_words(phase)) for phase in evidence.timeline],
        total=duration(round(_span(evidence.timeline))),
        changed=[item for item in evidence.settings.changes if item.before != item.after],
        same=[item for item in evidence.settings.changes if item.before == item.after],
    )


def bars_of(phase: Phase, timeline: list[Phase]) -> list[Bar]:
    """Return work, waiting and approval of a phase, one after the other, where the phase lies in the whole."""
    span = _span(timeline) or 1.0
    x = (phase.started_at - timeline[0].started_at).total_seconds() / span * _WIDTH
    bars = []
    for kind in ("work", "waiting", "approval"):
        seconds = getattr(phase, f"{kind}_seconds")
        if seconds:
            width = max(seconds / span * _WIDTH, _NARROWEST)
            bars.append(Bar(kind, round(min(x, _WIDTH - _NARROWEST), 1), round(width, 1)))
            x += width
    return bars


@cache
def template_of(file: Path) -> "Template":
    """Return a template of a page of ours, with the style and the filters that all have."""
    # Only who makes a page loads the engine: restore.sh knows this module for all its commands.
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"minute": _minute, "words": objective_in_words, "value": _value, "pretty": _pretty}
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - this repository's own
    return environment.from_string(file.read_text(encoding="utf-8"), {"style": style})


def _span(timeline: list[Phase]) -> float:
    if not timeline:
        return 0.0
    return (max(phase.finished_at for phase in timeline) - timeline[0].started_at).total_seconds()


def _minute(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "-"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2)


def _value(value: Any) -> str:
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items() if item is not None)
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)
