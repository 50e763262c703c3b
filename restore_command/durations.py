"""Times as people type them."""

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def typed(text: str) -> timedelta:
    """Read `90m`, `36h`, `7d` or `2w`; raises `ValueError` that says what was expected."""
    match = re.fullmatch(r"(\d{1,4})([mhdw])", text.strip())
    if match is None:
        raise ValueError(f"found {text!r}, expected a number and m, h, d or w, such as 36h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
