"""The name of a retirement, which is an operation of its own."""

_LONGEST = 80
_SUFFIX = "-retirement"


def retirement_id(operation_id: str) -> str:
    """Name the operation that retires the old cluster of another; an execution's name has at most 80 characters."""
    return operation_id[: _LONGEST - len(_SUFFIX)] + _SUFFIX
