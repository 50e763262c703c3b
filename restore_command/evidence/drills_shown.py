"""Restores over time as a table for a terminal, and as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from restore_command.evidence.drills import Drills
from utils.evidence.page import template_of
from utils.words import duration

_HIGHEST = 15.0  # of a bar in the page
_MOST_BARS = 30
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Trend:
    """Numbers over time, the oldest first: in words, and as heights of bars."""

    text: str
    label: str
    bars: list[float]


def table_of(found: Sequence[Drills], now: datetime) -> Table:
    """Return a table, one line a source cluster."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("source", "last restored (UTC)", "by", "fresh until", "succeeded", "recovery time", "age of the data"):
        table.add_column(name, overflow="fold")
    for item in found:
        last, rto, rpo = item.last, _rto(item), _rpo(item)
        table.add_row(
            Text(str(item.source)),
            Text(f"{last.finished_at:%Y-%m-%d %H:%M}" if last else "never", "" if last else "bold red"),
            Text(last.operation_id if last else "-"),
            Text(f"{item.fresh_until:%Y-%m-%d}" if item.fresh_until else "-", "green" if item.is_fresh(now) else "red"),
            f"{len(item.restores)} of {item.runs}",
            f"{rto.text} {_spark(rto.bars)}",
            f"{rpo.text} {_spark(rpo.bars)}",
        )
    return table


def page_of(found: Sequence[Drills], **about: Any) -> str:
    """Return the page; `about` has since, now, region, fresh_days and unknown."""
    rows = [
        {
            "source": item.source,
            "last": item.last,
            "fresh": item.is_fresh(about["now"]),
            "fresh_until": item.fresh_until,
            "succeeded": len(item.restores),
            "runs": item.runs,
            "rto": _rto(item),
            "rpo": _rpo(item),
        }
        for item in found
    ]
    return template_of(Path(__file__).with_name("drills.html.jinja")).render(rows=rows, **about)


def _rto(item: Drills) -> Trend:
    values = [float(restore.rto_seconds) for restore in reversed(item.restores) if restore.rto_seconds is not None]
    return _trend(values, "recovery time", lambda value: duration(round(value)))


def _rpo(item: Drills) -> Trend:
    return _trend([restore.rpo_hours for restore in reversed(item.restores)], "age", lambda value: f"{value:.1f} h")


def _trend(values: list[float], what: str, words: Any) -> Trend:
    shown = values[-_MOST_BARS:]
    if not shown:
        return Trend("-", "", [])
    most = max(shown) or 1.0
    label = f"{what} of the last {len(shown)} restores: {', '.join(words(value) for value in shown)}"
    return Trend(words(shown[-1]), label, [round(max(value / most * _HIGHEST, 1.0), 1) for value in shown])


def _spark(bars: list[float]) -> str:
    return "".join(_BARS[min(int(bar / _HIGHEST * len(_BARS)), len(_BARS) - 1)] for bar in bars)
