"""The shell blocks of a Markdown file: what a reader would type, and what is not run here, with its reason.

A block that cannot run on the local cloud has `<!-- not run: REASON -->` on the line before it.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tooling.environments import REPOSITORY

SHELL = {"sh", "bash"}
# A block without a language, or with a new one, could be a command that nobody runs.
OTHERS = {"json", "mermaid", "python", "text"}
_FENCE = re.compile(r"^ *(?:```|(?=~~~))(.*)$")
_NOT_RUN = re.compile(r"^ *<!-- not run: (\S.*) -->$")


@dataclass(frozen=True, kw_only=True)
class ShellBlock:
    """A block of commands, in the section of its file it stands in."""

    path: str
    line: int
    section: str
    commands: str
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def shell_blocks(path: str) -> list[ShellBlock]:
    """Return the shell blocks of a file of the repository in their order."""
    return list(blocks_of(path, (REPOSITORY / path).read_text()))


def blocks_of(path: str, markdown: str) -> Iterator[ShellBlock]:
    """Yield the shell blocks of a text; ValueError names what would be left out in silence."""
    section, reason = "", None
    lines = enumerate(markdown.splitlines(), 1)
    for number, line in lines:
        fence, not_run = _FENCE.match(line), _NOT_RUN.match(line)
        if reason is not None and fence is None:
            raise ValueError(f"{path}:{number}: expected a shell block right after its reason, found {line!r}")
        if not_run:
            reason = not_run[1]
        elif "<!-- not run" in line:
            raise ValueError(f"{path}:{number}: expected <!-- not run: REASON -->, found {line!r}")
        elif line.startswith("#"):
            section = line.lstrip("# ")
        elif fence:
            known = SHELL if reason is not None else SHELL | OTHERS
            if fence[1] not in known:
                found, expected = fence[1] or "no language", ", ".join(sorted(known))
                raise ValueError(f"{path}:{number}: a block of {found}, expected one of {expected}")
            commands = _until_closed(lines, f"{path}:{number}")
            if fence[1] in SHELL:
                yield ShellBlock(path=path, line=number, section=section, commands=commands, reason=reason)
            reason = None
    if reason is not None:
        raise ValueError(f"{path}:{number}: a reason at the end of the file, expected a shell block after it")


def _until_closed(lines: Iterator[tuple[int, str]], where: str) -> str:
    commands: list[str] = []
    for _, line in lines:
        if line.strip() == "```":
            return textwrap.dedent("\n".join(commands)) + "\n"
        commands.append(line)
    raise ValueError(f"{where}: a block that is not closed")


# The README takes the pipeline away at its end, and the last guide deploys it from nothing.
DOCUMENTS = (
    "CONTRIBUTING.md",
    "docs/01_prerequisites.md",
    "docs/02_lambda_implementation.md",
    "docs/03_step_functions_implementation.md",
    "README.md",
    "docs/04_production_deployment.md",
)
