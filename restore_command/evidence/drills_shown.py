"""Restores over time as a table for a terminal."""

from collections.abc import Sequence
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from utils.evidence.drills import Drills
from utils.evidence.period import age_of, recovery_time_of

_BARS = "▁▂▃▄▅▆▇█"


def table_of(found: Sequence[Drills], now: datetime) -> Table:
    """Return a table, one line a source cluster."""
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for name in ("source", "last restored (UTC)", "by", "fresh until", "succeeded", "recovery time", "age of the data"):
        table.add_column(name, overflow="fold")
    for item in found:
        last, rto, rpo = item.last, recovery_time_of(item), age_of(item)
        table.add_row(
            Text(str(item.source)),
            Text(f"{last.finished_at:%Y-%m-%d %H:%M}" if last else "never", "" if last else "bold red"),
            Text(_by(item)),
            Text(f"{item.fresh_until:%Y-%m-%d}" if item.fresh_until else "-", "green" if item.is_fresh(now) else "red"),
            f"{len(item.restores)} of {item.runs}",
            f"{rto.text} {_spark(rto.bars)}",
            f"{rpo.text} {_spark(rpo.bars)}",
        )
    return table


def _by(item: Drills) -> str:
    """Name the run of the last restore, and what a drill that could not be cleaned up has left standing."""
    last = item.last
    name = "-" if last is None else f"{last.operation_id} (drill)" if last.drill_of else last.operation_id
    return f"{name}; left behind: {', '.join(item.left_behind)}" if item.left_behind else name


def _spark(bars: Sequence[float]) -> str:
    most = max(bars, default=1.0)
    return "".join(_BARS[min(int(bar / most * len(_BARS)), len(_BARS) - 1)] for bar in bars)
