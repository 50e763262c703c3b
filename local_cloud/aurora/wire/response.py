"""Query-protocol answers out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, Shape, StructureShape

from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.wire.model import operation_model

NAMESPACE = "http://rds.amazonaws.com/doc/2014-10-31/"


def render_result(operation: str, result: Mapping[str, Any], request_id: str) -> bytes:
    """Return the XML of a successful answer; members that the installed botocore does not know are left out."""
    root = ElementTree.Element(f"{operation}Response", xmlns=NAMESPACE)
    model = operation_model(operation)
    shape = model.output_shape if model else None
    if isinstance(shape, StructureShape):
        wrapper = ElementTree.SubElement(root, shape.serialization.get("resultWrapper", f"{operation}Result"))
        _fill_structure(wrapper, shape, result)
    metadata = ElementTree.SubElement(root, "ResponseMetadata")
    ElementTree.SubElement(metadata, "RequestId").text = request_id
    return _document(root)


def render_error(error: ApiError, request_id: str) -> bytes:
    """Return the XML of an error."""
    root = ElementTree.Element("ErrorResponse", xmlns=NAMESPACE)
    element = ElementTree.SubElement(root, "Error")
    ElementTree.SubElement(element, "Type").text = "Sender" if error.http_status < 500 else "Receiver"
    ElementTree.SubElement(element, "Code").text = error.code
    ElementTree.SubElement(element, "Message").text = error.message
    ElementTree.SubElement(root, "RequestId").text = request_id
    return _document(root)


def iso(moment: datetime) -> str:
    """Return a time as RDS writes it: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _document(root: ElementTree.Element) -> bytes:
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _fill_structure(element: ElementTree.Element, shape: StructureShape, values: Mapping[str, Any]) -> None:
    for name, member in shape.members.items():
        value = values.get(name)
        if value is not None:
            child = ElementTree.SubElement(element, member.serialization.get("name", name))
            _fill(child, member, value)


def _fill(element: ElementTree.Element, shape: Shape, value: Any) -> None:
    if isinstance(shape, StructureShape):
        _fill_structure(element, shape, value)
    elif isinstance(shape, ListShape):
        for item in value:
            child = ElementTree.SubElement(element, shape.member.serialization.get("name", "member"))
            _fill(child, shape.member, item)
    else:
        element.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(value)
    return str(value)
