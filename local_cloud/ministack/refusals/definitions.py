"""Definitions: every state that is named as the next one, or as the first, is there; no name is given twice.

https://states-language.net/spec.html ("Transitions", "States"); AWS calls them MISSING_TRANSITION_TARGET and
DUPLICATE_STATE_NAME, the latter whatever branch or Map the two states are in.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]


def install() -> None:
    """Refuse a definition with a transition into nothing, or with two states of one name."""
    states = ministack_modules.service("stepfunctions")
    invalid: Callable[[Any], str | None] = states._validate_definition_jsonata

    def invalid_or_incoherent(definition: Any) -> str | None:
        return invalid(definition) or next(_incoherent(definition), None)

    states._validate_definition_jsonata = invalid_or_incoherent


def _incoherent(definition: Any) -> Iterator[str]:
    try:
        parsed = json.loads(definition)
    except (TypeError, ValueError):
        return  # said by others
    machines = list(_machines(parsed, ""))
    yield from (problem for path, machine in machines for problem in _dangling(machine, path))
    names = Counter(name for _, machine in machines for name in machine.get("States", {}))
    for name, times in names.items():
        if times > 1:
            yield f"Invalid State Machine Definition: 'DUPLICATE_STATE_NAME: Duplicate State name: {name}'"


def _machines(machine: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Yield a machine and those in its states, each with its path."""
    yield path, machine
    for name, state in machine.get("States", {}).items():
        here = f"{path}/States/{name}"
        for number, branch in enumerate(state.get("Branches", [])):
            yield from _machines(branch, f"{here}/Branches[{number}]")
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _machines(state[key], f"{here}/{key}")


def _dangling(machine: Json, path: str) -> Iterator[str]:
    states = machine.get("States", {})
    wanted = [(f"{path}/StartAt", machine.get("StartAt"))]
    for name, state in states.items():
        here = f"{path}/States/{name}"
        wanted += [(f"{here}/{key}", state[key]) for key in ("Next", "Default") if key in state]
        for kind in ("Catch", "Choices"):
            wanted += [
                (f"{here}/{kind}[{number}]", item.get("Next")) for number, item in enumerate(state.get(kind, []))
            ]
    for place, target in wanted:
        if target not in states:
            yield (
                "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: "
                f"Missing 'Next' target: {target} at {place}'"
            )
