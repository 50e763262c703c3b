"""What the state table can hold, in whatever field of a request it stands."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from utils.errors import InvalidRequest
from utils.words import counted

CORRECT_IT = "correct the field (the README lists all of them) and start the run again; nothing was changed"
# What a run learns comes into the same row, and DynamoDB takes 400 KB: a request may have a quarter.
_LONGEST_REQUEST = 100_000
_LONGEST_NAME = 80
# DynamoDB holds 38 digits; nothing that a request counts comes near this.
_LARGEST = 10**15


def check_storable(merged: Mapping[str, Any]) -> None:
    """Refuse text that is no Unicode and numbers of no use; raises `InvalidRequest` that names the field."""
    problems = list(_problems(merged, ()))
    if not problems:
        return
    path, found, expected = problems[0]
    more = f" ({counted(len(problems) - 1, 'more problem')} of this kind)" if len(problems) > 1 else ""
    raise InvalidRequest(
        found + more,
        field=escaped(".".join(part[:_LONGEST_NAME] for part in path)) or "request",
        expected=expected,
        action=CORRECT_IT,
    )


def escaped(text: str) -> str:
    """Return text that can be told: half a character is written as its number."""
    return text.encode(errors="backslashreplace").decode()


def check_size(merged: Mapping[str, Any]) -> None:
    """Refuse a request that leaves no room in its row; raises `InvalidRequest`."""
    size = len(json.dumps(merged))
    if size > _LONGEST_REQUEST:
        raise InvalidRequest(
            f"{size:,} characters of JSON, the stack's defaults included",
            expected=f"at most {_LONGEST_REQUEST:,}",
            action="put what is long into scripts (post_restore_sql) and start the run again; nothing was changed",
        )


def _problems(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if isinstance(value, str) and _is_no_unicode(value):
        yield path, f"text with half a character ({value[:_LONGEST_NAME]!r})", "Unicode text (UTF-8)"
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield path, f"a number of {len(str(abs(value))):,} digits", f"a number of at most {_LARGEST:,}"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _problems(name, (*path, str(name)))
            yield from _problems(inner, (*path, str(name)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _problems(inner, (*path, str(number)))


def _is_no_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
