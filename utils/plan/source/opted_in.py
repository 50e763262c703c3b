"""What a stack allows for some source clusters only, by a parameter that names them and is empty by default."""

from fnmatch import fnmatchcase

from utils.errors import InvalidRequest


def check_is_opted_in(cluster_id: str, pattern: str, *, parameter: str, field: str, instead: str) -> None:
    """Refuse a source cluster that the stack parameter does not name; raises `InvalidRequest`."""
    if fnmatchcase(cluster_id, pattern):
        return
    raise InvalidRequest(
        f"cluster {cluster_id}",
        field=field,
        expected=f"a name like {pattern}, as the stack parameter {parameter} says"
        if pattern
        else f"a stack whose parameter {parameter} names the clusters of which this may be asked for",
        action=f"deploy with --set {parameter}={cluster_id}, or {instead}; nothing was changed",
    )
