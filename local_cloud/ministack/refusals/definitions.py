"""Definitions: every state that is named as the next one, or as the first, is there.

https://states-language.net/spec.html ("Transitions"); AWS calls it MISSING_TRANSITION_TARGET
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]


def install() -> None:
    """Refuse a definition with a transition into nothing."""
    states = ministack_modules.service("stepfunctions")
    invalid: Callable[[Any], str | None] = states._validate_definition_jsonata

    def invalid_or_dangling(definition: Any) -> str | None:
        return invalid(definition) or next(_dangling(definition), None)

    states._validate_definition_jsonata = invalid_or_dangling


def _dangling(definition: Any) -> Iterator[str]:
    try:
        parsed = json.loads(definition)
    except (TypeError, ValueError):
        return  # said by others
    yield from _in_one(parsed, "")


def _in_one(machine: Json, path: str) -> Iterator[str]:
    states = machine.get("States", {})
    wanted = [(f"{path}/StartAt", machine.get("StartAt"))]
    for name, state in states.items():
        here = f"{path}/States/{name}"
        wanted += [(f"{here}/{key}", state[key]) for key in ("Next", "Default") if key in state]
        for kind in ("Catch", "Choices"):
            wanted += [
                (f"{here}/{kind}[{number}]", item.get("Next")) for number, item in enumerate(state.get(kind, []))
            ]
        for number, branch in enumerate(state.get("Branches", [])):
            yield from _in_one(branch, f"{here}/Branches[{number}]")
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _in_one(state[key], f"{here}/{key}")
    for place, target in wanted:
        if target not in states:
            yield (
                "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: "
                f"Missing 'Next' target: {target} at {place}'"
            )
