"""Colours, where somebody looks at them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TextIO

_GREEN, _RED, _BOLD, _DIM = "32", "1;31", "1", "2"


@dataclass(frozen=True)
class Palette:
    """Marks what is good and what is bad; leaves text as it is where nobody would see the colour."""

    coloured: bool

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the palette of a stream: in colours on a terminal that has them, unless NO_COLOR (no-color.org)."""
        plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
        return cls(stream.isatty() and not plain)

    def good(self, text: str) -> str:
        """Mark what is as it should be."""
        return self._in(_GREEN, text)

    def bad(self, text: str) -> str:
        """Mark what failed."""
        return self._in(_RED, text)

    def heading(self, text: str) -> str:
        """Mark a heading."""
        return self._in(_BOLD, text)

    def quiet(self, text: str) -> str:
        """Mark what matters less."""
        return self._in(_DIM, text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.coloured else text
