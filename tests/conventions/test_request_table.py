"""The README's table, the request model and the example inputs say the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from docs.blocks import REPOSITORY
from docs.request_table import request_table
from utils.request.model import RestoreRequest
from utils.request.parsing import parse_request
from utils.settings import Settings

INPUTS = sorted((REPOSITORY / "statemachine/inputs").glob("*.json"))
SETTINGS = Settings(
    environment="dev",
    state_table_name="state",
    audit_table_name="audit",
    sns_topic_arn="arn:aws:sns:us-west-2:123456789012:topic",
    source_region="us-east-1",
    target_region="us-west-2",
    kms_key_id="key",
    master_secret_name="master",
    app_secret_name="app",
)


def fields_of(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The dotted paths of a model, found without the table's own code."""
    for name, field in model.model_fields.items():
        inner = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if is_model(kind)]
        if inner:
            is_list = getattr(field.annotation, "__origin__", None) is list
            yield from fields_of(inner[0], f"{path}{name}[]." if is_list else f"{path}{name}.")
        else:
            yield f"{path}{name}"


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def given_in(document: dict[str, Any], path: str = "") -> set[str]:
    """The dotted paths of an input; what is null, or tags, has no paths below it."""
    paths = set()
    for name, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            paths |= {field for item in value for field in given_in(item, f"{path}{name}[].")}
            continue
        nested = isinstance(value, dict) and name != "tags"
        paths |= given_in(value, f"{path}{name}.") if nested else {f"{path}{name}"}
    return paths


def test_the_table_has_a_row_with_a_meaning_for_every_field() -> None:
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in request_table().splitlines()[2:]]
    assert {"target.serverless_v2.min_capacity", "source.snapshot", "dry_run"} <= set(fields_of(RestoreRequest))
    assert set(fields_of(RestoreRequest)) <= {path.strip("`") for path, *_ in rows}
    assert all(len(row) == 4 and all(row) for row in rows)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_an_example_input_is_a_request_on_any_stack(path: Path) -> None:
    parse_request(json.loads(path.read_text()), SETTINGS)


def test_the_example_with_every_field_has_every_field() -> None:
    example = json.loads((REPOSITORY / "statemachine/inputs/every_field.json").read_text())
    missing = set(fields_of(RestoreRequest)) - given_in(example)
    # Instances of one class: this example's are not serverless, so it can only name the field.
    assert missing == {path for path in missing if path.startswith("target.serverless_v2.")}
    assert "target.serverless_v2" in given_in(example) or not missing
