"""The audit table: append-only rows that say who did what, when, and how it ended."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from utils.aws.table import TableGateway, item_of

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

    def trail(self, operation_id: str) -> list[AuditRow]:
        """Return the rows of an operation, oldest first; their details are left out."""


class DynamoDbAuditLog:
    """`AuditLog` over the table `aurora-restore-audit`, in which the functions may only put items."""

    def __init__(self, table: "Table") -> None:
        self._table = TableGateway(table)

    def append(self, row: AuditRow) -> None:
        """Put the row; another one of the same microsecond moves it to the next.

        The same row is already there when boto3 tried again because the first answer was lost.
        """
        at = row.at.astimezone(UTC)
        while not self._put(row, at):
            at += timedelta(microseconds=1)

    def trail(self, operation_id: str) -> list[AuditRow]:
        """Query the rows of an operation."""
        return [
            AuditRow(
                operation_id=operation_id,
                step=str(item["step"]),
                event=AuditEvent(item["event"]),
                actor=str(item["actor"]),
                at=datetime.fromisoformat(str(item["timestamp"])),
                status=str(item.get("status", "")),
                api_calls=[str(call) for call in item.get("api_calls", ())],
            )
            for item in self._table.all_of("operation_id", operation_id)
        ]

    def _put(self, row: AuditRow, at: datetime) -> bool:
        content = asdict(row)
        del content["at"]
        item = item_of(json.dumps(content)) | {"timestamp": at.isoformat(timespec="microseconds")}
        refused = self._table.put(item, "attribute_not_exists(operation_id)", wants_item=True)
        return refused is None or (refused.was_sent_before and refused.item == item)
