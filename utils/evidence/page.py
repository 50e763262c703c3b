"""`report.html`: the evidence as a page of its own, one file without scripts; all that it shows is text."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from utils.evidence.markdown import against_objective, measured_in_words, phase_in_words
from utils.evidence.model import Evidence, Phase
from utils.words import counted, duration

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent
_KINDS = ("work", "waiting", "approval")
_WIDTH = 1000.0  # of a bar's picture, in its own units
_NARROWEST = 2.0


class Bar(NamedTuple):
    """A part of a phase in the timeline's picture."""

    kind: str
    x: float
    width: float


def page_of(evidence: Evidence) -> str:
    """Return the page."""
    timeline = evidence.timeline
    return template_of("report.html.jinja").render(
        e=evidence,
        rows=[(phase, bars_of(phase, timeline), _in_words(phase)) for phase in timeline],
        total=duration(round(_span(timeline))),
        ended=max((phase.finished_at for phase in timeline), default=None),
        changed=[item for item in evidence.settings.changes if item.before != item.after],
        same=[item for item in evidence.settings.changes if item.before == item.after],
    )


def bars_of(phase: Phase, timeline: list[Phase]) -> list[Bar]:
    """Return work, waiting and approval of a phase, one after the other, where the phase lies in the whole."""
    span = _span(timeline) or 1.0
    x = (phase.started_at - timeline[0].started_at).total_seconds() / span * _WIDTH
    bars = []
    for kind in _KINDS:
        seconds = getattr(phase, f"{kind}_seconds")
        if seconds:
            width = max(seconds / span * _WIDTH, _NARROWEST)
            bars.append(Bar(kind, round(min(x, _WIDTH - _NARROWEST), 1), round(width, 1)))
            x += width
    return bars


@cache
def template_of(name: str) -> "Template":
    """Return a template of a page, with the style and the filters that all have."""
    # Only who makes a page loads the engine: restore.sh knows this module for all its commands.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FileSystemLoader(_HERE)
    )
    environment.filters |= _FILTERS
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - this repository's own
    return environment.get_template(name, globals={"style": style})


def _in_words(phase: Phase) -> list[tuple[str, str]]:
    """Return what a phase's time went into, and how long; one that took no time was work."""
    words = dict(zip(_KINDS, phase_in_words(phase), strict=True))
    return [(kind, text) for kind, text in words.items() if getattr(phase, f"{kind}_seconds")] or [("work", "0 s")]


def _span(timeline: list[Phase]) -> float:
    if not timeline:
        return 0.0
    return (max(phase.finished_at for phase in timeline) - timeline[0].started_at).total_seconds()


def _minute(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "-"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2)


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items() if item is not None)
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)


def _seconds(seconds: float | None) -> str:
    return "A time that was not measured," if seconds is None else f"{seconds:g} s"


def _usd(amount: float | None) -> str:
    return "not known" if amount is None else f"${amount:,.2f}"


def _calls(calls: dict[str, int]) -> str:
    return ", ".join(f"{call} ({times})" if times > 1 else call for call, times in calls.items()) or "-"


_FILTERS: dict[str, Callable[..., str]] = {
    "minute": _minute,
    "measured": measured_in_words,
    "against": against_objective,
    "value": _value,
    "pretty": _pretty,
    "counted": counted,
    "seconds": _seconds,
    "calls": _calls,
    "usd": _usd,
}
