"""What the user sees: lines with the elapsed time, one of them alive on a terminal."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_REDRAW_SECONDS = 0.1
_CLEAR = "\r\x1b[K"


class Terminal:
    """Prints finished steps as lines; on a terminal the running ones share one line that moves."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._started = time.monotonic()
        self._running: dict[str, float] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        if self._live:
            threading.Thread(target=self._redraw, daemon=True).start()

    def say(self, text: str = "") -> None:
        """Print lines."""
        with self._lock:
            self._clear()
            print(text, file=self._stream, flush=True)

    def note(self, text: str) -> None:
        """Print a line with the time since the start."""
        self.say(f"{self._clock(self._started)}  {text}")

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show something as running, then as done with its own time."""
        self.begin(text)
        started = time.monotonic()
        try:
            yield
        except BaseException:
            self.end(text)
            raise
        self.end(text)
        self.note(f"✓ {text} ({time.monotonic() - started:.1f} s)")

    def begin(self, text: str) -> None:
        """Show something as running."""
        self.begin_quietly(text)
        if not self._live:
            self.note(f"… {text}")

    def begin_quietly(self, text: str) -> None:
        """Show something as running, on a terminal only."""
        with self._lock:
            self._running[text] = time.monotonic()

    def end(self, text: str) -> None:
        """No longer show it."""
        with self._lock:
            self._running.pop(text, None)
            self._clear()

    def close(self) -> None:
        """Stop moving."""
        self._stopped.set()
        with self._lock:
            self._running.clear()
            self._clear()

    def _redraw(self) -> None:
        frame = 0
        while not self._stopped.wait(_REDRAW_SECONDS):
            with self._lock:
                if not self._running:
                    continue
                frame += 1
                shown = [f"{text} {self._clock(since)}" for text, since in self._running.items()]
                line = f"{self._clock(self._started)}  {_FRAMES[frame % len(_FRAMES)]} {', '.join(shown)}"
                width = shutil.get_terminal_size().columns - 1
                self._stream.write(_CLEAR + line[:width])
                self._stream.flush()

    def _clear(self) -> None:
        if self._live:
            self._stream.write(_CLEAR)

    @staticmethod
    def _clock(since: float) -> str:
        minutes, seconds = divmod(int(time.monotonic() - since), 60)
        return f"{minutes:02}:{seconds:02}"


def table(header: list[str], rows: list[list[str]], *, indent: str = "  ") -> str:
    """Return a table; columns of numbers are aligned to the right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: list[str]) -> str:
        cells = [
            cell.rjust(width) if cell.replace(",", "").replace(".", "").isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        return (indent + "  ".join(cells)).rstrip()

    return "\n".join([line(header), line(["─" * width for width in widths]), *(line(row) for row in rows)])
