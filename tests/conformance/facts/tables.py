"""DynamoDB: conditions, sizes and what a key may be."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true

_QUOTAS = "DynamoDB Developer Guide, Quotas"


def _row(name: str, **more: Any) -> dict[str, Any]:
    return {"operation_id": {"S": name}, "timestamp": {"S": "2026-11-26T03:00:00Z"}, **more}


@fact("dynamodb", "DynamoDB Developer Guide, Condition expressions", minutes=1)
def a_condition_that_does_not_hold_is_told(bench: Bench) -> None:
    """PutItem whose condition does not hold: ConditionalCheckFailedException; the item stays as it was."""
    tables, table = bench.client("dynamodb"), bench.made.table
    tables.put_item(TableName=table, Item=_row("first", kept={"S": "yes"}))
    bench.refused(
        "ConditionalCheckFailedException",
        lambda: tables.put_item(
            TableName=table, Item=_row("first"), ConditionExpression="attribute_not_exists(operation_id)"
        ),
    )
    found = tables.get_item(TableName=table, Key=_row("first"), ConsistentRead=True)["Item"]
    equal(found, _row("first", kept={"S": "yes"}), "the item")


@fact("dynamodb", "DynamoDB API, PutItem: ReturnValuesOnConditionCheckFailure")
def a_refused_condition_can_tell_the_item(bench: Bench) -> None:
    """With ReturnValuesOnConditionCheckFailure ALL_OLD the refusal has the item that was there."""
    tables, table = bench.client("dynamodb"), bench.made.table
    tables.put_item(TableName=table, Item=_row("told"))
    try:
        tables.put_item(
            TableName=table,
            Item=_row("told"),
            ConditionExpression="attribute_not_exists(operation_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except tables.exceptions.ConditionalCheckFailedException as error:
        equal(error.response.get("Item"), _row("told"), "the item in the refusal")
    else:
        true(False, "the condition held")


@fact("dynamodb", _QUOTAS)
def an_item_has_four_hundred_kilobytes(bench: Bench) -> None:
    """An item of more than 400 KB: ValidationException."""
    tables, table = bench.client("dynamodb"), bench.made.table
    bench.refused(
        "ValidationException",
        lambda: tables.put_item(TableName=table, Item=_row("long", text={"S": "x" * 410_000})),
        saying="size",
    )


@fact("dynamodb", _QUOTAS)
def a_key_is_not_empty(bench: Bench) -> None:
    """An empty string as a key's value: ValidationException."""
    tables, table = bench.client("dynamodb"), bench.made.table
    bench.refused("ValidationException", lambda: tables.put_item(TableName=table, Item=_row("")))


@fact("dynamodb", _QUOTAS)
def a_number_has_thirty_eight_digits(bench: Bench) -> None:
    """A number of more than 38 digits: ValidationException."""
    tables, table = bench.client("dynamodb"), bench.made.table
    bench.refused(
        "ValidationException", lambda: tables.put_item(TableName=table, Item=_row("n", number={"N": "1" * 39}))
    )


@fact("dynamodb", "DynamoDB API, Query")
def a_query_is_in_the_order_of_the_sort_key(bench: Bench) -> None:
    """Query answers the items of a partition by their sort key, or the other way round."""
    tables, table = bench.client("dynamodb"), bench.made.table
    for moment in ("3", "1", "2"):
        tables.put_item(TableName=table, Item={"operation_id": {"S": "ordered"}, "timestamp": {"S": moment}})
    for forward, stated in ((True, ["1", "2", "3"]), (False, ["3", "2", "1"])):
        found = tables.query(
            TableName=table,
            KeyConditionExpression="operation_id = :id",
            ExpressionAttributeValues={":id": {"S": "ordered"}},
            ScanIndexForward=forward,
            ConsistentRead=True,
        )["Items"]
        equal([item["timestamp"]["S"] for item in found], stated, "the order")


@fact("dynamodb", "DynamoDB API, GetItem")
def a_missing_table_is_told(bench: Bench) -> None:
    """GetItem of no table: ResourceNotFoundException."""
    tables = bench.client("dynamodb")
    bench.refused("ResourceNotFoundException", lambda: tables.get_item(TableName=bench.name("none"), Key=_row("x")))
