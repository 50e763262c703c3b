"""Words for numbers, as people write them."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 instance`, `2 instances`; `plural` for a noun that takes more than an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
