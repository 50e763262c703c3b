"""What a failed restore of this operation left: removed when the operation is resumed, so that it can be made again."""

from collections.abc import Sequence
from datetime import datetime

from utils import tags
from utils.aws.rds_models import Cluster, Instance
from utils.aws.rds_statuses import NEVER_ANSWERED, RESTORED_CLUSTER, RESTORED_INSTANCE, Verdict
from utils.cluster.ours import check_cluster_is_ours
from utils.cluster.source.restoring import check_data_are_there
from utils.cluster.statuses import first_seen, judge
from utils.errors import RestoreFailed
from utils.operation.model import Operation
from utils.plan import guards
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled

# Not failures of the restore: somebody is doing this to the cluster.
_NEW_PASSWORD = "MasterUserPassword"  # noqa: S105 - the name of what RDS shows as pending, never put off
_ON_PURPOSE = {"deleted", "deleting", "stopped", "stopping"}


def note_restored(operation: Operation, resource_id: str, services: Services) -> None:
    """Keep which cluster was restored; what was done in one before, which is gone, is forgotten.

    The new one has production's data, passwords and jobs as they came: no script has run there, nobody is shut out.
    """
    begun = operation.begun
    is_another = begun.left_resource_id not in (None, resource_id) and operation.bring_back is None
    begun.restored_resource_id, begun.left_resource_id = resource_id, None
    if not is_another:
        return
    operation.users = None
    operation.exposure.ended_at, operation.exposure.network_opened_at = None, None
    if operation.restore is not None and operation.restore.finished_at is not None:
        operation.restore = None
    # At once: nothing that was done in another cluster is taken for done in this one, however the step ends.
    services.operations.save(operation)


def clear_half_restored(operation: Operation, cluster: Cluster, services: Services) -> list[str]:
    """Delete our own cluster or those of our instances that AWS gave up; return what is being deleted.

    Only of a restore that never was complete: nobody worked with it, and its snapshot is still there.
    Raises `RestoreFailed` for a cluster with an instance of somebody else, which is not ours to delete.
    """
    was_complete = operation.restore is not None and operation.restore.finished_at is not None
    if was_complete or not operation.is_resumed:
        return []
    members, now = services.rds().instances_of(cluster.identifier), services.clock.now()
    own, others = _own_and_others(members, operation)
    verdict = judge(RESTORED_CLUSTER, cluster.status, cluster.identifier, operation, now)
    cluster_failed = _has_failed(verdict, cluster.status)
    doomed = [member for member in own if cluster_failed or _member_has_failed(member, operation, now)]
    if not doomed and not cluster_failed:
        return []
    if cluster_failed and others:
        raise _not_ours_to_delete(cluster, others)
    if cluster_failed and operation.bring_back is not None and members and cluster.status not in NEVER_ANSWERED:
        return []  # the old data, with its own users: it may have been worked with until it came to this
    check_data_are_there(operation, services)
    record = operation.deletion_record()
    record.started_at, record.finished_at = services.clock.now(), None
    names = [*([cluster.identifier] if cluster_failed else []), *(member.identifier for member in doomed)]
    operation.begun.half_restored = sorted({*operation.begun.half_restored, *names})
    services.operations.save(operation)
    _delete(doomed, services)
    if cluster_failed:
        _delete_cluster(cluster, services)
    return [f"half-restored {name} to be deleted" for name in names]


def clear_unproven(operation: Operation, cluster: Cluster, services: Services) -> list[str]:
    """Delete our own cluster that nobody was let into, with its instances, so that the old data can be brought back.

    Raises `RestoreFailed` for a cluster with an instance of somebody else, which is not ours to delete, and
    `SnapshotNotAvailable` without the final snapshot.
    """
    check_cluster_is_ours(cluster, operation)
    members = services.rds().instances_of(cluster.identifier)
    others = [member for member in _own_and_others(members, operation)[1] if not member.is_autoscaled]
    if others:
        raise _not_ours_to_delete(cluster, others)
    guards.check_restorable_now(services.rds(), operation.identifiers.final_snapshot_id)
    names = [cluster.identifier, *(member.identifier for member in members)]
    # The names come into the row first: after a failure the next call finds nothing left to name.
    operation.begun.half_restored = sorted({*operation.begun.half_restored, *names})
    services.operations.save(operation)
    _delete(members, services)
    if cluster.status != "deleting":
        _delete_cluster(cluster, services)
    return names


def _delete(members: Sequence[Instance], services: Services) -> None:
    for member in members:
        if member.status != "deleting":
            services.rds_writer.delete_instance(member.identifier)


def _delete_cluster(cluster: Cluster, services: Services) -> None:
    if cluster.deletion_protection:
        services.rds_writer.set_deletion_protection(cluster.identifier, on=False)
    services.rds_writer.delete_cluster(cluster.identifier)


def still_going(cluster: Cluster, members: list[Instance]) -> list[str]:
    """Name what of our own cluster is being deleted."""
    if cluster.status == "deleting":
        return [cluster.identifier]
    return [member.identifier for member in members if member.status == "deleting"]


def _own_and_others(members: list[Instance], operation: Operation) -> tuple[list[Instance], list[Instance]]:
    own = [member for member in members if tags.is_ours(member.tags, operation.operation_id)]
    return own, [member for member in members if member not in own]


def _not_ours_to_delete(cluster: Cluster, others: list[Instance]) -> RestoreFailed:
    names = ", ".join(member.identifier for member in others)
    return RestoreFailed(
        f"{cluster.identifier} with status {cluster.status}, and in it {names}, which this operation did not make",
        expected="instances of this operation only, so that the half-restored cluster can be removed",
        action="delete what was added to it, then resume the operation, which restores again",
    )


def _member_has_failed(member: Instance, operation: Operation, now: datetime) -> bool:
    return _has_failed(judge(RESTORED_INSTANCE, member.status, member.identifier, operation, now), member.status)


def _has_failed(verdict: Verdict, status: str) -> bool:
    return verdict is Verdict.FAILED and status not in _ON_PURPOSE


def what_is_unready(cluster: Cluster, members: list[Instance], operation: Operation, now: datetime) -> list[str]:
    """Name what of ours still changes, with its status; raises `RestoreFailed` for what will not get well."""
    target = f"cluster {cluster.identifier}"
    verdict = judge(RESTORED_CLUSTER, cluster.status, cluster.identifier, operation, now)
    waiting = [f"{target} ({cluster.status})"] if _judged(verdict, cluster.identifier, cluster.status) else []
    if not waiting and cluster.pending_changes and not _is_put_off(target, cluster.pending_changes, operation, now):
        waiting.append(f"pending changes of {target}")
    for member in _own_and_others(members, operation)[0]:
        name = f"instance {member.identifier}"
        verdict = judge(RESTORED_INSTANCE, member.status, member.identifier, operation, now)
        if _judged(verdict, member.identifier, member.status):
            waiting.append(f"{name} ({member.status})")
        elif member.pending_changes and not _is_put_off(name, member.pending_changes, operation, now):
            waiting.append(f"pending changes of {name}")
    return waiting


def what_others_did(cluster: Cluster, members: list[Instance], operation: Operation, now: datetime) -> list[str]:
    """Say what in a restored cluster is not of this operation's making: it stays, and is not waited for."""
    own, others = _own_and_others(members, operation)
    found = [(f"cluster {cluster.identifier}", cluster.pending_changes)]
    found += [(f"instance {member.identifier}", member.pending_changes) for member in own]
    return [
        f"instance {member.identifier} was made by somebody else and is left as it is ({member.status})"
        for member in others
    ] + [
        f"a change of {name} waits for its maintenance window: {', '.join(pending)}"
        for name, pending in found
        if pending and _is_put_off(name, pending, operation, now)
    ]


def _is_put_off(name: str, pending: Sequence[str], operation: Operation, now: datetime) -> bool:
    """Tell whether changes of what is available stay pending: somebody's, for the next maintenance window."""
    if _NEW_PASSWORD in pending:
        return False
    return has_settled(first_seen(f"{', '.join(pending)} of {name} pending", operation, now), now)


def _judged(verdict: Verdict, identifier: str, status: str) -> bool:
    if verdict is Verdict.FAILED:
        raise RestoreFailed(
            f"{identifier} with status {status}",
            expected="status available",
            action="look at its RDS events, remove the cause, then resume the operation, which restores again what was "
            "never complete, or start a new run; the final snapshot holds the old target's data",
        )
    return verdict is Verdict.IN_PROGRESS
