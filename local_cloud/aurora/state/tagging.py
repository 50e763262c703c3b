"""Tags in requests and answers."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from local_cloud.aurora.errors import invalid_value
from local_cloud.aurora.state.resources import Tags

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256
# API reference of RDS, Tag: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"
SIGNS = "_.:/=+-@"
_CATEGORIES = "LZN"


def requested_tags(params: Mapping[str, Any]) -> Tags:
    """Return the Tags of a request; raise InvalidParameterValue for tags RDS refuses."""
    tags: Tags = {}
    for tag in params.get("Tags", []):
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not key or len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise invalid_value(
                f"Invalid tag {key!r}: a key has 1-{LONGEST_KEY}, a value 0-{LONGEST_VALUE} characters."
            )
        for text in (key, value):
            if wrong := next((letter for letter in text if not _is_allowed(letter)), None):
                raise invalid_value(
                    f"Invalid tag {key}={value}: found {wrong!r}; tags hold letters, digits, spaces and {SIGNS} only."
                )
        if key.lower().startswith(("aws:", "rds:")):
            raise invalid_value(f"Tag keys cannot start with the reserved prefix '{key.partition(':')[0]}:': {key}")
        if key in tags:
            raise invalid_value(f"Duplicate tag key: {key}")
        tags[key] = value
    require_room(tags)
    return tags


def require_room(tags: Tags) -> None:
    """Refuse more tags than a resource can have."""
    if len(tags) > MOST_TAGS:
        raise invalid_value(f"A resource can have at most {MOST_TAGS} tags; found {len(tags)}.")


def _is_allowed(letter: str) -> bool:
    return letter in SIGNS or unicodedata.category(letter)[0] in _CATEGORIES


def describe_tags(tags: Tags) -> list[dict[str, str]]:
    """Return tags as a TagList."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
