"""`drills.json` and `drills.html`: the restores of a period, by source cluster, for somebody who was not there."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from utils.aws.clients import USER_AGENT
from utils.evidence.drills import Drills, SourceCluster, drills_of
from utils.evidence.page import template_of
from utils.operation.model import Operation
from utils.operation.state_table import ROWS_ARE_KEPT
from utils.words import duration

_HIGHEST = 15.0  # of a bar in the page
_MOST_BARS = 30


class Population(NamedTuple):
    """The source clusters that there are; `unknown` says why they are not known."""

    clusters: Sequence[SourceCluster]
    unknown: str = ""


class Period(BaseModel):
    """What is looked at, when: `days` until `until`, and for how long a restore proves its source."""

    model_config = ConfigDict(frozen=True)

    version: Literal["1"] = "1"
    made_by: str = USER_AGENT
    made_at: datetime
    until: datetime
    days: int = Field(ge=1, le=3660)
    fresh_days: int = Field(ge=1, le=3660)
    region: str

    @property
    def since(self) -> datetime:
        """The first moment of it."""
        return self.until - timedelta(days=self.days)

    @property
    def missing(self) -> str:
        """What of it the rows cannot tell any more; empty if they have all of it."""
        kept_since = self.made_at - ROWS_ARE_KEPT
        if self.since >= kept_since:
            return ""
        return f"rows are kept for {ROWS_ARE_KEPT.days} days: what ended before {kept_since:%Y-%m-%d} is missing here"


class Trend(NamedTuple):
    """Numbers over time, the oldest first: in words, and as heights of bars up to `1`."""

    text: str
    label: str
    bars: list[float]


def found_in(period: Period, operations: Iterable[Operation], population: Population) -> list[Drills]:
    """Return each source's restores of the period."""
    fresh_for = timedelta(days=period.fresh_days)
    until = period.until if period.until < period.made_at else None
    return drills_of(operations, population.clusters, since=period.since, until=until, fresh_for=fresh_for)


def notes_on(period: Period, population: Population) -> list[str]:
    """Return what is not known."""
    return [note for note in (population.unknown, period.missing) if note]


def document_of(period: Period, found: Sequence[Drills], population: Population) -> dict[str, Any]:
    """Return `drills.json` as JSON values."""
    return {
        **period.model_dump(mode="json", exclude={"days"}),
        "since": period.since.isoformat(),
        "population_known": not population.unknown,
        "note": "; ".join(notes_on(period, population)) or None,
        "sources": [item.document(period.until) for item in found],
    }


def as_text(period: Period, found: Sequence[Drills], population: Population) -> str:
    """Return `drills.json`."""
    return json.dumps(document_of(period, found, population), indent=2) + "\n"


def page_of_period(period: Period, found: Sequence[Drills], population: Population) -> str:
    """Return `drills.html`."""
    rows = [
        {
            "source": item.source,
            "last": item.last,
            "fresh": item.is_fresh(period.until),
            "fresh_until": item.fresh_until,
            "succeeded": len(item.restores),
            "runs": item.runs,
            "left_behind": item.left_behind,
            "trends": [("Recovery time", recovery_time_of(item)), ("Age of the data", age_of(item))],
        }
        for item in found
    ]
    return template_of("drills.html.jinja").render(
        rows=rows, period=period, unknown=population.unknown, notes=notes_on(period, population)
    )


def recovery_time_of(item: Drills) -> Trend:
    """Return how long the restores took."""
    values = [float(restore.rto_seconds) for restore in reversed(item.restores) if restore.rto_seconds is not None]
    return _trend(values, "recovery time", [duration(round(value)) for value in values])


def age_of(item: Drills) -> Trend:
    """Return how old the data of the restores was."""
    values = [restore.rpo_hours for restore in reversed(item.restores)]
    return _trend(values, "age", [f"{value:.1f} h" for value in values])


def _trend(values: list[float], what: str, words: list[str]) -> Trend:
    if not values:
        return Trend("-", "", [])
    shown, words = values[-_MOST_BARS:], words[-_MOST_BARS:]
    most = max(shown) or 1.0
    label = f"{what} of the last {len(shown)} restores: {', '.join(words)}"
    return Trend(words[-1], label, [round(max(value / most * _HIGHEST, 1.0), 1) for value in shown])
