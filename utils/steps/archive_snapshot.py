"""Step 9: mark the copy as archived, and prune older copies and final snapshots of this target, by count."""

from datetime import UTC, datetime

from utils import tags
from utils.operation import ArchiveRecord, Operation, StepName
from utils.rds_models import Snapshot
from utils.rds_statuses import SNAPSHOT
from utils.services import Services
from utils.step import StepResult, StepStatus


def archive_snapshot(operation: Operation, services: Services) -> StepResult:
    """Keep the newest of this target's own snapshots; nobody else's snapshot is looked at twice."""
    record = operation.archive or ArchiveRecord()
    operation.archive, operation.current_step = record, StepName.ARCHIVE_SNAPSHOT
    snapshots = services.rds().manual_snapshots()
    if operation.copied is not None and operation.copied.arn is not None and record.archived is None:
        services.rds_writer.tag(operation.copied.arn, {tags.ARCHIVED_AT: services.clock.now().isoformat()})
        record.archived = operation.copied.arn
    request = operation.request
    for role, keep, pruned in (
        (tags.Role.COPY, request.keep_copies, record.pruned_copies),
        (tags.Role.FINAL, request.keep_final_snapshots, record.pruned_final_snapshots),
    ):
        for snapshot in _beyond(keep, _own(snapshots, role, operation)):
            if tags.is_ours(snapshot.tags, operation.operation_id):
                continue
            services.rds_writer.delete_snapshot(snapshot.identifier)
            pruned.append(snapshot.identifier)
    services.operations.save(operation)
    return StepResult(status=StepStatus.READY, details=record.model_dump(mode="json"))


def _own(snapshots: list[Snapshot], role: tags.Role, operation: Operation) -> list[Snapshot]:
    return [
        snapshot
        for snapshot in snapshots
        if snapshot.tags.get(tags.MANAGED) == "true"
        and snapshot.tags.get(tags.ROLE) == role.value
        and snapshot.tags.get(tags.TARGET_CLUSTER_ID) == operation.identifiers.target_cluster_id
    ]


def _beyond(keep: int, snapshots: list[Snapshot]) -> list[Snapshot]:
    def newest_first(snapshot: Snapshot) -> datetime:
        return snapshot.created_at or datetime.max.replace(tzinfo=UTC)

    available = [snapshot for snapshot in snapshots if snapshot.status in SNAPSHOT.ready]
    return sorted(available, key=newest_first, reverse=True)[keep:]
