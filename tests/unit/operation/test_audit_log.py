"""One contract for the audit table and its in-memory twin."""

from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from tests.fakes.stores import InMemoryAuditLog
from tests.unit.operation.tables import make_table
from tests.unit.operations import AT
from utils.errors import AwsRequestRejected
from utils.operation.audit_log import AuditEvent, AuditLog, AuditRow, DynamoDbAuditLog

Timestamps = Callable[[], list[str]]


def a_row(**other: Any) -> AuditRow:
    content: dict[str, Any] = {"operation_id": "nightly-1", "step": "Copy Snapshot", "event": AuditEvent.LEFT, "at": AT}
    return AuditRow(**content | {"actor": "arn:first"} | other)


@pytest.fixture(params=["in memory", "DynamoDB"])
def log(request: pytest.FixtureRequest) -> Iterator[tuple[AuditLog, Timestamps]]:
    if request.param == "in memory":
        twin = InMemoryAuditLog()
        yield twin, lambda: [row.at.isoformat(timespec="microseconds") for row in twin.rows]
    else:
        with mock_aws():
            table = make_table("aurora-restore-audit", "operation_id", "timestamp")
            yield DynamoDbAuditLog(table), lambda: [str(item["timestamp"]) for item in table.scan()["Items"]]


def test_rows_of_the_same_microsecond_are_all_kept(log: tuple[AuditLog, Timestamps]) -> None:
    audit, timestamps = log
    for _ in range(3):
        audit.append(a_row())
    assert timestamps() == [f"2026-11-22T03:00:00.12345{digit}+00:00" for digit in "678"]


def test_rows_of_different_operations_do_not_meet(log: tuple[AuditLog, Timestamps]) -> None:
    audit, timestamps = log
    audit.append(a_row())
    audit.append(a_row(operation_id="nightly-2"))
    assert timestamps() == ["2026-11-22T03:00:00.123456+00:00"] * 2


def test_the_trail_is_read_in_the_order_of_time_and_of_one_operation(log: tuple[AuditLog, Timestamps]) -> None:
    audit, _ = log
    for second, name in ((2, "Delete RDS"), (1, "Copy Snapshot"), (3, "Restore Snapshot")):
        audit.append(a_row(step=name, at=AT + timedelta(seconds=second), status="READY", api_calls=["rds:X"]))
    audit.append(a_row(operation_id="nightly-2"))

    trail = audit.trail("nightly-1")

    assert [row.step for row in trail] == ["Copy Snapshot", "Delete RDS", "Restore Snapshot"]
    first = a_row(at=AT + timedelta(seconds=1), status="READY", api_calls=["rds:X"])
    assert trail[0] == first
    assert audit.trail("nightly-9") == []


def test_a_long_trail_is_read_to_its_end() -> None:
    table = boto3.resource("dynamodb", region_name="us-west-2").Table("aurora-restore-audit")
    asked: dict[str, Any] = {
        "TableName": "aurora-restore-audit",
        "KeyConditionExpression": "#key = :value",
        "ExpressionAttributeNames": {"#key": "operation_id"},
        "ExpressionAttributeValues": {":value": "nightly-1"},
        "ConsistentRead": True,
    }

    def page(at: str) -> dict[str, Any]:
        row = {"timestamp": at, "step": "Copy Snapshot", "event": "LEFT", "actor": "arn:first"}
        return {"Items": [{name: {"S": value} for name, value in row.items()}]}

    with Stubber(table.meta.client) as dynamodb:
        last = {"operation_id": {"S": "nightly-1"}}
        dynamodb.add_response("query", {**page("2026-11-22T03:00:00+00:00"), "LastEvaluatedKey": last}, asked)
        further = {**asked, "ExclusiveStartKey": {"operation_id": "nightly-1"}}
        dynamodb.add_response("query", page("2026-11-22T03:00:01+00:00"), further)
        assert [row.at.second for row in DynamoDbAuditLog(table).trail("nightly-1")] == [0, 1]


@mock_aws
def test_a_row_says_who_did_what_and_how_it_ended() -> None:
    table = make_table("aurora-restore-audit", "operation_id", "timestamp")

    DynamoDbAuditLog(table).append(
        a_row(status="READY", details={"percent": 99.5, "names": ["a"]}, api_calls=["rds:CopyDBClusterSnapshot"])
    )

    assert table.scan()["Items"] == [
        {
            "operation_id": "nightly-1",
            "timestamp": "2026-11-22T03:00:00.123456+00:00",
            "step": "Copy Snapshot",
            "event": "LEFT",
            "actor": "arn:first",
            "status": "READY",
            "details": {"percent": Decimal("99.5"), "names": ["a"]},
            "api_calls": ["rds:CopyDBClusterSnapshot"],
        }
    ]


@mock_aws
def test_timestamps_are_in_utc_whatever_the_zone_of_the_row() -> None:
    table = make_table("aurora-restore-audit", "operation_id", "timestamp")
    DynamoDbAuditLog(table).append(a_row(at=AT.astimezone(timezone(timedelta(hours=9)))))
    assert table.scan()["Items"][0]["timestamp"] == "2026-11-22T03:00:00.123456+00:00"


@mock_aws
def test_a_table_that_refuses_is_no_collision() -> None:
    table = make_table("aurora-restore-audit", "operation_id", "timestamp")
    audit = DynamoDbAuditLog(table)
    table.delete()
    with pytest.raises(AwsRequestRejected, match="ResourceNotFoundException"):
        audit.append(a_row())


def test_a_row_whose_first_answer_was_lost_is_there_once() -> None:
    stored = {
        "operation_id": {"S": "nightly-1"},
        "timestamp": {"S": "2026-11-22T03:00:00.123456+00:00"},
        "step": {"S": "Copy Snapshot"},
        "event": {"S": "LEFT"},
        "actor": {"S": "arn:first"},
        "status": {"S": ""},
        "details": {"M": {"percent": {"N": "99.50"}}},
        "api_calls": {"L": []},
    }
    table = boto3.resource("dynamodb", region_name="us-west-2").Table("aurora-restore-audit")
    with Stubber(table.meta.client) as dynamodb:
        dynamodb.add_client_error(
            "put_item",
            "ConditionalCheckFailedException",
            response_meta={"RetryAttempts": 1},
            modeled_fields={"Item": stored},
        )
        # A second put_item, of the next microsecond, would find no answer here.
        DynamoDbAuditLog(table).append(a_row(details={"percent": 99.5}))
        dynamodb.assert_no_pending_responses()
