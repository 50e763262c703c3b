"""What an operation did, for the execution's output and the notification."""

import json
from datetime import datetime
from typing import Any

from utils.operation import Operation, OperationError


def summarise(operation: Operation) -> dict[str, Any]:
    """Return the summary as JSON values; names and numbers, nothing secret."""
    restore, deletion, users, archive = operation.restore, operation.deletion, operation.users, operation.archive
    return {
        "operation_id": operation.operation_id,
        "status": operation.status.value,
        "dry_run": operation.request.dry_run,
        "target_cluster_id": operation.identifiers.target_cluster_id,
        "endpoint": restore.endpoint if restore else None,
        "port": restore.port if restore else None,
        "engine_version": restore.engine_version if restore else None,
        "instances": restore.instance_ids if restore else [],
        "snapshot": operation.snapshot.arn,
        "snapshot_age_hours": operation.snapshot.age_hours,
        "copy": operation.copied.arn if operation.copied else None,
        "final_snapshot": deletion.final_snapshot_arn if deletion else None,
        "deleted": _deleted(operation),
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
    }


def message_for_success(summary: dict[str, Any]) -> str:
    """Write the notification's text for a run that succeeded."""
    if summary["dry_run"]:
        return "\n".join(["Dry run: nothing was changed. The run would", *(f"- {line}" for line in summary["plan"])])
    lines = [
        f"Cluster {summary['target_cluster_id']} is restored and its users are proven.",
        f"Endpoint: {summary['endpoint']}:{summary['port']}, version {summary['engine_version']}",
        f"Instances: {', '.join(summary['instances'])}",
        f"Source snapshot: {summary['snapshot']}, {summary['snapshot_age_hours']:g} hours old",
        f"Snapshot copy: {summary['copy'] or 'not needed'}",
        f"Deleted: {', '.join(summary['deleted']) or 'nothing, the target was absent'}",
        f"Final snapshot of the old target: {summary['final_snapshot'] or 'none'}",
        f"Users: {', '.join(summary['users'])}",
        f"Logins shut out: {', '.join(summary['shut_out']) or 'none'}",
        f"Logins kept: {', '.join(summary['kept_logins']) or 'none'}",
        *([f"Not found of keep_logins: {', '.join(summary['unknown_logins'])}"] if summary["unknown_logins"] else []),
        f"{_outbound_title(summary)}: {', '.join(summary['outbound']) or 'none'}",
        f"Scripts run before the users were opened: {', '.join(_script_lines(summary)) or 'none'}",
        f"Checks that hold: {', '.join(_check_lines(summary)) or 'none'}",
        f"Pruned snapshots: {', '.join(summary['pruned']) or 'none'}",
        f"Seconds per phase: {', '.join(f'{phase} {seconds}' for phase, seconds in summary['seconds'].items())}",
    ]
    return "\n".join(lines)


def message_for_failure(operation_id: str, error: OperationError, operation: Operation | None) -> str:
    """Write the notification's text for a run that failed: which step, why, what is left, what to do."""
    where = f" at step {error.step}" if error.step else ""
    lines = [f"Operation {operation_id} failed{where} with {error.name}.", error.message]
    if operation is not None:
        lines += [
            f"Target: {operation.identifiers.target_cluster_id}",
            f"Deleted: {', '.join(_deleted(operation)) or 'nothing'}",
        ]
        if operation.deletion and operation.deletion.final_snapshot_arn:
            lines.append(f"The old target's data is in {operation.deletion.final_snapshot_arn}.")
        if not operation.request.dry_run:
            resume = json.dumps({"resume": operation_id})
            lines.append(f"To go on once the cause is gone, start the state machine with {resume}.")
    return "\n".join(lines)


def _outbound_title(summary: dict[str, Any]) -> str:
    return "Ways out LEFT OPEN (close_outbound is false)" if summary["outbound_closed"] is False else "Ways out closed"


def _script_lines(summary: dict[str, Any]) -> list[str]:
    return [f"{script['s3_uri']} in {script['database']}" for script in summary["scripts"]]


def _check_lines(summary: dict[str, Any]) -> list[str]:
    return [f"{check['name']} ({check['found']})" for check in summary["checks"]]


def _deleted(operation: Operation) -> list[str]:
    deletion = operation.deletion
    if deletion is None or deletion.finished_at is None:
        return list(deletion.deleted_members) if deletion else []
    return [operation.identifiers.target_cluster_id, *deletion.deleted_members]


def _durations(operation: Operation) -> dict[str, int]:
    phases = {"copy": operation.copied, "delete": operation.deletion, "restore": operation.restore}
    return {
        phase: _seconds(record.started_at, record.finished_at)
        for phase, record in phases.items()
        if record is not None and record.started_at is not None and record.finished_at is not None
    }


def _seconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds())
