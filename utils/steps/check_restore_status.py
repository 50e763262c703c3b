"""Step 7: look once at the restored cluster and its instances."""

from utils.aws.rds_models import Cluster, Instance
from utils.cluster.ours import check_cluster_is_ours, has_given_way
from utils.cluster.quarantine import note_exposure
from utils.cluster.restored import note_restored, what_is_unready, what_others_did
from utils.cluster.settings_after_restore import compared, unfinished_settings
from utils.errors import RestoreFailed
from utils.operation.model import Operation
from utils.operation.records import RestoreRecord
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import Phase, restore_phase


def check_restore_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, CLUSTER_READY (instances to create), or READY; raises `RestoreFailed`, `PhaseTimedOut`."""
    if operation.swap is not None and operation.swap.has_begun:
        return StepResult(
            status=StepStatus.READY, details={"exchanges_names_of": operation.identifiers.target_cluster_id}
        )
    rds, target_id = services.rds(), operation.restored_cluster_id
    cluster = rds.find_cluster(target_id)
    instances = rds.instances_of(target_id) if cluster else []
    now = services.clock.now()
    # The row of an execution that was redriven here knows of no restore: Restore Snapshot must request it.
    not_requested_yet = operation.restore is None or operation.restore.waits_for_capacity
    phase, record = restore_phase(operation, now), operation.restore_record(now)
    if cluster is None or has_given_way(cluster, operation):
        answer = _request_again(phase, target_id) if not_requested_yet else _not_shown(phase, record, target_id)
        services.operations.save(operation)
        return answer
    check_cluster_is_ours(cluster, operation)
    note_restored(operation, cluster.resource_id, services)
    phase, record = restore_phase(operation, now), operation.restore_record(now)
    record.missing_since = None
    note_exposure(operation, instances, now)
    missing = sorted(set(operation.restored_instance_ids) - {instance.identifier for instance in instances})
    fixed = [instance for instance in instances if not instance.is_autoscaled]
    unready = what_is_unready(cluster, fixed, operation, now)
    _remember(record, cluster, fixed)
    record.notes = what_others_did(cluster, fixed, operation, now)
    if unready or missing:
        waiting_for = ", ".join(unready) or f"instances {', '.join(missing)}"
        waiting = phase.wait(waiting_for, percent=cluster.percent or None)
        services.operations.save(operation)
        if unready:
            return waiting
        return StepResult(status=StepStatus.CLUSTER_READY, wait_seconds=1, details={"instances_to_create": missing})
    unfinished = [piece.name for piece in unfinished_settings(operation, cluster, services)]
    if unfinished:
        phase.wait(f"the settings {', '.join(unfinished)}")
        services.operations.save(operation)
        return StepResult(status=StepStatus.CLUSTER_READY, wait_seconds=1, details={"settings_to_apply": unfinished})
    record.settings.comparison = compared(operation, cluster, fixed, services)
    record.finished_at = record.finished_at or now
    services.operations.save(operation)
    return StepResult(
        status=StepStatus.READY, details={"endpoint": cluster.endpoint, "instances": list(record.instance_ids)}
    )


def _request_again(phase: Phase, target_id: str) -> StepResult:
    waiting = phase.wait(f"the start of the restore of {target_id}")
    return StepResult(status=StepStatus.CLUSTER_READY, wait_seconds=1, details=waiting.details)


def _not_shown(phase: Phase, record: RestoreRecord, target_id: str) -> StepResult:
    return phase.wait_until_shown(
        record,
        f"cluster {target_id} to be shown",
        otherwise=RestoreFailed(
            f"no cluster {target_id}",
            expected="the cluster whose restore was started",
            action="look at the RDS events, find out who deleted it, then resume the operation",
        ),
    )


def _remember(record: RestoreRecord, cluster: Cluster, instances: list[Instance]) -> None:
    record.cluster_arn, record.engine_version = cluster.arn, cluster.engine_version
    record.resource_id, record.endpoint, record.port = cluster.resource_id, cluster.endpoint, cluster.port
    record.instance_ids = sorted(instance.identifier for instance in instances)
