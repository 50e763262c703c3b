"""Query-protocol requests in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, Shape, StructureShape
from botocore.utils import parse_timestamp

from local_cloud.aurora.errors import ApiError, NotSupportedError, invalid_value, missing_parameter
from local_cloud.aurora.wire.model import operation_model

Parameters = dict[str, Any]
# https://www.w3.org/TR/xml/#charsets
_NOT_OF_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PROTOCOL_FIELDS = frozenset({"Action", "Version"})


def parse_form(body: bytes) -> dict[str, str]:
    """Return the form fields of a request body; raise InvalidParameterValue for what XML, the answer, cannot hold."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    for field, value in form.items():
        if _NOT_OF_XML.search(value):
            raise invalid_value(f"The value of {field} has characters that are not valid in XML.")
    return form


def parse_parameters(operation: str, form: Mapping[str, str]) -> Parameters:
    """Return the members of an operation's input, typed as the service model says."""
    model = operation_model(operation)
    if model is None:
        raise ApiError("InvalidAction", f"The action {operation} is not valid for this web service.")
    shape = model.input_shape
    if not isinstance(shape, StructureShape):
        return {}
    known = set(shape.members)
    for field in form:
        if field.partition(".")[0] not in known and field not in _PROTOCOL_FIELDS:
            raise NotSupportedError(f"The parameter {field} of {operation}")
    parameters = _structure(shape, form, "")
    for name in shape.required_members:
        if name not in parameters:
            raise missing_parameter(name)
    return parameters


def _structure(shape: StructureShape, form: Mapping[str, str], prefix: str) -> Parameters:
    values = {}
    for name, member in shape.members.items():
        value = _value(member, form, f"{prefix}{name}")
        if value is not None:
            values[name] = value
    return values


def _value(shape: Shape, form: Mapping[str, str], field: str) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, form, f"{field}.") if _has_below(form, field) else None
    if isinstance(shape, ListShape):
        return _list(shape, form, field)
    text = form.get(field)
    return None if text is None else _scalar(shape.type_name, text, field)


def _list(shape: ListShape, form: Mapping[str, str], field: str) -> list[Any] | None:
    if form.get(field) == "":
        return []
    values = []
    item_names = {shape.member.serialization.get("name", "member"), "member"}
    for item_name in item_names:
        index = 1
        while _has_below(form, f"{field}.{item_name}.{index}"):
            values.append(_value(shape.member, form, f"{field}.{item_name}.{index}"))
            index += 1
    return values or None


def _has_below(form: Mapping[str, str], field: str) -> bool:
    return field in form or any(name.startswith(f"{field}.") for name in form)


def _scalar(type_name: str, text: str, field: str) -> Any:
    try:
        if type_name in {"integer", "long"}:
            return int(text)
        if type_name in {"float", "double"}:
            return float(text)
        if type_name == "timestamp":
            return _utc(parse_timestamp(text))
        if type_name == "boolean":
            return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError, OverflowError, RuntimeError):  # the last is botocore's, for a time
        raise invalid_value(f"Invalid value {text} for {field}: expected type {type_name}.") from None
    return text


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
