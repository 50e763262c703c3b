"""What is generated in the documentation is what the code says now."""

import json
from collections.abc import Callable

import pytest

from docs.blocks import Block
from docs.evidence_schema import FILE, evidence_schema
from docs.generated import GENERATED
from docs.state_machine_picture import DEFINITION, picture


@pytest.mark.parametrize(("block", "text"), GENERATED.items(), ids=lambda value: getattr(value, "name", ""))
def test_a_generated_part_is_up_to_date(block: Block, text: Callable[[], str]) -> None:
    assert block.read() == text(), "run: .local/envs/dev/bin/python -m docs"


def test_the_picture_shows_every_state_and_every_way() -> None:
    states = json.loads(DEFINITION.read_text())["States"]
    ways = sum(
        len(state.get("Choices", [])) + len(state.get("Catch", [])) + ("Default" in state) + ("Next" in state)
        for state in states.values()
    )
    lines = picture().splitlines()
    assert sum("->" in line for line in lines) == ways + 1
    assert all(any(f'"{name}"' in line for line in lines) for name in states)


def test_the_schema_of_the_evidence_is_the_models() -> None:
    assert FILE.read_text() == evidence_schema(), "run: .local/envs/dev/bin/python -m docs"
