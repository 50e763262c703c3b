"""What an operation did, for the execution's output, the notification, the event and the metrics."""

from datetime import datetime
from typing import Any

from utils.operation.model import Operation
from utils.report.commands import commands_to_bring_back, execution_url


def summarise(operation: Operation) -> dict[str, Any]:
    """Return the summary as JSON values; names and numbers, nothing secret."""
    restore, deletion, users, archive = operation.restore, operation.deletion, operation.users, operation.archive
    return {
        "operation_id": operation.operation_id,
        "status": operation.status.value,
        "error": operation.error.model_dump() if operation.error else None,
        "dry_run": operation.request.dry_run,
        "source_cluster_id": operation.snapshot.cluster_id,
        "target_cluster_id": operation.identifiers.target_cluster_id,
        "endpoint": restore.endpoint if restore else None,
        "port": restore.port if restore else None,
        "engine_version": restore.engine_version if restore else None,
        "instances": restore.instance_ids if restore else [],
        "snapshot": operation.snapshot.arn,
        "snapshot_created_at": operation.snapshot.created_at.isoformat(),
        "snapshot_age_hours": operation.snapshot.age_hours,
        "storage_gib": operation.snapshot.storage_gib,
        "copy": operation.copied.arn if operation.copied else None,
        "final_snapshot": deletion.final_snapshot_arn if deletion else None,
        "deleted": _deleted(operation),
        "bring_back": commands_to_bring_back(operation),
        "users": users.proofs if users else {},
        "shut_out": users.shut_out if users else [],
        "kept_logins": users.kept if users else [],
        "unknown_logins": users.unknown_logins if users else [],
        "outbound": users.outbound if users else [],
        "outbound_closed": users.outbound_closed if users else None,
        "scripts": [script.model_dump(exclude_none=True) for script in users.scripts] if users else [],
        "checks": [check.model_dump() for check in users.checks] if users else [],
        "pruned": [*archive.pruned_copies, *archive.pruned_final_snapshots] if archive else [],
        "seconds": _durations(operation),
        "plan": operation.plan.actions,
        "console_url": execution_url(operation.execution_arn),
    }


def _durations(operation: Operation) -> dict[str, int]:
    """Return the seconds of each phase that ended, and as `total` those from picking the snapshot to open users."""
    seconds = {
        phase: _seconds(record.started_at, record.finished_at)
        for phase, record in (
            ("copy", operation.copied),
            ("delete", operation.deletion),
            ("restore", operation.restore),
        )
        if record is not None and record.started_at is not None and record.finished_at is not None
    }
    users = operation.users
    if users is not None and users.master_reset_at is not None and users.finished_at is not None:
        seconds["users"] = _seconds(users.master_reset_at, users.finished_at)
        seconds["total"] = _seconds(operation.snapshot.chosen_at, users.finished_at)
    return seconds


def _deleted(operation: Operation) -> list[str]:
    deletion = operation.deletion
    if deletion is None or deletion.finished_at is None:
        return list(deletion.deleted_members) if deletion else []
    return [operation.identifiers.target_cluster_id, *deletion.deleted_members]


def _seconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds())
