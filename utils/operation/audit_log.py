"""The audit table: append-only rows that say who did what, when, and how it ended."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class AuditEvent(StrEnum):
    """What an audit row tells of a step."""

    ENTERED = "ENTERED"
    LEFT = "LEFT"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """One row; `at` becomes the sort key, ISO-8601 UTC with microseconds."""

    operation_id: str
    step: str
    event: AuditEvent
    actor: str
    at: datetime
    status: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    api_calls: list[str] = field(default_factory=list)


class AuditLog(Protocol):
    """Where audit rows go; `DynamoDbAuditLog` in AWS, an in-memory twin in the tests."""

    def append(self, row: AuditRow) -> None:
        """Write a row; never overwrites one."""


class DynamoDbAuditLog:
    """`AuditLog` over the table `aurora-restore-audit`, in which the functions may only put items."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def append(self, row: AuditRow) -> None:
        """Put the row; another one of the same microsecond moves it to the next.

        The same row is already there when boto3 tried again because the first answer was lost.
        """
        at = row.at.astimezone(UTC)
        while not self._put(row, at):
            at += timedelta(microseconds=1)

    def _put(self, row: AuditRow, at: datetime) -> bool:
        content = asdict(row)
        del content["at"]
        item = json.loads(json.dumps(content), parse_float=Decimal)
        item["timestamp"] = at.isoformat(timespec="microseconds")
        with aws_call("dynamodb:PutItem"):
            try:
                self._table.put_item(
                    Item=item,
                    ConditionExpression="attribute_not_exists(operation_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return _is_from_an_earlier_attempt(item, error)
        return True


def _is_from_an_earlier_attempt(item: Mapping[str, Any], refusal: ClientError) -> bool:
    answer: Any = refusal.response
    there: object = TypeDeserializer().deserialize({"M": answer.get("Item", {})})
    return bool(answer["ResponseMetadata"].get("RetryAttempts")) and there == item
