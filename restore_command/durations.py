"""Times as people write and type them."""

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def in_words(seconds: float) -> str:
    """Write seconds as people do: 1 h 05 min, 20 min 07 s, 42 s."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


def typed(text: str) -> timedelta:
    """Read `90m`, `36h`, `7d` or `2w`; raises `ValueError` that says what was expected."""
    match = re.fullmatch(r"(\d{1,4})([mhdw])", text.strip())
    if match is None:
        raise ValueError(f"found {text!r}, expected a number and m, h, d or w, such as 36h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
