"""The snapshot that a run takes of its source: taken once, waited for, pruned by count by a later run."""

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.aws.rds_statuses import SNAPSHOT, Verdict
from utils.cluster.statuses import judge
from utils.errors import CopyFailed, IdentifierTaken, QuotaReached, SnapshotQuotaFull
from utils.operation.model import Operation
from utils.plan.kept import newest_first, own_snapshots, taken_for
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import copy_phase


def take_new_snapshot(operation: Operation, services: Services) -> StepResult:
    """Start the snapshot, unless an earlier call did; raises `CopyFailed` for one that RDS gave up."""
    source = operation.snapshot
    found = services.rds(source.region).find_snapshot(source.identifier)
    if found is not None:
        _check_is_ours(found, operation)
        if found.status in SNAPSHOT.failed:
            raise _failed(source.identifier, f"with status {found.status}")
    if found is None:
        try:
            services.new_snapshots(source.region).create_snapshot(
                source.cluster_id, source.identifier, tags=_own_tags(operation, services)
            )
        except QuotaReached as full:
            raise SnapshotQuotaFull(
                f"no room for a manual snapshot in {source.region} ({full.found})",
                expected="room for one more",
                action="delete snapshots there that nobody needs, or ask AWS to raise the quota; then resume the "
                "operation",
            ) from None
    operation.begun.new_snapshot_requested = True
    waiting = copy_phase(operation, services.clock.now()).wait(f"snapshot {source.identifier}")
    services.operations.save(operation)
    return waiting


def look_at_new_snapshot(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS; COPY_AGAIN once it can be copied, READY once it can be restored; raises `CopyFailed`."""
    source, now = operation.snapshot, services.clock.now()
    phase, record = copy_phase(operation, now), operation.copy_record(now)
    found = services.rds(source.region).find_snapshot(source.identifier)
    if found is None:
        if not operation.begun.new_snapshot_requested:
            waiting = phase.wait(f"the start of snapshot {source.identifier}")
            return waiting.model_copy(update={"status": StepStatus.COPY_AGAIN})
        answer = phase.wait_until_shown(
            record, f"snapshot {source.identifier} to be shown", otherwise=_failed(source.identifier, "gone")
        )
        services.operations.save(operation)
        return answer
    _check_is_ours(found, operation)
    record.missing_since = None
    verdict = judge(SNAPSHOT, found.status, source.identifier, operation, now)
    if verdict is Verdict.FAILED:
        raise _failed(source.identifier, f"with status {found.status}")
    if verdict is Verdict.IN_PROGRESS or found.created_at is None:
        waiting = phase.wait(f"snapshot {source.identifier}", percent=found.percent)
        services.operations.save(operation)
        return waiting
    source.taken_at, source.created_at, source.storage_gib = now, found.created_at, found.storage_gib
    source.age_hours = round(max((now - found.created_at).total_seconds() / 3600, 0.0), 2)
    if operation.plan.copy_needed:
        services.operations.save(operation)
        waiting = phase.wait(f"the copy of snapshot {source.identifier}")
        return waiting.model_copy(update={"status": StepStatus.COPY_AGAIN})
    record.finished_at = record.finished_at or now
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details={"snapshot": found.arn})


def superfluous_new_snapshots(operation: Operation, services: Services) -> list[str]:
    """Name older ones of this target beyond those to keep; none where this run took none."""
    if not operation.snapshot.is_new:
        return []
    there = taken_for(services.rds(operation.snapshot.region).manual_snapshots(), services.settings.target_region)
    target_id, keep = operation.identifiers.target_cluster_id, operation.request.keep_new_snapshots
    own = newest_first(own_snapshots(there, tags.Role.SOURCE, target_id))
    return [item.identifier for item in own[keep:] if not tags.is_ours(item.tags, operation.operation_id)]


def _own_tags(operation: Operation, services: Services) -> dict[str, str]:
    own = tags.own_tags(tags.Role.SOURCE, operation.operation_id, operation.identifiers.target_cluster_id)
    return own | {tags.TARGET_REGION: services.settings.target_region}


def _check_is_ours(found: Snapshot, operation: Operation) -> None:
    if not tags.is_ours(found.tags, operation.operation_id) or found.cluster_id != operation.snapshot.cluster_id:
        raise IdentifierTaken(
            f"snapshot {found.identifier} of cluster {found.cluster_id}",
            expected=f"no snapshot of that name, or this operation's of {operation.snapshot.cluster_id}",
            action="find out who made it and delete it, then resume the operation",
        )


def _failed(identifier: str, how: str) -> CopyFailed:
    return CopyFailed(
        f"snapshot {identifier} {how}",
        expected="the snapshot that this run took of its source, with status available",
        action="look at the RDS events of the source cluster, delete the snapshot if it is there, then resume the "
        "operation, which takes it again",
    )
