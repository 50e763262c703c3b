"""The state machine in production's account, line by line, as a list kept by hand has it."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conventions.cfn_yaml import load_template

AS_IT_MUST_BE = (Path(__file__).parent / "sharing_machine.txt").read_text().splitlines()


def lines_of(node: Any, path: str = "") -> Iterator[str]:
    """Yield every value of a definition after the way to it; comments are nobody's business."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key != "Comment":
                yield from lines_of(value, f"{path} > {key}" if path else key)
    elif isinstance(node, list):
        for number, value in enumerate(node, 1):
            yield from lines_of(value, f"{path} {number}")
    else:
        yield f"{path}: {' '.join(str(node).split())}"


def test_every_state_is_as_it_must_be() -> None:
    properties = load_template("infrastructure/source-account.yaml")["Resources"]["SharingStateMachine"]["Properties"]
    found = list(lines_of({name: properties[name] for name in ("DefinitionSubstitutions", "Definition")}))
    difference = list(difflib.unified_diff(AS_IT_MUST_BE, found, "sharing_machine.txt", "the template", lineterm=""))
    assert not difference, "\n".join(["if this is meant, write it into sharing_machine.txt by hand:", *difference])
