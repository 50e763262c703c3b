"""Step 9: mark the copy as archived, and prune older copies and final snapshots of this target, by count."""

from utils import tags
from utils.cluster.afterwards.beginning import begin_afterwards
from utils.cluster.snapshot_quota import prunable
from utils.cluster.source.new_snapshot import superfluous_new_snapshots
from utils.operation.model import Operation
from utils.operation.store import RunDurations
from utils.report.summary import durations
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services


def archive_snapshot(operation: Operation, services: Services) -> StepResult:
    """Keep the newest of this target's own snapshots; snapshots of others are never touched."""
    if operation.undoes is not None:
        return StepResult(status=StepStatus.READY)
    record = operation.archive_record()
    snapshots = services.rds().manual_snapshots()
    if operation.copied is not None and operation.copied.arn is not None and record.archived is None:
        services.rds_writer.tag(operation.copied.arn, {tags.ARCHIVED_AT: services.clock.now().isoformat()})
        record.archived = operation.copied.arn
    superfluous = prunable(operation, snapshots)
    record.pruned_copies = sorted({*record.pruned_copies, *superfluous[tags.Role.COPY]})
    record.pruned_final_snapshots = sorted({*record.pruned_final_snapshots, *superfluous[tags.Role.FINAL]})
    of_source = superfluous_new_snapshots(operation, services)
    record.pruned_new_snapshots = sorted({*record.pruned_new_snapshots, *of_source})
    # The names come into the row first: after a failure the next call finds nothing left to name.
    services.operations.save(operation)
    for identifier in (*superfluous[tags.Role.COPY], *superfluous[tags.Role.FINAL]):
        services.rds_writer.delete_snapshot(identifier)
    for identifier in of_source:
        services.new_snapshots(operation.snapshot.region).delete_snapshot(identifier)
    _remember_durations(operation, services)
    starts = {"afterwards": started} if (started := begin_afterwards(operation, services)) else {}
    return StepResult(status=StepStatus.READY, details=record.model_dump(mode="json") | starts)


def _remember_durations(operation: Operation, services: Services) -> None:
    """Keep how long the phases took, from which the next plan tells how long they will take."""
    seconds = durations(operation)
    if "total" in seconds:
        run = RunDurations(operation_id=operation.operation_id, finished_at=services.clock.now(), seconds=seconds)
        timed_as = operation.identifiers.timed_as
        services.operations.remember_run(services.settings.target_region, timed_as, run)
