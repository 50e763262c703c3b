"""Restores over time: which source clusters were restored, how fast, how fresh, and which never were."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from utils.identifiers import SELFTEST
from utils.operation.model import Operation, OperationStatus
from utils.operation.retirement import restores
from utils.report.retirement import left_by_drill
from utils.report.summary import durations

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class SourceCluster:
    """A cluster that has, or should have, its restores proven."""

    cluster_id: str
    region: str
    account_id: str

    def __str__(self) -> str:
        """Say which it is."""
        return f"{self.cluster_id} ({self.region}, {self.account_id})"


@dataclass(frozen=True, kw_only=True)
class Restore:
    """One restore that succeeded: seconds of recovery, and hours that its data was old."""

    operation_id: str
    target: str
    finished_at: datetime
    rto_seconds: int | None
    rpo_hours: float
    drill_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Drills:
    """What is known of the restores of one source cluster, the newest first."""

    source: SourceCluster
    restores: Sequence[Restore]
    runs: int
    fresh_until: datetime | None
    left_behind: Sequence[str] = ()

    @property
    def last(self) -> Restore | None:
        """The newest restore that succeeded."""
        return self.restores[0] if self.restores else None

    @property
    def success_rate(self) -> float | None:
        """Between 0 and 1; None without a run."""
        return len(self.restores) / self.runs if self.runs else None

    def is_fresh(self, now: datetime) -> bool:
        """Whether the last proof is recent enough."""
        return self.fresh_until is not None and self.fresh_until >= now

    def document(self, now: datetime) -> dict[str, Any]:
        """Return it as JSON values."""
        last = self.last
        return {
            "source_cluster_id": self.source.cluster_id,
            "region": self.source.region,
            "account_id": self.source.account_id,
            "runs": self.runs,
            "succeeded": len(self.restores),
            "success_rate": self.success_rate,
            "last_restored_at": last.finished_at.isoformat() if last else None,
            "last_operation_id": last.operation_id if last else None,
            "fresh_until": self.fresh_until.isoformat() if self.fresh_until else None,
            "fresh": self.is_fresh(now),
            "drills": sum(item.drill_of is not None for item in self.restores),
            "left_behind": list(self.left_behind),
            "rto_seconds": [item.rto_seconds for item in self.restores],
            "rpo_hours": [item.rpo_hours for item in self.restores],
        }


def drills_of(
    operations: Iterable[Operation],
    population: Iterable[SourceCluster],
    *,
    since: datetime,
    until: datetime | None = None,
    fresh_for: timedelta,
) -> list[Drills]:
    """Return each source cluster's restores, those that are longest not proven first; never drilled before all.

    A run counts if it began after `since` and, for a period that is over, had ended by `until`. Selftests prove the
    pipeline and no source: theirs are left out.
    """
    by_source: dict[SourceCluster, list[Operation]] = {source: [] for source in population}
    clean_ups: dict[str, Operation] = {}
    for operation in operations:
        if operation.retires is not None and operation.afterwards is not None:
            clean_ups[operation.retires] = operation
        was_run = restores(operation) and not operation.request.dry_run and operation.finished_at is not None
        if was_run and operation.created_at >= since and not _is_later(operation, until):
            by_source.setdefault(_source_of(operation), []).append(operation)
    found = [
        _drills(source, its_own, clean_ups, fresh_for)
        for source, its_own in by_source.items()
        if not source.cluster_id.startswith(f"{SELFTEST}-")
    ]
    return sorted(found, key=lambda item: (item.last.finished_at if item.last else _NEVER, str(item.source)))


def _is_later(operation: Operation, until: datetime | None) -> bool:
    return until is not None and operation.finished_at is not None and operation.finished_at > until


def _drills(
    source: SourceCluster, operations: Sequence[Operation], clean_ups: Mapping[str, Operation], fresh_for: timedelta
) -> Drills:
    proven = sorted(map(_restore, filter(_has_succeeded, operations)), key=lambda item: item.finished_at, reverse=True)
    until = proven[0].finished_at + fresh_for if proven else None
    of_drills = [clean_ups[item.operation_id] for item in operations if item.operation_id in clean_ups]
    left = [name for row in of_drills for name in left_by_drill(row)]
    return Drills(source=source, restores=proven, runs=len(operations), fresh_until=until, left_behind=left)


def _has_succeeded(operation: Operation) -> bool:
    return operation.status is OperationStatus.SUCCEEDED


def _restore(operation: Operation) -> Restore:
    return Restore(
        operation_id=operation.operation_id,
        target=operation.identifiers.target_cluster_id,
        finished_at=operation.finished_at or operation.updated_at,
        rto_seconds=durations(operation).get("total"),
        rpo_hours=operation.snapshot.age_hours,
        drill_of=operation.identifiers.drill_of,
    )


def _source_of(operation: Operation) -> SourceCluster:
    snapshot = operation.snapshot
    return SourceCluster(cluster_id=snapshot.cluster_id, region=snapshot.region, account_id=snapshot.account_id)
