"""The state machine as a Mermaid flowchart, made from its definition."""

import json
import re
from collections.abc import Iterator
from typing import Any

from docs.blocks import REPOSITORY

DEFINITION = REPOSITORY / "statemachine/aurora_restore.asl.json"
SHAPES = {
    "Task": ("[", "]"),
    "Choice": ("{", "}"),
    "Wait": ("[/", "/]"),
    "Map": ("[[", "]]"),
    "Pass": ("[", "]"),
    "Succeed": ("((", "))"),
    "Fail": ("((", "))"),
}


def picture() -> str:
    """Return the flowchart as a Markdown code block."""
    definition = json.loads(DEFINITION.read_text())
    states = definition["States"]
    lines = ["```mermaid", "flowchart TD", f"  Start(( )) --> {_node(definition['StartAt'])}"]
    for name, state in states.items():
        opening, closing = SHAPES[state["Type"]]
        lines.append(f'  {_node(name)}{opening}"{name}"{closing}')
    for name, state in states.items():
        lines += [f"  {_node(name)} {arrow} {_node(target)}" for arrow, target in _ways(state)]
    return "\n".join([*lines, "```"])


def _ways(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the arrow and the next state of every way out of a state."""
    for choice in state.get("Choices", []):
        yield f'-- "{_in_words(choice["Condition"])}" -->', choice["Next"]
    if "Default" in state:
        yield '-- "otherwise" -->', state["Default"]
    if "Next" in state:
        yield "-->", state["Next"]
    for catcher in state.get("Catch", []):
        yield '-. "fails" .->', catcher["Next"]


def _in_words(condition: str) -> str:
    """Return what a condition compares with, such as READY."""
    return " or ".join(re.findall(r"'([A-Z_]+)'", condition)) or condition.strip("{% }")


def _node(name: str) -> str:
    return re.sub(r"\W", "", name.title())
