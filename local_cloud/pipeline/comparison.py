"""Rows of the source and of the target, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_cloud.screen.palette import Palette


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


def _number(value: int | None) -> str:
    return "missing" if value is None else f"{value:,}"
