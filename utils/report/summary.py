"""What an operation did, for the execution's output, the notification, the event and the metrics."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from utils.operation.model import CheckRecord, HealthRecord, Operation, OperationStatus, ScriptRecord, UsersRecord
from utils.operation.records import OperationError
from utils.report.changes import Changes, changed_so_far
from utils.report.commands import commands_to_bring_back, execution_url
from utils.report.preview import Preview, preview_of
from utils.restore_type import RestoreType


class Summary(BaseModel):
    """Names and numbers, nothing secret; storage in GiB, `seconds` by phase."""

    model_config = ConfigDict(frozen=True)

    operation_id: str
    status: OperationStatus
    error: OperationError | None
    dry_run: bool
    source_cluster_id: str
    target_cluster_id: str
    endpoint: str | None
    port: int | None
    engine_version: str | None
    instances: list[str]
    settings: str | None
    notes: list[str]
    restore_type: RestoreType
    snapshot: str
    snapshot_created_at: datetime
    snapshot_age_hours: float
    storage_gib: int
    copied: str | None = Field(serialization_alias="copy")
    final_snapshot: str | None
    half_restored_by: str | None = Field(exclude=True)
    deleted: list[str]
    bring_back: list[str]
    brought_back: bool | None
    old_cluster: str | None
    keep_old_hours: float | None
    outage_seconds: int | None
    outage_uncertainty_seconds: int | None
    afterwards: str | None
    quarantine: list[str]
    exposed_since: datetime | None
    exposure_seconds: int | None
    users: dict[str, list[str]]
    shut_out: list[str]
    kept_logins: list[str]
    unknown_logins: list[str]
    disarmed: list[str]
    outbound: list[str]
    outbound_closed: bool | None
    scripts: list[ScriptRecord]
    checks: list[CheckRecord]
    health: list[HealthRecord]
    pruned: list[str]
    seconds: dict[str, int]
    plan: list[str]
    warnings: list[str]
    console_url: str | None
    evidence: str | None
    changes: Changes = Field(exclude=True)
    preview: Preview | None = Field(default=None, exclude=True)

    def as_json(self) -> dict[str, Any]:
        """Return the summary as JSON values, under the names that the execution's output has."""
        plan = {"preview": self.preview.as_json()} if self.preview else {}
        return self.model_dump(by_alias=True) | plan

    def old_data(self) -> dict[str, str]:
        """Say by rows whether the old data is back, where that was tried."""
        if self.brought_back is None:
            return {}
        if not self.brought_back:
            return {"Old data": "NOT back yet: nobody serves"}
        return {"Old data": f"back, at {self.endpoint}:{self.port}", "Settings": self.settings or "-"}

    @field_serializer("status", "restore_type")
    def _value(self, known: OperationStatus | RestoreType) -> str:
        return known.value

    @field_serializer("snapshot_created_at", "exposed_since")
    def _iso_8601(self, at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    @field_serializer("health")
    def _in_lines(self, health: list[HealthRecord]) -> list[str]:
        return [str(record) for record in health]

    @field_serializer("scripts")
    def _without_what_is_unknown(self, scripts: list[ScriptRecord]) -> list[dict[str, Any]]:
        return [script.model_dump(exclude_none=True) for script in scripts]


def summarise(operation: Operation) -> Summary:
    """Say what the operation did until now."""
    restore, deletion, archive = operation.restore, operation.deletion, operation.archive
    users = operation.users or UsersRecord()
    return Summary(
        operation_id=operation.operation_id,
        status=operation.status,
        error=operation.error,
        dry_run=operation.request.dry_run,
        source_cluster_id=operation.snapshot.cluster_id,
        target_cluster_id=operation.identifiers.target_cluster_id,
        endpoint=restore.endpoint if restore else None,
        port=restore.port if restore else None,
        engine_version=restore.engine_version if restore else None,
        instances=restore.instance_ids if restore else [],
        settings=_settings(operation),
        notes=restore.notes if restore else [],
        restore_type=operation.snapshot.restore_type,
        snapshot=operation.snapshot.arn,
        snapshot_created_at=operation.snapshot.created_at,
        snapshot_age_hours=operation.snapshot.age_hours,
        storage_gib=operation.snapshot.storage_gib,
        copied=operation.copied.arn if operation.copied else None,
        half_restored_by=operation.plan.half_restored_by,
        final_snapshot=deletion.final_snapshot_arn if deletion else None,
        deleted=_deleted(operation),
        bring_back=commands_to_bring_back(operation),
        brought_back=operation.bring_back.finished_at is not None if operation.bring_back else None,
        old_cluster=_old_cluster(operation),
        keep_old_hours=operation.request.keep_old_hours if operation.is_swap else None,
        outage_seconds=operation.swap.outage_seconds if operation.swap else None,
        outage_uncertainty_seconds=operation.swap.outage_uncertainty_seconds if operation.swap else None,
        afterwards=_afterwards(operation),
        quarantine=operation.plan.quarantine_group_ids,
        exposed_since=operation.exposure.since,
        exposure_seconds=operation.exposure.seconds,
        users=users.proofs,
        shut_out=users.shut_out,
        kept_logins=users.kept,
        unknown_logins=users.unknown_logins,
        disarmed=users.disarmed,
        outbound=users.outbound,
        outbound_closed=users.outbound_closed,
        scripts=users.scripts,
        checks=users.checks,
        health=users.health,
        pruned=archive.pruned if archive else [],
        seconds=durations(operation),
        plan=operation.plan.actions,
        warnings=operation.plan.warnings,
        console_url=execution_url(operation.execution_arn),
        evidence=_evidence(operation),
        changes=changed_so_far(operation),
        preview=preview_of(operation) if operation.request.dry_run else None,
    )


def _old_cluster(operation: Operation) -> str | None:
    """Name the old cluster once it was put aside."""
    names = operation.identifiers.swap
    was_put_aside = operation.swap is not None and operation.swap.switched_at is not None
    return names.aside if names and was_put_aside else None


def _afterwards(operation: Operation) -> str | None:
    """Say what becomes of the restored cluster; None where it stays."""
    wanted = operation.request.afterwards
    if wanted is None or operation.retires is not None:
        return None
    if wanted.is_drill:
        return f"a drill for {operation.identifiers.drill_of}: all that it made is removed now"
    return f"{wanted.action} {wanted.after_hours:g} hours after the run, unless ./restore.sh afterwards changes that"


def _settings(operation: Operation) -> str | None:
    """Say in a line what became of the settings, once they were compared."""
    found = operation.restore.settings.comparison if operation.restore else None
    return str(found) if found else None


def _evidence(operation: Operation) -> str | None:
    """Say where the evidence is, or why there is none; None where nobody asked for any."""
    found = operation.evidence
    return (found.folder or f"not written: {found.error}") if found else None


def durations(operation: Operation) -> dict[str, int]:
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
        # Proven users get in once the quarantine is over.
        opened_at = operation.exposure.network_opened_at or users.finished_at
        switched_at = operation.swap.finished_at if operation.swap and operation.swap.finished_at else opened_at
        seconds["users"] = _seconds(users.master_reset_at, opened_at)
        if operation.swap is not None and operation.swap.started_at and operation.swap.finished_at:
            seconds["swap"] = _seconds(operation.swap.started_at, operation.swap.finished_at)
        seconds["total"] = _seconds(operation.snapshot.chosen_at, switched_at)
    return seconds


def _deleted(operation: Operation) -> list[str]:
    deletion = operation.deletion
    if deletion is None or deletion.destroying_since is None:
        return []
    gone = [operation.identifiers.target_cluster_id] if deletion.finished_at else []
    return [*gone, *deletion.deleted_members]


def _seconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds())
