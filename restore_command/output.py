"""Where a command prints: for people in the width and colours of their terminal, for programs as JSON."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from deployment.account import Refused
from utils.words import printable, with_options

_WIDTH_OF_A_PIPE = 160


class SafeConsole(Console):
    """A console whose texts command nothing: names and error texts may be anybody's, and hold escape sequences.

    options: what commands of restore.sh get that are named in them.
    """

    def __init__(self, options: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self._options_of_commands = options

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is printed; only Rich's own control sequences stay."""
        for segment in super().render(renderable, options):
            if not segment.control:
                segment = segment._replace(text=with_options(printable(segment.text), self._options_of_commands))
            yield segment


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
