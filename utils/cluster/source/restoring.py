"""The call that restores the cluster: from a snapshot, its copy or the final one, or from the source cluster itself."""

from collections.abc import Mapping

from utils.cluster_settings.model import TargetSettings
from utils.operation.model import Operation
from utils.plan import guards
from utils.plan.source.point_in_time import check_restorable_source
from utils.restore_type import RestoreType
from utils.runtime.services import Services


def request_restore(
    operation: Operation, settings: TargetSettings, tags: Mapping[str, str], services: Services
) -> str | None:
    """Ask RDS to restore the cluster and return its resource id; None if one of the name exists already."""
    target_id, source = operation.restored_cluster_id, operation.snapshot
    if operation.bring_back is not None or source.restore_type is RestoreType.SNAPSHOT:
        return services.rds_writer.restore_cluster(target_id, operation.restored_from, settings, tags=tags)
    # Read before the call: the data are never older than what is told of them.
    found, now = services.rds().find_cluster(source.cluster_id), services.clock.now()
    latest = now if source.restore_type is RestoreType.COPY_ON_WRITE else (found.latest_restorable if found else None)
    resource_id = services.rds_writer.restore_to_point_in_time(
        target_id, source.cluster_id, source.restore_type, source.restore_to, settings, tags=tags
    )
    if resource_id and source.is_of_the_restore and latest is not None:
        source.created_at = latest
        source.age_hours = round(max((now - latest).total_seconds() / 3600, 0.0), 2)
    return resource_id


def check_data_are_there(operation: Operation, services: Services) -> None:
    """Make sure that what is to be restored once more is there; raises `SnapshotNotAvailable` and the like."""
    if operation.bring_back is not None:
        guards.check_restorable_now(services.rds(), operation.restored_from)
    else:
        check_restorable_source(operation.snapshot, operation.restored_from, services.rds(), unseen=False)
