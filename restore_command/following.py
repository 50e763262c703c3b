"""Follows a run to its end: live on a terminal, a line for each state elsewhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rich.live import Live
from rich.text import Text

from restore_command import execution as executions
from restore_command import views
from restore_command.ending import asks
from restore_command.execution import Progress
from restore_command.exit_codes import FAILED, RUNNING, SUCCEEDED
from restore_command.output import Output
from restore_command.records import Records, Run, usual_seconds
from utils.report.preview_text import Tone, lines_of_output

_LOOK_SECONDS = 2.0
# Letters of nobody's alphabet, which stand for a tone until the lines are made.
_TONES = {chr(0xE000 + number): style for number, style in enumerate(("bold", "green", "yellow", "bold red", "dim"))}
_BEGIN = dict(zip((Tone.HEADING, Tone.GOOD, Tone.ATTENTION, Tone.BAD, Tone.QUIET), _TONES, strict=True))
_END = "\ue00f"
_TONED = re.compile(f"([{''.join(_TONES)}][^{_END}]*){_END}")
_Look = tuple[Progress, Run | None]


def follow(states: Any, records: Records, output: Output, arn: str) -> int:
    """Show a run until it has ended; Ctrl-C leaves it alone."""
    looks, operation = _looks(states, records, arn), arn.rpartition(":")[2]
    try:
        progress, run = _live(looks, records, output) if output.is_live else _in_lines(looks, output)
    except KeyboardInterrupt:
        output.note(f"{operation} goes on. Watch it again: ./restore.sh watch {operation}")
        return RUNNING
    if output.as_json:
        output.result(_document(progress, run), "")
    elif progress.output.get("dry_run"):
        output.result(None, _plan(progress.output))
    else:
        output.result(None, views.verdict(progress, run))
    return SUCCEEDED if progress.status == "SUCCEEDED" else FAILED


def _looks(states: Any, records: Records, arn: str) -> Iterator[_Look]:
    for progress in executions.follow(states, arn, seconds=_LOOK_SECONDS):
        yield progress, records.at(progress.resumes or progress.operation_id)


def _live(looks: Iterator[_Look], records: Records, output: Output) -> _Look:
    usual: dict[str, int] | None = None
    with Live(console=output.console, auto_refresh=False) as display:
        for progress, run in looks:
            if run is not None and usual is None:
                usual = usual_seconds(records.runs(), run)
            display.update(views.live(progress, run, usual or {}), refresh=True)
    return progress, run


def _in_lines(looks: Iterator[_Look], output: Output) -> _Look:
    shown: set[str] = set()
    asked = ""
    for look in looks:
        for state in (state for state in look[0].visits if state not in shown):
            if not output.as_json:
                output.note(state)
        shown |= set(look[0].visits)
        if asks(look[1]) not in ("", asked) and not output.as_json:
            asked = asks(look[1])
            output.note(asked)
    return look


def _document(progress: Progress, run: Run | None) -> dict[str, Any]:
    return {
        "execution": progress.operation_id,
        "status": progress.status,
        "seconds": round(progress.seconds),
        "error": progress.error or None,
        "cause": progress.cause or None,
        "output": progress.output or None,
        "run": run.document() if run else None,
    }


def _plan(output: Mapping[str, Any]) -> Text:
    """Return what a run would do, from the output of a dry run."""
    words = "\n".join(["Nothing was changed.", *lines_of_output(output, _toned)])
    text = Text()
    for part in _TONED.split(words):
        tone = _TONES.get(part[:1])
        text.append(part[1:] if tone else part, tone)
    return text


def _toned(tone: Tone, text: str) -> str:
    return f"{_BEGIN[tone]}{text}{_END}"
