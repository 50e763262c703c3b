"""The preview of a run as lines for people; from its JSON, so that programs around the pipeline need nothing else."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any


class Tone(StrEnum):
    """How a part of a line is meant; what shows lines decides what that looks like."""

    HEADING = "heading"
    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    QUIET = "quiet"


Mark = Callable[[Tone, str], str]
_TONES = {"pass": Tone.GOOD, "warn": Tone.ATTENTION, "fail": Tone.BAD}
_NOTHING = "-"
_NAME_WIDTH, _WIDEST_NAME, _MOST_VALUE = 26, 48, 60


def lines_of(preview: Mapping[str, Any], mark: Mark = lambda _tone, text: text) -> list[str]:
    """Return the preview, one part after the other; a part that has nothing to say is left out."""
    parts = (
        ("A run would", _numbered(preview["actions"])),
        ("Settings", _settings(preview["settings"], mark)),
        ("Cannot be put back", _listed(preview["not_put_back"], lambda text: mark(Tone.ATTENTION, text))),
        ("What protects the old data", _listed(preview["protects"])),
        ("Copied", _listed(preview["copies"])),
        ("Made", _listed(preview["makes"])),
        ("Deleted", _listed(preview["deletes"], lambda text: mark(Tone.ATTENTION, text))),
        ("Pruned at the end", _listed(preview["prunes"], lambda text: mark(Tone.ATTENTION, text))),
        ("Final snapshots that stay", _listed(preview["keeps"])),
        ("Other snapshots, and why not", [f"  - {item['identifier']}: {item['why']}" for item in preview["rejected"]]),
        ("Checks", _checks(preview["checks"], mark)),
        ("Expected to take", _expected(preview)),
    )
    return [line for title, lines in parts if lines for line in ("", mark(Tone.HEADING, title), *lines)]


def lines_of_output(output: Mapping[str, Any], mark: Mark = lambda _tone, text: text) -> list[str]:
    """Return the preview in the output of a dry run; of a pipeline from before there was one its actions."""
    if "preview" in output:
        return lines_of(output["preview"], mark)
    return ["", mark(Tone.HEADING, "A run would"), *_numbered(output.get("plan") or [])]


def _numbered(actions: Sequence[str]) -> list[str]:
    return [f"  {number:2}. {action}" for number, action in enumerate(actions, 1)]


def _listed(items: Any, show: Callable[[str], str] = str) -> list[str]:
    return [f"  - {show(item)}" for item in items]


def _settings(settings: Sequence[Mapping[str, Any]], mark: Mark) -> list[str]:
    lines = []
    width = min(max((len(setting["name"]) for setting in settings), default=0), _WIDEST_NAME)
    for setting in settings:
        before, after = _value(setting["before"]), _value(setting["after"])
        name, source = f"{setting['name']:<{width}}", mark(Tone.QUIET, f"({setting['source']})")
        # The values, not what fits on the line: a change may be past its end.
        if setting["before"] == setting["after"] or {before, after} == {_NOTHING}:
            lines.append(f"    {name} {after}  {source}")
        else:
            lines.append(f"  {mark(Tone.ATTENTION, '~')} {name} {before} -> {mark(Tone.ATTENTION, after)}  {source}")
    return lines


def _value(value: Any) -> str:
    if value is None or value in ([], {}):
        return _NOTHING
    text = _text(value)
    return text if len(text) <= _MOST_VALUE else f"{text[:_MOST_VALUE]}..."


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ("; " if any(isinstance(item, dict) for item in value) else ", ").join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={_inner(item)}" for key, item in value.items() if item not in (None, [], {}))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _inner(value: Any) -> str:
    return f"({_text(value)})" if isinstance(value, list | dict) else _text(value)


def _checks(checks: Sequence[Mapping[str, Any]], mark: Mark) -> list[str]:
    lines = []
    for check in checks:
        outcome = str(check["outcome"])
        lines.append(f"  {mark(_TONES[outcome], f'{outcome:4}')} {check['name']:<{_NAME_WIDTH}} {check['found']}")
        if outcome != "pass":
            lines.append(f"       expected {check['expected']}; what to do: {check['do']}")
    return lines


def _expected(preview: Mapping[str, Any]) -> list[str]:
    minutes = preview["expected_minutes"]
    if not minutes:
        return ["  not known: no run over this target has succeeded yet"]
    runs = preview["earlier_runs"]
    phases = ", ".join(f"{phase} {value:g} min" for phase, value in minutes.items())
    return [f"  {phases} (the middle of {runs} earlier run{'s' * (runs != 1)})"]
