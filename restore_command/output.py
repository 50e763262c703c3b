"""Where a command prints: for people in the width and colours of their terminal, for programs as JSON."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from deployment.account import Refused


class Output:
    """Results on standard output, what is said by the way on standard error."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        # Rich knows NO_COLOR, TERM, COLUMNS and pipes; words are no markup: they may be anybody's.
        self.console = Console(markup=False, highlight=False, emoji=False, soft_wrap=False)
        self.notes = Console(stderr=True, markup=False, highlight=False, emoji=False)

    @property
    def is_live(self) -> bool:
        """Whether somebody looks at it."""
        return self.console.is_terminal and not self.as_json

    def result(self, document: Any, shown: RenderableType) -> None:
        """Print a result."""
        if self.as_json:
            self.console.file.write(json.dumps(document, indent=2) + "\n")
        else:
            self.console.print(shown)

    def file(self, path: Path, text: str) -> None:
        """Write a result to a file, and say where it is; raises `Refused` if it cannot be written."""
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Refused(f"{path} could not be written: {error}") from None
        self.note(f"written to {path}")

    def note(self, text: str) -> None:
        """Print what is no result."""
        self.notes.print(text)
