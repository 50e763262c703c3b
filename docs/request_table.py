"""The README's table of the request, made from the model."""

import json
from collections.abc import Iterator
from typing import Any

from utils.request.model import RestoreRequest

HEADER = ["| Field | Type | Default | Meaning |", "|---|---|---|---|"]

Schema = dict[str, Any]


def request_table() -> str:
    """Return the table, a row for each field by its dotted path."""
    schema = RestoreRequest.model_json_schema()
    return "\n".join([*HEADER, *_rows(schema, schema["$defs"], "")])


def _rows(model: Schema, definitions: Schema, path: str) -> Iterator[str]:
    required = model.get("required", [])
    for name, field in model["properties"].items():
        kind = _resolved(field, definitions)
        item = _resolved(kind["items"], definitions) if "items" in kind else {}
        if "properties" in item:
            yield _row(f"{path}{name}", "list of objects", "`[]`", field["description"])
            yield from _rows(item, definitions, f"{path}{name}[].")
            continue
        if "properties" not in kind:
            default = _default(field) if name not in required else _where_from(field)
            yield _row(f"{path}{name}", _type(kind), default, field["description"])
            continue
        if field.get("default", ...) is None:
            yield _row(f"{path}{name}", "object", "`null`", field["description"])
        yield from _rows(kind, definitions, f"{path}{name}.")


def _row(path: str, kind: str, default: str, meaning: str) -> str:
    return f"| `{path}` | {kind} | {default} | {meaning} |"


def _resolved(field: Schema, definitions: Schema) -> Schema:
    """Return what a field holds, without the reference and the `null` around it."""
    kinds: list[Schema] = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    reference = kinds[0].get("$ref")
    if reference:
        found: Schema = definitions[reference.rsplit("/", 1)[-1]]
        return found
    return kinds[0] if len(kinds) == 1 else {"type": " or ".join(dict.fromkeys(str(kind["type"]) for kind in kinds))}


def _where_from(field: Schema) -> str:
    return "the stack's" if "Stack parameter" in field["description"] else "required"


def _default(field: Schema) -> str:
    if field.get("default", "") is None:
        return "`null`"
    if "default" in field:
        return f"`{json.dumps(field['default'])}`"
    return "`[]`" if field.get("type") == "array" else "`{}`"


def _type(kind: Schema) -> str:
    if "enum" in kind:
        return " or ".join(f"`{value}`" for value in kind["enum"])
    if kind["type"] == "array":
        return f"list of {_type(kind['items'])}"
    if kind["type"] == "object":
        return f"object of {_type(kind['additionalProperties'])}"
    lowest, highest = kind.get("minimum"), kind.get("maximum")
    return f"{kind['type']}, {lowest} to {highest}" if lowest is not None else str(kind["type"])
