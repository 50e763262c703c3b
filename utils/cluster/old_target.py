"""The old target's deletion: members first, then the cluster; and what is left when RDS refuses it."""

import re
from collections.abc import Sequence

from utils.aws.rds_models import Cluster, Instance
from utils.cluster.target_record import remember_old_target
from utils.errors import AuroraRestoreError, PermanentError, ResourceBusy, TargetNotDeletable
from utils.operation.model import Operation
from utils.operation.records import DeletionRecord
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled

# What RDS says of things that only a person takes away; other refusals pass once something has come to its end.
_FOR_GOOD = re.compile(r"replica|integration|blue.?green|global cluster|activity stream", re.IGNORECASE)


def delete_old_target(operation: Operation, target: Cluster, services: Services) -> str:
    """Ask RDS to delete all of it; say what to wait for. Raises `TargetNotDeletable` with RDS's own words."""
    members, record = services.rds().instances_of(target.identifier), operation.deletion_record()
    if record.destroying_since is None and operation.retires is None:
        remember_old_target(operation, services)
    # In the row before the first call: what may have begun is never taken for untouched, and a call after a failure
    # no longer finds what is gone.
    record.destroying_since = record.destroying_since or services.clock.now()
    record.protection_switched_off = record.protection_switched_off or target.deletion_protection
    record.protection_given_back = record.protection_given_back and not target.deletion_protection
    record.deleted_members += [item.identifier for item in members if item.identifier not in record.deleted_members]
    record.cluster_stays = False
    services.operations.save(operation)
    gone = {member.identifier for member in members if member.status == "deleting"}
    try:
        if target.deletion_protection:
            services.rds_writer.set_deletion_protection(target.identifier, on=False)
        for member in members:
            if member.identifier not in gone:
                services.rds_writer.delete_instance(member.identifier)
                gone.add(member.identifier)
        if target.status != "deleting":
            services.rds_writer.delete_cluster(target.identifier)
    except ResourceBusy as busy:
        now = services.rds().find_cluster(target.identifier)
        # RDS refuses as well what it deletes already, after an answer that was lost.
        if now is not None and now.status != "deleting":
            return _refused(operation, target, members, gone, busy, services)
    except PermanentError:
        _take_back(record, members, gone)
        give_protection_back(target, operation, services)
        raise
    record.refused_since = None
    return f"the deletion of {target.identifier}"


def give_protection_back(target: Cluster, operation: Operation, services: Services) -> None:
    """Switch deletion protection on again if this operation had switched it off; the record has whether that worked."""
    record = operation.deletion_record()
    if target.resource_id != operation.plan.old_target_resource_id or target.status == "deleting":
        return
    if record.protection_switched_off:
        try:
            services.rds_writer.set_deletion_protection(target.identifier, on=True)
            record.protection_given_back = True
        except AuroraRestoreError:
            record.protection_given_back = False
    services.operations.save(operation)


def _refused(
    operation: Operation,
    target: Cluster,
    members: Sequence[Instance],
    gone: set[str],
    busy: ResourceBusy,
    services: Services,
) -> str:
    """Say what to wait for; raises `TargetNotDeletable` for what only a person ends."""
    record = operation.deletion_record()
    _take_back(record, members, gone | _going(target, members, services))
    record.refused_since = record.refused_since or services.clock.now()
    if _is_for_good(busy, record, target, members, services):
        give_protection_back(target, operation, services)
        raise _not_deletable(target, busy) from busy
    services.operations.save(operation)
    # A member that was added or changed since it was listed; the next call lists again.
    return f"the deletion of {target.identifier}: {busy}"


def _going(target: Cluster, members: Sequence[Instance], services: Services) -> set[str]:
    """Name the members that RDS deletes: it refuses the second attempt of a deletion whose answer was lost."""
    now = {member.identifier: member.status for member in services.rds().instances_of(target.identifier)}
    return {item.identifier for item in members if now.get(item.identifier, "deleting") == "deleting"}


def _take_back(record: DeletionRecord, members: Sequence[Instance], gone: set[str]) -> None:
    """Have the record name only what RDS took: the cluster comes last, so it was not deleted."""
    stays = {member.identifier for member in members} - gone
    record.deleted_members = [name for name in record.deleted_members if name not in stays]
    record.cluster_stays = True
    if not record.deleted_members:
        record.destroying_since = None


def _is_for_good(
    busy: ResourceBusy, record: DeletionRecord, target: Cluster, members: Sequence[Instance], services: Services
) -> bool:
    """Tell whether a person must act: RDS says so, or refuses what it has long shown to be at rest."""
    if _FOR_GOOD.search(str(busy)):
        return True
    at_rest = target.status == "available" and all(m.status in {"available", "deleting"} for m in members)
    return at_rest and record.refused_since is not None and has_settled(record.refused_since, services.clock.now())


def _not_deletable(target: Cluster, busy: ResourceBusy) -> TargetNotDeletable:
    return TargetNotDeletable(
        f"cluster {target.identifier}, which RDS refuses to delete: {busy.found}",
        field="target.cluster_id",
        expected="RDS to take the deletion",
        action="remove what RDS names (a replica cluster, a zero-ETL integration, a blue/green deployment and the "
        "like), then resume the operation",
    )
