"""The rows of the state table beside the planned operation, and what a store of them can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel

from utils.errors import OperationNotFound
from utils.operation.model import Operation
from utils.operation.records import OperationError
from utils.operation.source_record import SourceRecord
from utils.operation.target_record import TargetRecord


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Who works on an operation: an execution, and which of its redrives."""

    execution_arn: str
    redrive_count: int = 0


@dataclass(frozen=True, kw_only=True)
class TargetLock:
    """The lock on a target cluster: who holds it, since when, and when it lapses."""

    holder: str
    execution_arn: str
    redrive_count: int = 0
    acquired_at: datetime
    expires_at: datetime


class UnplannedOperation(BaseModel):
    """The row of an operation that has no plan yet, or was refused one; `error` says why."""

    operation_id: str
    execution_arn: str
    redrive_count: int = 0
    target_cluster_id: str | None = None
    error: OperationError | None = None
    created_at: datetime
    finished_at: datetime | None = None
    notified_at: datetime | None = None


class RunDurations(BaseModel):
    """How long a run that succeeded took: seconds by phase."""

    operation_id: str
    finished_at: datetime
    seconds: dict[str, int]


MOST_EARLIER_RUNS = 10


class OperationStore(Protocol):
    """Where operations and locks live; `DynamoDbOperationStore` in AWS, an in-memory twin in the tests."""

    def find(self, operation_id: str) -> Operation | None:
        """Return the operation, None if it has no plan; raises `OperationNotResumable` for an unreadable row."""

    def planned(self) -> tuple[list[Operation], list[str]]:
        """Return every operation that has a plan, and the ids of those whose row this version cannot read."""

    def find_unplanned(self, operation_id: str) -> UnplannedOperation | None:
        """Return the row of an operation that has no plan."""

    def create(self, operation: Operation) -> None:
        """Write the first row with a plan; raises `OperationRowConflict` when the id is taken or was closed."""

    def save(self, operation: Operation) -> None:
        """Write the row and count its version up; raises `OperationRowConflict` when somebody else did meanwhile."""

    def reserve(self, operation: UnplannedOperation) -> None:
        """Reserve the id before there is a plan; raises `OperationRowConflict` when the id is taken or was closed."""

    def save_unplanned(self, operation: UnplannedOperation) -> bool:
        """Write the row of an operation without a plan, or answer False: one with a plan under the same id stays."""

    def find_target_record(self, region: str, target_cluster_id: str) -> TargetRecord | None:
        """Return the last known settings of a target."""

    def save_target_record(self, record: TargetRecord) -> None:
        """Write the record, unless a later one is there."""

    def acquire_lock(
        self, region: str, target_cluster_id: str, lock: TargetLock, *, instead_of: str | None = None
    ) -> TargetLock:
        """Take the lock unless somebody other than `instead_of` holds it; return the lock in force."""

    def earlier_runs(self, region: str, target_cluster_id: str) -> list[RunDurations]:
        """Return the last runs over a target that succeeded, the newest first."""

    def remember_run(self, region: str, target_cluster_id: str, run: RunDurations) -> None:
        """Put a run before the others; the same one again changes nothing, and no more than the last ones are kept."""

    def release_lock(self, region: str, target_cluster_id: str, holder: str, taken_by: Attempt | None = None) -> None:
        """Release the lock if `holder` has it, and if no attempt later than `taken_by` has taken it again."""

    def find_source(self, region: str, account_id: str, cluster_id: str) -> SourceRecord | None:
        """Return what the last copies of a source brought along; None if nothing is known, or in another form."""

    def save_source(self, record: SourceRecord) -> None:
        """Write what is known of a source; what is known since later stays."""


def with_run(runs: Sequence[RunDurations], run: RunDurations) -> list[RunDurations]:
    """Return the runs with one more, the newest first."""
    others = [other for other in runs if other.operation_id != run.operation_id]
    return [run, *others][:MOST_EARLIER_RUNS]


def get_operation(store: OperationStore, operation_id: str) -> Operation:
    """Return the operation; raises `OperationNotFound`."""
    operation = store.find(operation_id)
    if operation is None:
        raise OperationNotFound(
            f"no row for operation {operation_id!r}",
            expected="a row written by Snapshot Check",
            action="start the state machine instead of a single step, or correct operation_id",
        )
    return operation
