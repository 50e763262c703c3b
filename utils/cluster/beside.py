"""A cluster that is restored beside the old target: under names of its own until the swap."""

from collections.abc import Mapping

from utils import tags
from utils.aws.rds_models import Cluster, Instance
from utils.cluster.ours import check_cluster_is_ours
from utils.cluster.quarantine import as_after_quarantine, settings_to_restore_with
from utils.cluster_settings.model import TargetSettings
from utils.operation.model import Operation
from utils.operation.restored_cluster import may_be_restored_by
from utils.operation.wanted import wanted_settings
from utils.plan.swap import is_left_beside, without_attached
from utils.runtime.services import Services


def settings_to_build(operation: Operation) -> TargetSettings:
    """Return the settings that the restored cluster and its instances are made with."""
    settings = settings_to_restore_with(operation)
    if operation.identifiers.swap is None:
        return settings
    return _with_members_named(without_attached(settings), operation.identifiers.swap.instances_beside)


def as_planned(operation: Operation, found: TargetSettings) -> TargetSettings:
    """Return what was found as it will be at the end: out of quarantine, under the target's names."""
    found = as_after_quarantine(operation, found)
    if operation.identifiers.swap is None:
        return found
    return _with_members_named(found, {new: name for name, new in operation.identifiers.swap.instances_beside.items()})


def _with_members_named(settings: TargetSettings, names: Mapping[str, str]) -> TargetSettings:
    members = [
        member.model_copy(update={"identifier": names.get(member.identifier, member.identifier)})
        for member in settings.members
    ]
    return settings.model_copy(update={"members": members})


def planned_settings(operation: Operation) -> TargetSettings:
    """Return what the restored cluster itself is to have in the end."""
    return without_attached(wanted_settings(operation)) if operation.is_swap else wanted_settings(operation)


def left_beside(operation: Operation, services: Services) -> tuple[Cluster | None, list[Instance]]:
    """Find what an earlier run left where the new cluster is to stand; raises `IdentifierTaken` for anything else."""
    names = operation.identifiers
    if names.swap is None:
        return None, []
    rds = services.rds()
    found = rds.find_cluster(names.swap.beside)
    if found is None or may_be_restored_by(found, operation):
        alone = [rds.find_instance(name) for name in names.swap.instances_beside.values()]
        return None, [item for item in alone if item and not tags.is_ours(item.tags, operation.operation_id)]
    if not is_left_beside(found, names.target_cluster_id, services.operations):
        check_cluster_is_ours(found, operation)
    return found, rds.instances_of(found.identifier)


def clear_left_beside(operation: Operation, services: Services) -> list[str]:
    """Delete what an earlier run left beside, without a final snapshot as nobody was let in; say what goes."""
    cluster, members = left_beside(operation, services)
    going = [*([cluster.identifier] if cluster else []), *(member.identifier for member in members)]
    if cluster is None:
        return going
    # The names come into the row first: after a failure the next call finds nothing left to name.
    operation.begun.half_restored = sorted({*operation.begun.half_restored, *going})
    services.operations.save(operation)
    if cluster.deletion_protection:
        services.rds_writer.set_deletion_protection(cluster.identifier, on=False)
    for member in members:
        if member.status != "deleting":
            services.rds_writer.delete_instance(member.identifier)
    if cluster.status != "deleting":
        services.rds_writer.delete_cluster(cluster.identifier)
    return going
