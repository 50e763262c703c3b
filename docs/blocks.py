"""Generated parts of Markdown files: what stands between `<!-- NAME:start -->` and `<!-- NAME:end -->`."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Block:
    """A generated part of a file."""

    path: str
    name: str

    def read(self) -> str:
        """Return what stands between the marks."""
        return self._parts()[1].strip()

    def write(self, text: str) -> None:
        """Put a text between the marks."""
        before, _, after = self._parts()
        (REPOSITORY / self.path).write_text(f"{before}{self._start}\n{text}\n{self._end}{after}")

    def _parts(self) -> tuple[str, str, str]:
        before, rest = (REPOSITORY / self.path).read_text().split(self._start, 1)
        inside, after = rest.split(self._end, 1)
        return before, inside, after

    @property
    def _start(self) -> str:
        return f"<!-- {self.name}:start -->"

    @property
    def _end(self) -> str:
        return f"<!-- {self.name}:end -->"
