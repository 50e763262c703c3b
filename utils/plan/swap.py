"""What a swap needs beside a restore: names for two clusters at once, and nothing that AWS ties to the old one."""

from collections.abc import Sequence
from functools import partial

from utils.aws.rds_models import Cluster, Instance
from utils.aws.rds_reader import RdsReader
from utils.cluster_settings.model import TargetSettings
from utils.errors import IdentifierTaken, InvalidRequest, TargetNotBuildable
from utils.identifiers import digest_of, suffixed_identifier
from utils.operation.planned import Identifiers, SwapNames
from utils.operation.store import OperationStore
from utils.plan.guards import check_target_name
from utils.plan.leftovers import maker_of
from utils.preflight.looks import Preflight
from utils.request.model import SWAP, RestoreRequest
from utils.runtime.services import Services
from utils.tags import TARGET_CLUSTER_ID
from utils.words import counted

# What follows the name of a cluster by itself stays where it is; what AWS ties to the cluster does not move.
_TIED = ("custom_endpoints", "proxies")
_BY_NAME = ("reader_scaling", "event_subscriptions")
ATTACHED = (*_TIED, *_BY_NAME)
_AVAILABLE = "available"


def is_swap(request: RestoreRequest, old: Cluster | None, half_restored_by: str | None) -> bool:
    """Tell whether there is anything to swap with: an absent target is simply restored, a leftover is replaced."""
    return request.strategy == SWAP and old is not None and half_restored_by is None


def swap_names(target_id: str, operation_id: str, new: Sequence[str], old: Sequence[Instance]) -> SwapNames:
    """Name everything that a swap names: beside always the same, so that a later run finds what an earlier one left."""
    aside = f"old-{digest_of(operation_id)}"
    fixed = [instance.identifier for instance in old if not instance.is_autoscaled]
    return SwapNames(
        beside=suffixed_identifier(target_id, "new"),
        aside=suffixed_identifier(target_id, aside),
        instances_beside={name: suffixed_identifier(name, "new") for name in new},
        instances_aside={name: suffixed_identifier(name, aside) for name in fixed},
    )


def in_sentences(names: Identifiers, request: RestoreRequest) -> list[str]:
    """Say what a swap does once everything is proven, and what it costs."""
    if names.swap is None:
        return []
    target_id, swap = names.target_cluster_id, names.swap
    return [
        f"rename {target_id} to {swap.aside}, then {swap.beside} to {target_id}, and prove a login under that name",
        f"rename {counted(len(swap.instances_aside), 'instance')} of the old cluster and "
        f"{counted(len(swap.instances_beside), 'instance')} of the new one, for which RDS restarts them",
        f"keep the old cluster as {swap.aside}{_kept_for(names, request)}: two clusters are paid for from the restore "
        "until it is deleted",
    ]


def _kept_for(names: Identifiers, request: RestoreRequest) -> str:
    if request.keep_old_hours is None:
        return ", which nobody but you deletes"
    final = f" with final snapshot {names.final_snapshot_id}" if request.final_snapshot else " without a final snapshot"
    return f" for {request.keep_old_hours:g} hours, then delete it{final}"


def look_at_swap(
    preflight: Preflight, names: Identifiers, old: Cluster, settings: TargetSettings, services: Services
) -> None:
    """Look whether the names can be exchanged; all of it before anything is changed."""
    swap, rds, pattern = names.swap, services.rds(), services.settings.target_cluster_pattern
    if swap is None:
        return
    preflight.look("status of the target", partial(_check_status, old), found=lambda _: old.status)
    for name in (swap.beside, swap.aside):
        preflight.look(f"name {name}", partial(check_target_name, name, pattern))
    preflight.look(f"cluster {swap.beside}", lambda: _check_beside(swap.beside, names.target_cluster_id, services))
    preflight.look(f"cluster {swap.aside}", lambda: _check_free(rds, swap.aside))
    preflight.look("names of instances in a swap", lambda: _check_instances(rds, swap))
    preflight.look("what hangs on the target", lambda: _check_attached(settings, old))


def _check_status(old: Cluster) -> None:
    if old.status != _AVAILABLE:
        raise TargetNotBuildable(
            f"cluster {old.identifier} as {old.status}",
            field="strategy",
            expected="an available target: RDS renames no other",
            action="start it, wait until it is available, or take strategy replace",
        )


def _check_beside(name: str, target_id: str, services: Services) -> None:
    found = services.rds().find_cluster(name)
    if found is not None and not is_left_beside(found, target_id, services.operations):
        raise _taken(f"cluster {name}", "strategy")


def is_left_beside(cluster: Cluster, target_id: str, operations: OperationStore) -> bool:
    """Tell whether an operation over this target restored the cluster, which then never came to the target's name."""
    return cluster.tags.get(TARGET_CLUSTER_ID) == target_id and maker_of(cluster, operations) is not None


def _check_free(rds: RdsReader, name: str) -> None:
    if rds.find_cluster(name) is not None:
        raise _taken(f"cluster {name}", "operation_id")


def _check_instances(rds: RdsReader, swap: SwapNames) -> None:
    names = [*swap.instances_beside.values(), *swap.instances_aside.values()]
    if len(set(names)) < len(names):
        raise InvalidRequest(
            f"instances whose names are the same once they are shortened: {', '.join(sorted(names))}",
            field="strategy",
            expected="names of at most 50 characters, of which both clusters' instances get their own",
            action="name the instances shorter, or take strategy replace; nothing was changed",
        )
    for name in names:
        found = rds.find_instance(name)
        if found is not None and found.cluster_id != swap.beside:
            raise _taken(f"instance {name}", "strategy")


def _check_attached(settings: TargetSettings, old: Cluster) -> None:
    tied = [name for name in _TIED if getattr(settings, name)]
    if tied:
        raise TargetNotBuildable(
            f"{', '.join(tied)} of {old.identifier}",
            field="strategy",
            expected="nothing that AWS ties to the cluster itself: it would stay with the old one",
            action="take strategy replace for this target, or remove them before and make them again after",
        )


def check_asked_by_name(asked: TargetSettings | None, settings: TargetSettings) -> None:
    """Refuse what hangs on a name and is to be otherwise: a swap leaves what hangs on the target's name as it is."""
    changed = [name for name in _BY_NAME if getattr(settings, name) != (getattr(asked, name) if asked else None)]
    if changed:
        raise InvalidRequest(
            f"another {', '.join(changed)} than the target has",
            field="strategy",
            expected="what hangs on the target's name as it is, where it stays during a swap",
            action="leave it out of the request and change it on the target; nothing was changed",
        )


def without_attached(settings: TargetSettings) -> TargetSettings:
    """Return the settings of a cluster that stands beside: what hangs on the target's name is not its own."""
    return settings.model_copy(update=dict.fromkeys(ATTACHED))


def _taken(what: str, field: str) -> IdentifierTaken:
    return IdentifierTaken(
        f"{what}, which a swap would make",
        field=field,
        expected="a name that is free, or a leftover of this target's earlier runs",
        action="find out who made it, rename or delete it, then start a new run; it was not touched",
    )
