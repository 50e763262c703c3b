"""JSON that people write: read as strictly as AWS reads it, and refused in words."""

import json
from typing import Any, NoReturn


class NotJson(ValueError):
    """The text is no JSON, or none that means one thing; its message says what is wrong and holds no value."""


def read_json(text: str) -> Any:
    """Return what the text holds; raises `NotJson`, also for what Python alone takes and for a name given twice."""
    try:
        return json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise NotJson(str(error)) from None
    except RecursionError:
        raise NotJson("values nested too deep") from None
    except NotJson:
        raise
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise NotJson("a number of thousands of digits") from None


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJson(f"{twice[:80]!r} twice in one object")
    return found


def _no_number(word: str) -> NoReturn:
    raise NotJson(f"{word}, which is no JSON")
