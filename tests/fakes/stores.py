"""In-memory twins of the two tables; the contract tests hold them to what DynamoDB does."""

import json
from datetime import UTC, datetime, timedelta

from utils.errors import AuroraRestoreError, OperationRowConflict
from utils.operation.audit_log import AuditEvent, AuditRow
from utils.operation.model import Operation
from utils.operation.source_record import SourceRecord
from utils.operation.state_table import lock_key, row_ttl, source_key, target_key
from utils.operation.store import Attempt, RunDurations, TargetLock, UnplannedOperation, with_run
from utils.operation.target_record import TargetRecord


class InMemoryOperationStore:
    """`OperationStore` in a dictionary; rows are kept as JSON, so nobody shares an object with the store."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.unplanned: dict[str, str] = {}
        self.locks: dict[str, TargetLock] = {}
        self.records: dict[str, str] = {}
        self.runs: dict[tuple[str, str], list[RunDurations]] = {}
        self.sources: dict[str, str] = {}

    def find(self, operation_id: str) -> Operation | None:
        row = self.rows.get(operation_id)
        return Operation.model_validate_json(row) if row else None

    def create(self, operation: Operation) -> None:
        unplanned = self.find_unplanned(operation.operation_id)
        if operation.operation_id in self.rows or (unplanned and unplanned.finished_at):
            raise _conflict(operation)
        self.unplanned.pop(operation.operation_id, None)
        self._put(operation)

    def save(self, operation: Operation) -> None:
        row = self.rows.get(operation.operation_id)
        if row is None or json.loads(row)["version"] != operation.version:
            raise _conflict(operation)
        operation.version += 1
        operation.updated_at = datetime.now(UTC)
        self._put(operation)

    def planned(self) -> tuple[list[Operation], list[str]]:
        return [Operation.model_validate_json(row) for row in self.rows.values()], []

    def find_unplanned(self, operation_id: str) -> UnplannedOperation | None:
        row = self.unplanned.get(operation_id)
        return UnplannedOperation.model_validate_json(row) if row else None

    def reserve(self, operation: UnplannedOperation) -> None:
        before = self.find_unplanned(operation.operation_id)
        is_closed = before is not None and before.finished_at and before.redrive_count >= operation.redrive_count
        if is_closed or not self.save_unplanned(operation):
            raise _conflict(operation)

    def save_unplanned(self, operation: UnplannedOperation) -> bool:
        if operation.operation_id in self.rows:
            return False
        self.unplanned[operation.operation_id] = operation.model_dump_json()
        return True

    def find_target_record(self, region: str, target_cluster_id: str) -> TargetRecord | None:
        key = target_key(region, target_cluster_id)
        return TargetRecord.read(self.records[key], key) if key in self.records else None

    def save_target_record(self, record: TargetRecord) -> None:
        key = target_key(record.region, record.cluster_id)
        there = self.records.get(key)
        if there is None or datetime.fromisoformat(json.loads(there)["read_at"]) <= record.read_at:
            self.records[key] = record.model_dump_json()

    def acquire_lock(
        self, region: str, target_cluster_id: str, lock: TargetLock, *, instead_of: str | None = None
    ) -> TargetLock:
        key = lock_key(region, target_cluster_id)
        held = self.locks.get(key)
        is_open = held is None or held.holder in {lock.holder, instead_of} or _second(held) < lock.acquired_at
        if held is not None and not is_open:
            return held
        self.locks[key] = lock
        return lock

    def earlier_runs(self, region: str, target_cluster_id: str) -> list[RunDurations]:
        return list(self.runs.get((region, target_cluster_id), []))

    def remember_run(self, region: str, target_cluster_id: str, run: RunDurations) -> None:
        self.runs[region, target_cluster_id] = with_run(self.earlier_runs(region, target_cluster_id), run)

    def release_lock(self, region: str, target_cluster_id: str, holder: str, taken_by: Attempt | None = None) -> None:
        lock = self.locks.get(lock_key(region, target_cluster_id))
        if lock is None or lock.holder != holder:
            return
        if taken_by and (lock.execution_arn != taken_by.execution_arn or lock.redrive_count > taken_by.redrive_count):
            return
        del self.locks[lock_key(region, target_cluster_id)]

    def find_source(self, region: str, account_id: str, cluster_id: str) -> SourceRecord | None:
        row = self.sources.get(source_key(region, account_id, cluster_id))
        return SourceRecord.model_validate_json(row) if row else None

    def save_source(self, record: SourceRecord) -> None:
        before = self.find_source(record.region, record.account_id, record.cluster_id)
        if before is None or row_ttl(before.known_at) <= row_ttl(record.known_at):
            self.sources[source_key(record.region, record.account_id, record.cluster_id)] = record.model_dump_json()

    def _put(self, operation: Operation) -> None:
        self.rows[operation.operation_id] = operation.model_dump_json(by_alias=True)


class InMemoryApprovals:
    """`Approvals` in a dictionary."""

    def __init__(self) -> None:
        self.questions: dict[str, tuple[str, str, datetime]] = {}

    def ask(self, operation_id: str, task_token: str, target_cluster_id: str, expires_at: datetime) -> None:
        self.questions[operation_id] = (task_token, target_cluster_id, expires_at)


class InMemoryAuditLog:
    """`AuditLog` in a list; `fails_with` makes the next writes of one event fail."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []
        self.fails_with: dict[AuditEvent, AuroraRestoreError] = {}

    def append(self, row: AuditRow) -> None:
        if row.event in self.fails_with:
            raise self.fails_with[row.event]
        taken = {(other.operation_id, other.at) for other in self.rows}
        at = row.at
        while (row.operation_id, at) in taken:
            at += timedelta(microseconds=1)
        self.rows.append(row if at == row.at else _moved(row, at))

    def trail(self, operation_id: str) -> list[AuditRow]:
        rows = [row for row in self.rows if row.operation_id == operation_id]
        return [AuditRow(**{**vars(row), "details": {}}) for row in sorted(rows, key=lambda row: row.at)]


def _moved(row: AuditRow, at: datetime) -> AuditRow:
    return AuditRow(**{**vars(row), "at": at})


def _second(lock: TargetLock) -> datetime:
    return lock.expires_at.replace(microsecond=0)


def _conflict(operation: Operation | UnplannedOperation) -> OperationRowConflict:
    return OperationRowConflict(operation.operation_id, expected="another version", action="nothing")
