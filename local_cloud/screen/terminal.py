"""What the user sees: lines with the elapsed time, one of them alive on a terminal."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from local_cloud.screen.layout import clock_text, wrapped
from local_cloud.screen.palette import Palette

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_REDRAW_SECONDS = 0.1
_CLEAR = "\r\x1b[K"


class Terminal:
    """Prints finished steps as lines; on a terminal the running ones share one line that moves."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream = stream or sys.stdout
        self.palette = Palette.of(stream)
        self.is_live = stream.isatty()
        self._started = time.monotonic()
        self._running: dict[str, float] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        if self.is_live:
            threading.Thread(target=self._redraw, daemon=True).start()

    def say(self, text: str = "") -> None:
        """Print lines; a longer one goes on below its own text."""
        self._print(wrapped(text))

    def note(self, text: str) -> None:
        """Print a line with the time since the start."""
        elapsed = clock_text(time.monotonic() - self._started)
        self._print(wrapped(f"{elapsed}  {text}", below=" " * (len(elapsed) + 4)))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show something as running, then as done, or as failed, with its own time."""
        self.begin(text)
        started = time.monotonic()
        try:
            yield
        except BaseException:
            self.end(text)
            self.note(f"{self.palette.bad('✗')} {text} ({time.monotonic() - started:.1f} s)")
            raise
        self.end(text)
        self.note(f"{self.palette.good('✓')} {text} ({time.monotonic() - started:.1f} s)")

    def begin(self, text: str) -> None:
        """Show something as running."""
        with self._lock:
            self._running[text] = time.monotonic()
        if not self.is_live:
            self.note(f"… {text}")

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

    def _print(self, text: str) -> None:
        with self._lock:
            self._clear()
            print(text, file=self._stream, flush=True)

    def _redraw(self) -> None:
        frame = 0
        while not self._stopped.wait(_REDRAW_SECONDS):
            with self._lock:
                if not self._running:
                    continue
                frame += 1
                shown = [f"{text} {clock_text(time.monotonic() - since)}" for text, since in self._running.items()]
                elapsed = clock_text(time.monotonic() - self._started)
                line = f"{elapsed}  {_FRAMES[frame % len(_FRAMES)]} {', '.join(shown)}"
                width = shutil.get_terminal_size().columns - 1
                self._stream.write(_CLEAR + line[:width])
                self._stream.flush()

    def _clear(self) -> None:
        if self.is_live:
            self._stream.write(_CLEAR)
