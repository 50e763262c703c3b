"""What is an operation and restores nothing: a retirement, which has a name of its own, and an undo."""

from utils.operation.model import Operation

_LONGEST = 80
_SUFFIX = "-retirement"


def restores(operation: Operation) -> bool:
    """Tell whether it restores a cluster, as every operation does but a retirement and an undo."""
    return operation.retires is None and operation.undoes is None


def retirement_id(operation_id: str) -> str:
    """Name the operation that retires the old cluster of another; an execution's name has at most 80 characters."""
    return operation_id[: _LONGEST - len(_SUFFIX)] + _SUFFIX
