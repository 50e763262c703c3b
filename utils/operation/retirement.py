"""What is an operation and restores nothing: a retirement or what becomes of a cluster afterwards, and an undo."""

from utils.identifiers import derived_identifier, digest_of
from utils.operation.model import Operation

_LONGEST = 80
_SUFFIX, _AFTERWARDS = "-retirement", "-afterwards"
# Of an execution only, among others that end otherwise: an operation may be called so.
_BROUGHT_FORWARD = "-brings-forward"


def restores(operation: Operation) -> bool:
    """Tell whether it restores a cluster, as every operation does but a retirement and an undo."""
    return operation.retires is None and operation.undoes is None


def is_named_after_another(operation_id: str) -> bool:
    """Tell whether the name is one that the pipeline gives to what comes after another operation."""
    return operation_id.endswith((_SUFFIX, _AFTERWARDS))


def retirement_id(operation_id: str) -> str:
    """Name the operation that retires the old cluster of another."""
    return _named_after(operation_id, _SUFFIX)


def brought_forward_id(operation_id: str) -> str:
    """Name the execution in which the retirement of what an earlier swap put aside goes on at the end of another."""
    return _named_after(operation_id, _BROUGHT_FORWARD)


def afterwards_id(operation_id: str) -> str:
    """Name the operation that stops or deletes what another restored."""
    return _named_after(operation_id, _AFTERWARDS)


def _named_after(operation_id: str, suffix: str) -> str:
    # An execution's name has at most 80 characters; no two that are shortened are the same.
    room = _LONGEST - len(suffix)
    if len(operation_id) <= room:
        return operation_id + suffix
    digest = digest_of(operation_id)
    return f"{operation_id[: room - len(digest) - 1]}-{digest}{suffix}"


def final_snapshot_of_afterwards(target_cluster_id: str, operation_id: str) -> str:
    """Name the snapshot that is taken of an operation's cluster before it is deleted afterwards."""
    return derived_identifier("aurora-restore-final", target_cluster_id, afterwards_id(operation_id))
