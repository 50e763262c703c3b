"""Where a command prints: for people in the width and colours of their terminal, for programs as JSON."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from deployment.account import Refused
from utils.words import ends_of_commands, printable

_WIDTH_OF_A_PIPE = 160


class SafeConsole(Console):
    """A console whose texts command nothing: names and error texts may be anybody's, and hold escape sequences.

    options: what commands of restore.sh get that are named in them, before anything is laid out.
    """

    def __init__(self, options: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self._options_of_commands = options

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is printed; only Rich's own control sequences stay."""
        # A text comes here once, what it is part of as often as it is nested.
        shown = self.led(renderable) if isinstance(renderable, Text) else renderable
        for segment in super().render(shown, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))

    def led(self, text: Text) -> Text:
        """Return a text whose commands have the options."""
        ends = ends_of_commands(text.plain) if self._options_of_commands else []
        if not ends:
            return text
        first, *others = text.divide(ends)
        led = text.blank_copy().append_text(first)
        for other in others:
            led.append(self._options_of_commands).append_text(other)
        return led


class Words(Text):
    """A text inside a table or a margin, whose width is that of what is printed."""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Measure it with the options of its commands."""
        led = console.led(self) if isinstance(console, SafeConsole) else self
        return Text.__rich_measure__(led, console, options)


class Output:
    """Results on standard output, what is said by the way on standard error."""

    def __init__(self, as_json: bool, options: str = "") -> None:
        self.as_json = as_json
        # Rich knows NO_COLOR, TERM, COLUMNS and pipes; words are no markup: they may be anybody's.
        self.console: Console = SafeConsole(options, markup=False, highlight=False, emoji=False)
        self.notes: Console = SafeConsole(options, stderr=True, markup=False, highlight=False, emoji=False)
        for console in (self.console, self.notes):
            if not console.is_terminal and "COLUMNS" not in os.environ:
                console.width = _WIDTH_OF_A_PIPE

    @property
    def is_live(self) -> bool:
        """Whether somebody looks at it."""
        return self.console.is_terminal and not self.as_json

    def result(self, document: Any, shown: RenderableType) -> None:
        """Print a result."""
        if self.as_json:
            self.console.file.write(json.dumps(document, indent=2) + "\n")
        else:
            # A line of text is never broken by us: commands are copied from it, and a pipe has no width.
            self.console.print(shown, soft_wrap=isinstance(shown, str | Text))

    def file(self, path: Path, text: str) -> None:
        """Write a result to a file, and say where it is; raises `Refused` if it cannot be written."""
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Refused(f"{path} could not be written: {error}") from None
        self.note(f"written to {path}")

    def note(self, text: str) -> None:
        """Print what is no result."""
        self.notes.print(text, soft_wrap=True)
