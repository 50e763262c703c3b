"""What a failed restore of this operation left: removed when the operation is resumed, so that it can be made again."""

from utils.aws.rds_models import Cluster, Instance
from utils.aws.rds_statuses import RESTORED_CLUSTER, RESTORED_INSTANCE, Verdict
from utils.errors import RestoreFailed
from utils.operation.model import Operation
from utils.plan import guards
from utils.runtime.services import Services

# Not failures of the restore: somebody is doing this to the cluster.
_ON_PURPOSE = {"deleted", "deleting", "stopped", "stopping"}


def clear_half_restored(operation: Operation, cluster: Cluster, services: Services) -> list[str]:
    """Delete our own cluster or those of its instances that AWS gave up; return what is being deleted.

    Only of a restore that never was complete: nobody worked with it, and its snapshot is still there.
    """
    was_complete = operation.restore is not None and operation.restore.finished_at is not None
    if was_complete or not operation.is_resumed:
        return []
    members = services.rds().instances_of(cluster.identifier)
    cluster_failed = _has_failed(RESTORED_CLUSTER.judge(cluster.status, cluster.identifier), cluster.status)
    doomed = [member for member in members if cluster_failed or _member_has_failed(member)]
    if not doomed and not cluster_failed:
        return []
    guards.check_restorable_now(services.rds(), operation.restored_from)
    record = operation.deletion_record()
    record.started_at, record.finished_at = services.clock.now(), None
    names = [*([cluster.identifier] if cluster_failed else []), *(member.identifier for member in doomed)]
    operation.begun.half_restored = sorted({*operation.begun.half_restored, *names})
    services.operations.save(operation)
    for member in doomed:
        if member.status != "deleting":
            services.rds_writer.delete_instance(member.identifier)
    if cluster_failed:
        services.rds_writer.delete_cluster(cluster.identifier)
    return [f"half-restored {name} to be deleted" for name in names]


def still_going(cluster: Cluster, members: list[Instance]) -> list[str]:
    """Name what of our own cluster is being deleted."""
    if cluster.status == "deleting":
        return [cluster.identifier]
    return [member.identifier for member in members if member.status == "deleting"]


def _member_has_failed(member: Instance) -> bool:
    return _has_failed(RESTORED_INSTANCE.judge(member.status, member.identifier), member.status)


def _has_failed(verdict: Verdict, status: str) -> bool:
    return verdict is Verdict.FAILED and status not in _ON_PURPOSE


def what_is_unready(cluster: Cluster, instances: list[Instance]) -> list[str]:
    """Name what still changes, with its status; raises `RestoreFailed` for what will not get well."""
    waiting = []
    if _judged(RESTORED_CLUSTER.judge(cluster.status, cluster.identifier), cluster.identifier, cluster.status):
        waiting.append(f"cluster {cluster.identifier} ({cluster.status})")
    elif cluster.has_pending_changes:
        waiting.append(f"pending changes of cluster {cluster.identifier}")
    for instance in instances:
        if _judged(RESTORED_INSTANCE.judge(instance.status, instance.identifier), instance.identifier, instance.status):
            waiting.append(f"instance {instance.identifier} ({instance.status})")
        elif instance.has_pending_changes:
            waiting.append(f"pending changes of instance {instance.identifier}")
    return waiting


def _judged(verdict: Verdict, identifier: str, status: str) -> bool:
    if verdict is Verdict.FAILED:
        raise RestoreFailed(
            f"{identifier} with status {status}",
            expected="status available",
            action="look at its RDS events, remove the cause, then resume the operation, which restores again; "
            "the final snapshot holds the old target's data",
        )
    return verdict is Verdict.IN_PROGRESS
