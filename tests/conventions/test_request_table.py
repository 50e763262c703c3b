"""The tables, the JSON Schema, the request model and the example inputs say the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from docs.blocks import REPOSITORY
from docs.request_schema import FILE, request_schema
from docs.request_table import first_fields_table, request_table
from restore_command.fleet.requests import FleetRequest
from utils.request.model import RestoreRequest
from utils.request.parsing import parse_request
from utils.settings import Settings

FLEET = REPOSITORY / "statemachine/inputs/fleet.json"
INPUTS = sorted({*(REPOSITORY / "statemachine/inputs").glob("*.json")} - {FLEET})
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


def fields_of(model: type[BaseModel], path: str = "", shown: set[Any] | None = None) -> Iterator[str]:
    """The dotted paths of a model, found without the table's own code; of an optional object only the first time."""
    shown = set() if shown is None else shown
    for name, field in model.model_fields.items():
        inner = models_in(field.annotation)
        is_optional = bool(getattr(field.annotation, "__args__", ()))
        if not inner or (is_optional and inner[0] in shown):
            yield f"{path}{name}"
            continue
        if is_optional:
            shown.add(inner[0])
        yield from fields_of(inner[0], f"{path}{name}[]." if is_list(field.annotation) else f"{path}{name}.", shown)


def models_in(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for inner in getattr(kind, "__args__", ()) for model in models_in(inner)]


def is_list(kind: Any) -> bool:
    return "list[" in str(kind)


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


def test_the_example_of_a_fleet_has_requests_on_any_stack() -> None:
    fleet = FleetRequest.model_validate(json.loads(FLEET.read_text()))
    assert len({parse_request(operation, SETTINGS).target.cluster_id for operation in fleet.operations or []}) > 1


def test_the_example_with_every_field_has_every_field() -> None:
    example = json.loads((REPOSITORY / "statemachine/inputs/every_field.json").read_text())
    given = given_in(example)
    missing = set(fields_of(RestoreRequest)) - given
    # What this example has not (its instances are not serverless, it joins no directory …), it can only name.
    unsaid = {
        path
        for path in missing
        if not any(path.startswith((f"{name}.", f"{name}[].")) or name.startswith(f"{path}.") for name in given)
    }
    assert unsaid == set()


def test_the_readme_shows_what_people_set_first_and_leads_to_the_rest() -> None:
    rows = first_fields_table().splitlines()[2:]
    assert len(rows) <= 16
    assert set(rows) < set(request_table().splitlines())
    assert "(docs/request.md)" in (REPOSITORY / "README.md").read_text()


def test_the_schema_for_editors_is_the_models() -> None:
    assert FILE.read_text() == request_schema(), "run: .local/envs/dev/bin/python -m docs"


def test_an_editor_marks_unknown_fields_and_misses_nothing_that_the_stack_gives() -> None:
    schema = json.loads(FILE.read_text())
    objects = [schema, *(kind for kind in schema["$defs"].values() if "properties" in kind)]
    assert all(kind["additionalProperties"] is False for kind in objects)
    assert not any("required" in kind for kind in (schema, schema["$defs"]["Source"], schema["$defs"]["Target"]))
    assert set(schema["properties"]) - set(RestoreRequest.model_fields) == {"resume"}
