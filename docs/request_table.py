"""The tables of the request's fields, made from the model: the whole one, and what people set first."""

import json
from collections.abc import Iterator
from typing import Any

from utils.request.model import RestoreRequest

HEADER = ["| Field | Type | Default | Meaning |", "|---|---|---|---|"]
# What the README shows.
FIRST = (
    "source.cluster_id",
    "source.region",
    "source.snapshot",
    "source.max_age_hours",
    "target.cluster_id",
    "target.inherit_settings",
    "target.instances.count",
    "target.instances.instance_class",
    "target.engine_version",
    "final_snapshot",
    "on_failure",
    "override_deletion_protection",
    "keep_logins",
    "post_restore_sql",
    "checks",
    "dry_run",
)

Schema = dict[str, Any]


def request_table() -> str:
    """Return the whole table, a row for each field by its dotted path."""
    return "\n".join([*HEADER, *(row for _, row in _all_rows())])


def first_fields_table() -> str:
    """Return the rows of what people set first."""
    rows = dict(_all_rows())
    return "\n".join([*HEADER, *(rows[path] for path in FIRST)])


def _all_rows() -> Iterator[tuple[str, str]]:
    schema = RestoreRequest.model_json_schema()
    return _rows(schema, schema["$defs"], "", {})


def _rows(model: Schema, definitions: Schema, path: str, shown: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield path and row of each field; an optional object of a kind that was shown names where that was."""
    required = model.get("required", [])
    for name, field in model["properties"].items():
        kind = _resolved(field, definitions)
        here, inner, inside = _what_is_inside(f"{path}{name}", kind, definitions)
        if inner is None:
            default = _where_from(field) if name in required else _default(field)
            yield here, _row(here, _type(kind), default, field["description"])
            continue
        title, is_optional = inner["title"], "properties" not in kind or field.get("default", ...) is None
        if is_optional and title in shown:
            meaning = f"{field['description']} Fields as in `{shown[title]}`."
            yield here, _row(here, _kind_of_container(kind), _default(field), meaning)
            continue
        if is_optional:
            shown[title] = here
            yield here, _row(here, _kind_of_container(kind), _default(field), field["description"])
        yield from _rows(inner, definitions, inside, shown)


def _what_is_inside(path: str, kind: Schema, definitions: Schema) -> tuple[str, Schema | None, str]:
    """Return a field's own path, the object in it if there is one, and the path of that one's fields."""
    if "properties" in kind:
        return path, kind, f"{path}."
    for member, mark in (("items", "[]"), ("additionalProperties", ".<name>")):
        inner = kind.get(member)
        if isinstance(inner, dict):
            inner = _resolved(inner, definitions)
            if "properties" in inner:
                return path, inner, f"{path}{mark}."
    return path, None, ""


def _kind_of_container(kind: Schema) -> str:
    if "items" in kind:
        return "list of objects"
    return "object" if "properties" in kind else "object of objects, by name"


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
    kinds = [field, *field.get("anyOf", [])]
    return "`[]`" if any(kind.get("type") == "array" for kind in kinds) else "`{}`"


def _type(kind: Schema) -> str:
    if "enum" in kind:
        return " or ".join(f"`{value}`" for value in kind["enum"])
    if kind["type"] == "array":
        return f"list of {_type(kind['items'])}"
    if kind["type"] == "object":
        return f"object of {_type(kind['additionalProperties'])}"
    lowest, highest = kind.get("minimum"), kind.get("maximum")
    return f"{kind['type']}, {lowest} to {highest}" if lowest is not None else str(kind["type"])
