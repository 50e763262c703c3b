"""Step 7: look once at the restored cluster and its instances."""

from datetime import datetime

from utils.aws.rds_models import Cluster, Instance
from utils.cluster.ours import check_cluster_is_ours, is_the_old_target
from utils.cluster.restored import what_is_unready
from utils.errors import RestoreFailed
from utils.operation.model import Operation, RestoreRecord
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled, wait_or_time_out


def check_restore_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, CLUSTER_READY (instances to create), or READY; raises `RestoreFailed`, `PhaseTimedOut`."""
    rds, target_id = services.rds(), operation.identifiers.target_cluster_id
    cluster = rds.find_cluster(target_id)
    instances = rds.instances_of(target_id) if cluster else []
    now = services.clock.now()
    # The row knows of no restore when the execution was redriven here: Restore Snapshot shall see to it.
    is_to_be_asked_for = operation.restore is None or operation.restore.waits_for_capacity
    record = operation.restore_record(now)
    if cluster is None or is_the_old_target(cluster, operation):
        return _not_there(record, operation, services, now, is_to_be_asked_for=is_to_be_asked_for)
    record.missing_since = None
    check_cluster_is_ours(cluster, operation)
    missing = sorted(set(operation.identifiers.instance_ids) - {instance.identifier for instance in instances})
    unready = what_is_unready(cluster, instances)
    _remember(record, cluster, instances)
    if unready or missing:
        waiting = wait_or_time_out(
            "restore",
            record.started_at,
            now,
            operation.request.budgets.restore_hours,
            waiting_for=", ".join(unready) or f"instances {', '.join(missing)}",
            percent=cluster.percent or None,
        )
        services.operations.save(operation)
        if unready:
            return waiting
        return StepResult(status=StepStatus.CLUSTER_READY, wait_seconds=1, details={"instances_to_create": missing})
    record.finished_at = record.finished_at or now
    services.operations.save(operation)
    return StepResult(
        status=StepStatus.READY, details={"endpoint": cluster.endpoint, "instances": list(record.instance_ids)}
    )


def _not_there(
    record: RestoreRecord, operation: Operation, services: Services, now: datetime, *, is_to_be_asked_for: bool
) -> StepResult:
    """Wait for capacity, or for what RDS does not show yet."""
    target_id = operation.identifiers.target_cluster_id
    if not is_to_be_asked_for:
        record.missing_since = record.missing_since or now
        if has_settled(record.missing_since, now):
            raise RestoreFailed(
                f"no cluster {target_id}",
                expected="the cluster whose restore was started",
                action="look at the RDS events, find out who deleted it, then resume the operation",
            )
    waiting = wait_or_time_out(
        "restore",
        record.started_at,
        now,
        operation.request.budgets.restore_hours,
        waiting_for=f"cluster {target_id} {'to be asked for' if is_to_be_asked_for else 'to be shown'}",
    )
    services.operations.save(operation)
    if is_to_be_asked_for:
        return StepResult(status=StepStatus.CLUSTER_READY, wait_seconds=1, details=waiting.details)
    return waiting


def _remember(record: RestoreRecord, cluster: Cluster, instances: list[Instance]) -> None:
    record.cluster_arn, record.engine_version = cluster.arn, cluster.engine_version
    record.endpoint, record.port = cluster.endpoint, cluster.port
    record.instance_ids = sorted(instance.identifier for instance in instances)
