"""Filters and pages of the Describe calls."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from local_cloud.aurora.errors import invalid_value
from local_cloud.aurora.state.resources import Resource

T = TypeVar("T")
FilterTest = Callable[[Any, list[str]], bool]
PAGE_SIZES = range(20, 101)


def keep_matching(items: Iterable[T], params: Mapping[str, Any], tests: Mapping[str, FilterTest]) -> list[T]:
    """Return the items that pass all Filters; raise InvalidParameterValue for a filter RDS does not have."""
    kept = list(items)
    for wanted in params.get("Filters", []):
        name = wanted.get("Name")
        if name not in tests:
            raise invalid_value(f"Unrecognized filter name: {name}")
        values = wanted.get("Values") or []
        if not values:
            raise invalid_value(f"The filter {name} must have at least one value.")
        kept = [item for item in kept if tests[name](item, values)]
    return kept


def by_identifier(item: Resource, values: list[str]) -> bool:
    """Test whether identifier or ARN is among the values."""
    return item.arn in values or item.identifier in [value.lower() for value in values]


def page(
    items: Iterable[T], params: Mapping[str, Any], key: Callable[[Any], str] = lambda item: str(item.arn)
) -> tuple[list[T], str | None]:
    """Return one page in the order of `key`, and the Marker of the next page."""
    size = params.get("MaxRecords", PAGE_SIZES.stop - 1)
    if size not in PAGE_SIZES:
        raise invalid_value(f"Invalid value {size} for MaxRecords. Must be between 20 and 100")
    start = _decode(params["Marker"]) if params.get("Marker") else ""
    rest = sorted((item for item in items if key(item) > start), key=key)
    marker = _encode(key(rest[size - 1])) if len(rest) > size else None
    return rest[:size], marker


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(marker: str) -> str:
    try:
        return base64.urlsafe_b64decode(marker.encode()).decode()
    except (binascii.Error, UnicodeError):
        raise invalid_value(f"Invalid marker: {marker}") from None
