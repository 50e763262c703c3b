"""The state table: operation rows with an optimistic lock, and the lock rows of the targets."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from utils.aws_errors import aws_call, error_code
from utils.errors import OperationNotFound, OperationRowConflict
from utils.operation import Operation, OperationError, OperationStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ROWS_ARE_KEPT = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class TargetLock:
    """The lock on a target cluster: who holds it, since when, and when it lapses."""

    holder: str
    execution_arn: str
    acquired_at: datetime
    expires_at: datetime


class OperationStore(Protocol):
    """Where operations and locks live; `DynamoDbOperationStore` in AWS, an in-memory twin in the tests."""

    def find(self, operation_id: str) -> Operation | None:
        """Return the operation, or None."""

    def create(self, operation: Operation) -> None:
        """Write a new row; raises `OperationRowConflict` when the id is taken."""

    def save(self, operation: Operation) -> None:
        """Write the row and count its version up; raises `OperationRowConflict` when somebody else did meanwhile."""

    def record_refusal(self, operation_id: str, execution_arn: str, error: OperationError, now: datetime) -> None:
        """Write the row of an operation that failed before it had a plan."""

    def acquire_lock(
        self, region: str, target_cluster_id: str, lock: TargetLock, *, instead_of: str | None = None
    ) -> TargetLock:
        """Take the lock unless somebody other than `instead_of` holds it; return the lock in force."""

    def release_lock(self, region: str, target_cluster_id: str, holder: str) -> None:
        """Give the lock back if `holder` has it."""


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


def lock_key(region: str, target_cluster_id: str) -> str:
    """Return the key of a target's lock row; execution names cannot contain `#`."""
    return f"lock#{region}#{target_cluster_id}"


class DynamoDbOperationStore:
    """`OperationStore` over the table `aurora-restore-state`."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def find(self, operation_id: str) -> Operation | None:
        """Return the operation; None when there is no row or only that of a refusal."""
        with aws_call("dynamodb:GetItem"):
            item = self._table.get_item(Key={"operation_id": operation_id}, ConsistentRead=True).get("Item")
        if item is None or "plan" not in item:
            return None
        return Operation.model_validate_json(json.dumps(item, default=_from_decimal))

    def create(self, operation: Operation) -> None:
        """Write a new row; a refusal's row of the same id gives way."""
        self._put(
            operation,
            "attribute_not_exists(operation_id) OR attribute_not_exists(#plan)",
            {},
            {"#plan": "plan"},
        )

    def save(self, operation: Operation) -> None:
        """Write the row under its next version."""
        expected = operation.version
        operation.version += 1
        operation.updated_at = datetime.now(UTC)
        self._put(operation, "#version = :version", {":version": expected}, {"#version": "version"})

    def _put(self, operation: Operation, condition: str, values: dict[str, int], names: dict[str, str]) -> None:
        given: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        with aws_call("dynamodb:PutItem"):
            try:
                self._table.put_item(
                    Item=_item(operation.model_dump_json(by_alias=True)),
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    **given,
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise OperationRowConflict(
                    f"another version of operation {operation.operation_id!r} in the state table",
                    expected=f"version {operation.version}",
                    action="nothing, the step is tried again with the new row",
                ) from None

    def record_refusal(self, operation_id: str, execution_arn: str, error: OperationError, now: datetime) -> None:
        """Write the row of a refused request: no plan, only what went wrong."""
        row: dict[str, Any] = {
            "operation_id": operation_id,
            "execution_arn": execution_arn,
            "status": OperationStatus.FAILED.value,
            "error": error.model_dump(),
            "created_at": now.isoformat(),
            "finished_at": now.isoformat(),
            "ttl": row_ttl(now),
        }
        with aws_call("dynamodb:PutItem"):
            self._table.put_item(Item=row)

    def acquire_lock(
        self, region: str, target_cluster_id: str, lock: TargetLock, *, instead_of: str | None = None
    ) -> TargetLock:
        """Write the lock row when it is absent, lapsed, already the holder's, or held by `instead_of`."""
        is_free = "attribute_not_exists(operation_id)"
        has_lapsed = "expires_at < :now"
        is_own = "holder IN (:holder, :instead_of)"
        with aws_call("dynamodb:PutItem"):
            try:
                self._table.put_item(
                    Item={
                        "operation_id": lock_key(region, target_cluster_id),
                        "holder": lock.holder,
                        "execution_arn": lock.execution_arn,
                        "acquired_at": lock.acquired_at.isoformat(),
                        "expires_at": int(lock.expires_at.timestamp()),
                        "ttl": row_ttl(lock.expires_at),
                    },
                    ConditionExpression=f"{is_free} OR {has_lapsed} OR {is_own}",
                    ExpressionAttributeValues={
                        ":now": int(lock.acquired_at.timestamp()),
                        ":holder": lock.holder,
                        ":instead_of": instead_of or lock.holder,
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
            else:
                return lock
        return self._lock_in_force(region, target_cluster_id)

    def _lock_in_force(self, region: str, target_cluster_id: str) -> TargetLock:
        with aws_call("dynamodb:GetItem"):
            item = self._table.get_item(
                Key={"operation_id": lock_key(region, target_cluster_id)}, ConsistentRead=True
            ).get("Item")
        if item is None:
            raise OperationRowConflict(
                f"a lock on {target_cluster_id} that was released this moment",
                expected="the lock or its row",
                action="nothing, the step is tried again",
            )
        return TargetLock(
            holder=str(item["holder"]),
            execution_arn=str(item["execution_arn"]),
            acquired_at=datetime.fromisoformat(str(item["acquired_at"])),
            expires_at=datetime.fromtimestamp(int(str(item["expires_at"])), UTC),
        )

    def release_lock(self, region: str, target_cluster_id: str, holder: str) -> None:
        """Delete the lock row on the condition that it is the holder's."""
        with aws_call("dynamodb:DeleteItem"):
            try:
                self._table.delete_item(
                    Key={"operation_id": lock_key(region, target_cluster_id)},
                    ConditionExpression="holder = :holder",
                    ExpressionAttributeValues={":holder": holder},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise


def row_ttl(now: datetime) -> int:
    """Return when DynamoDB may remove a row written now, in seconds since 1970."""
    return int((now + ROWS_ARE_KEPT).timestamp())


def _item(row: str) -> dict[str, Any]:
    # DynamoDB takes no float; a None would become a NULL attribute that says nothing.
    parsed: dict[str, Any] = json.loads(row, parse_float=Decimal)
    return {name: value for name, value in parsed.items() if value is not None}


def _from_decimal(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"not a DynamoDB number: {value!r}")
    return int(value) if value == value.to_integral_value() else float(value)
