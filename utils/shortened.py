"""Lists that stay short: how many there are, and the first of their names."""

from collections.abc import Sequence


def first_of(names: Sequence[str], most: int = 5) -> str:
    """Return at most so many names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
