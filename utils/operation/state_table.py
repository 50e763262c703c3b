"""The state table in DynamoDB: operations with an optimistic lock, the targets' locks, what is known of sources."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from utils.aws.table import Item, TableGateway, item_of, json_of
from utils.errors import OperationNotResumable, OperationRowConflict
from utils.operation.earlier_rows import of_this_version
from utils.operation.model import Operation, OperationStatus
from utils.operation.source_record import SourceRecord
from utils.operation.store import Attempt, RunDurations, TargetLock, UnplannedOperation, with_run
from utils.operation.target_record import TargetRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ROWS_ARE_KEPT = timedelta(days=400)
_UNPLANNED, _PLAN = "attribute_not_exists(#plan)", {"#plan": "plan"}


def lock_key(region: str, target_cluster_id: str) -> str:
    """Return the key of a target's lock row; execution names cannot contain `#`."""
    return f"lock#{region}#{target_cluster_id}"


def target_key(region: str, target_cluster_id: str) -> str:
    """Return the key of a target's record; execution names cannot contain `#`."""
    return f"target#{region}#{target_cluster_id}"


def source_key(region: str, account_id: str, cluster_id: str) -> str:
    """Return the key of what is known of a source."""
    return f"source#{region}#{account_id}#{cluster_id}"


def runs_key(region: str, target_cluster_id: str) -> str:
    """Return the key of how long earlier runs over a target took."""
    return f"runs#{region}#{target_cluster_id}"


class DynamoDbOperationStore:
    """`OperationStore` over the table `aurora-restore-state`."""

    def __init__(self, table: "Table") -> None:
        self._table = TableGateway(table)

    def find(self, operation_id: str) -> Operation | None:
        """Return the operation; None when there is no row or only that of a refusal."""
        item = self._table.get({"operation_id": operation_id})
        if item is None or "plan" not in item:
            return None
        try:
            return operation_of(item)
        except ValidationError as error:
            raise _unreadable(operation_id, error) from None

    def planned(self) -> tuple[list[Operation], list[str]]:
        """Return every operation that has a plan, and the ids of those that this version cannot read."""
        read: list[Operation] = []
        unreadable: list[str] = []
        # Keys with a '#' are no operations: locks, targets, sources.
        is_planned = "attribute_exists(identifiers) AND NOT contains(operation_id, :mark)"
        for item in self._table.every(is_planned, {":mark": "#"}):
            try:
                read.append(operation_of(item))
            except ValidationError:
                unreadable.append(str(item["operation_id"]))
        return read, unreadable

    def find_unplanned(self, operation_id: str) -> UnplannedOperation | None:
        """Return the row of an operation that has no plan."""
        item = self._table.get({"operation_id": operation_id})
        if item is None or "plan" in item:
            return None
        return UnplannedOperation.model_validate_json(json_of(item))

    def create(self, operation: Operation) -> None:
        """Write a new row; one without a plan gives way, unless its execution was closed meanwhile."""
        is_open = f"{_UNPLANNED} AND attribute_not_exists(finished_at)"
        if self._table.put(_row_of(operation), is_open, names=_PLAN):
            raise _another_row(operation.operation_id)

    def save(self, operation: Operation) -> None:
        """Write the row under its next version."""
        expected = operation.version
        operation.version += 1
        operation.updated_at = datetime.now(UTC)
        is_as_read, names = "#version = :version", {"#version": "version"}
        if self._table.put(_row_of(operation), is_as_read, values={":version": expected}, names=names):
            raise _another_row(operation.operation_id)

    def reserve(self, operation: UnplannedOperation) -> None:
        """Reserve the id before there is a plan, unless this attempt or a later one was closed already."""
        is_open = "(attribute_not_exists(finished_at) OR redrive_count < :redrive_count)"
        values = {":redrive_count": operation.redrive_count}
        if self._table.put(_row_of(operation), f"{_UNPLANNED} AND {is_open}", values=values, names=_PLAN):
            raise _another_row(operation.operation_id)

    def save_unplanned(self, operation: UnplannedOperation) -> bool:
        """Write the row unless a plan is under the same id, which is never lost to one without."""
        return self._table.put(_row_of(operation), _UNPLANNED, names=_PLAN) is None

    def find_target_record(self, region: str, target_cluster_id: str) -> TargetRecord | None:
        """Return the last known settings of a target; None when there are none. Raises `TargetNotBuildable`."""
        key = target_key(region, target_cluster_id)
        item = self._table.get({"operation_id": key})
        return None if item is None else TargetRecord.read(json_of(item.get("record") or {}), key)

    def save_target_record(self, record: TargetRecord) -> None:
        """Write the record, without a TTL, unless a later one is there."""
        key = target_key(record.region, record.cluster_id)
        self._table.put(
            {"operation_id": key, "read_at": record.read_at.isoformat(), "record": item_of(record.model_dump_json())},
            "attribute_not_exists(operation_id) OR read_at <= :read_at",
            values={":read_at": record.read_at.isoformat()},
        )

    def acquire_lock(
        self, region: str, target_cluster_id: str, lock: TargetLock, *, instead_of: str | None = None
    ) -> TargetLock:
        """Write the lock row when it is absent, lapsed, already the holder's, or held by `instead_of`."""
        is_free = "attribute_not_exists(operation_id)"
        has_lapsed = "expires_at < :now"
        is_own = "holder IN (:holder, :instead_of)"
        refused = self._table.put(
            {
                "operation_id": lock_key(region, target_cluster_id),
                "holder": lock.holder,
                "execution_arn": lock.execution_arn,
                "redrive_count": lock.redrive_count,
                "acquired_at": lock.acquired_at.isoformat(),
                "expires_at": int(lock.expires_at.timestamp()),
                "ttl": row_ttl(lock.expires_at),
            },
            f"{is_free} OR {has_lapsed} OR {is_own}",
            values={
                ":now": int(lock.acquired_at.timestamp()),
                ":holder": lock.holder,
                ":instead_of": instead_of or lock.holder,
            },
        )
        return self._lock_in_force(region, target_cluster_id) if refused else lock

    def _lock_in_force(self, region: str, target_cluster_id: str) -> TargetLock:
        item = self._table.get({"operation_id": lock_key(region, target_cluster_id)})
        if item is None:
            raise OperationRowConflict(
                f"a lock on {target_cluster_id} that was released just now",
                expected="the lock or its row",
                action="nothing, the step is tried again",
            )
        return TargetLock(
            holder=str(item["holder"]),
            execution_arn=str(item["execution_arn"]),
            redrive_count=int(str(item.get("redrive_count", 0))),
            acquired_at=datetime.fromisoformat(str(item["acquired_at"])),
            expires_at=datetime.fromtimestamp(int(str(item["expires_at"])), UTC),
        )

    def earlier_runs(self, region: str, target_cluster_id: str) -> list[RunDurations]:
        """Return the last runs over a target that succeeded, the newest first."""
        item = self._table.get({"operation_id": runs_key(region, target_cluster_id)})
        return _Runs.model_validate_json(json_of(item)).runs if item else []

    def remember_run(self, region: str, target_cluster_id: str, run: RunDurations) -> None:
        """Write the target's row with one more run; its lock keeps others from writing it meanwhile."""
        runs = with_run(self.earlier_runs(region, target_cluster_id), run)
        written = item_of(_Runs(runs=runs).model_dump_json())
        key = runs_key(region, target_cluster_id)
        ours_or_none = "attribute_not_exists(operation_id) OR attribute_exists(runs)"
        self._table.put({"operation_id": key, **written, "ttl": row_ttl(run.finished_at)}, ours_or_none)

    def release_lock(self, region: str, target_cluster_id: str, holder: str, taken_by: Attempt | None = None) -> None:
        """Delete the lock row if it is the holder's, and if no later attempt has taken the lock again."""
        is_own = "holder = :holder"
        values: dict[str, Any] = {":holder": holder}
        if taken_by is not None:
            is_own += " AND execution_arn = :execution_arn AND NOT redrive_count > :redrive_count"
            values |= {":execution_arn": taken_by.execution_arn, ":redrive_count": taken_by.redrive_count}
        self._table.delete({"operation_id": lock_key(region, target_cluster_id)}, is_own, values=values)

    def find_source(self, region: str, account_id: str, cluster_id: str) -> SourceRecord | None:
        """Return what is known of a source; a row that another version wrote is only advice, and nothing here."""
        item = self._table.get({"operation_id": source_key(region, account_id, cluster_id)})
        try:
            return SourceRecord.model_validate_json(json_of(item)) if item else None
        except ValidationError:
            return None

    def save_source(self, record: SourceRecord) -> None:
        """Write what is known of a source, unless a later run wrote more."""
        key = source_key(record.region, record.account_id, record.cluster_id)
        row = item_of(record.model_dump_json()) | {"operation_id": key, "ttl": row_ttl(record.known_at)}
        is_older = "attribute_not_exists(operation_id) OR #ttl <= :ttl"
        self._table.put(_without_nulls(row), is_older, values={":ttl": row["ttl"]}, names={"#ttl": "ttl"})


class _Runs(BaseModel):
    runs: list[RunDurations]


def operation_of(item: Item) -> Operation:
    """Read a row that has a plan, one of an earlier version too; raises pydantic's `ValidationError`."""
    return Operation.model_validate_json(json.dumps(of_this_version(json.loads(json_of(item)))))


def row_ttl(now: datetime) -> int:
    """Return when DynamoDB may remove a row written now, in seconds since 1970."""
    return int((now + ROWS_ARE_KEPT).timestamp())


def _row_of(operation: Operation | UnplannedOperation) -> Item:
    row = item_of(operation.model_dump_json(by_alias=True))
    if isinstance(operation, UnplannedOperation):
        status = OperationStatus.FAILED if operation.error else OperationStatus.RUNNING
        row |= {"status": status.value, "ttl": row_ttl(operation.created_at)}
    return _without_nulls(row)


def _without_nulls(row: Item) -> Item:
    # A None would become a NULL attribute that says nothing.
    return {name: value for name, value in row.items() if value is not None}


def _another_row(operation_id: str) -> OperationRowConflict:
    return OperationRowConflict(
        f"another row of operation {operation_id!r} in the state table",
        expected="the one that was read a moment ago",
        action="nothing, the step is tried again with the new row",
    )


def _unreadable(operation_id: str, error: ValidationError) -> OperationNotResumable:
    # Field and kind of problem only: the value may be anything.
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return OperationNotResumable(
        f"a row of operation {operation_id!r} whose field {'.'.join(str(part) for part in problem['loc'])} "
        f"does not fit ({problem['type']})",
        expected="a row that this version of the pipeline can read",
        action="use the version that wrote it, or start a new run",
    )
