"""A drill: a restore like that of its target, into a cluster with a name of its own that goes again."""

from utils.cluster_settings.origins import Origin
from utils.errors import IdentifierTaken
from utils.identifiers import digest_of, suffixed_identifier
from utils.plan.inherited import Base, what_to_inherit
from utils.plan.leftovers import deleted_in_part_by, half_restored_by
from utils.plan.old_settings import settings_as_they_are
from utils.plan.restore_settings import Resolved
from utils.plan.swap import ATTACHED, without_attached
from utils.request.model import RestoreRequest
from utils.runtime.services import Services


def as_drill(request: RestoreRequest, operation_id: str) -> tuple[RestoreRequest, str | None]:
    """Return a drill's request with a name for its own cluster, and the target it is for; any other as it is."""
    if not request.is_drill:
        return request, None
    name = suffixed_identifier(request.target.cluster_id, _suffix(operation_id))
    target = request.target.model_copy(update={"cluster_id": name})
    changes = {"target": target, "strategy": "replace", "on_failure": "stop"}
    return request.model_copy(update=changes), request.target.cluster_id


def check_name_is_free(request: RestoreRequest, services: Services) -> None:
    """Refuse a cluster that has the drill's own name; raises `IdentifierTaken`."""
    name = request.target.cluster_id
    if request.is_drill and services.rds().find_cluster(name) is not None:
        raise IdentifierTaken(
            f"cluster {name}",
            field="operation_id",
            expected="no cluster with the name that this drill would make",
            action="find out who made it and delete or rename it, or start the drill under another name; it was not "
            "touched",
        )


def base_of_drill(request: RestoreRequest, drill_of: str, services: Services) -> Base | None:
    """Return the settings of the target that is rehearsed, as it is or as it last stood."""
    rehearsed = request.model_copy(update={"target": request.target.model_copy(update={"cluster_id": drill_of})})
    standing = services.rds().find_cluster(drill_of)
    if standing is None:
        return what_to_inherit(rehearsed, None, None, services)
    members = services.rds().instances_of(drill_of)
    half_done = half_restored_by(standing, services.operations) or deleted_in_part_by(standing, members, services)
    return what_to_inherit(rehearsed, settings_as_they_are(standing, members, services), half_done, services)


def with_names_of_drill(resolved: Resolved, drill_of: str, operation_id: str) -> Resolved:
    """Give the instances names of their own, and leave out what hangs on the target or would keep the cluster."""
    settings, suffix = resolved.settings, _suffix(operation_id)
    names = {member.identifier: _renamed(member.identifier, suffix) for member in settings.members}
    members = [member.model_copy(update={"identifier": names[member.identifier]}) for member in settings.members]
    lost = [f"{name} of {drill_of}: a drill has none of its own" for name in ATTACHED if getattr(settings, name)]
    decided = {"deletion_protection": Origin.STACK}
    if settings.log_exports:
        # RDS never deletes the log groups, which are named after the cluster.
        decided["log_exports"] = Origin.STACK
        lost.append(f"log_exports of {drill_of}: a drill has none, as its log groups would stay")
    changes = {"members": members, "deletion_protection": False, "log_exports": None}
    origins = {_path(path, names): origin for path, origin in resolved.origins.items() if path not in ATTACHED}
    return Resolved(
        settings=without_attached(settings).model_copy(update=changes),
        origins=origins | decided,
        inherits=resolved.inherits,
        not_taken_over=[*resolved.not_taken_over, *lost],
    )


def _suffix(operation_id: str) -> str:
    return f"drill-{digest_of(operation_id)}"


def _renamed(identifier: str, suffix: str) -> str:
    # One that was named after the cluster has the drill's name in it already.
    if suffix in identifier:
        return identifier
    name = suffixed_identifier(identifier, suffix)
    # What tells two instances apart is often their names' end, which may have been cut off.
    return (
        name
        if name.startswith(f"{identifier}-")
        else suffixed_identifier(identifier, f"{digest_of(identifier)}-{suffix}")
    )


def _path(path: str, names: dict[str, str]) -> str:
    head, _, rest = path.partition(".")
    if head != "members":
        return path
    name, dot, field = rest.partition(".")
    return f"members.{names.get(name, name)}{dot}{field}"
