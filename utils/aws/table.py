"""A DynamoDB table: reads that see every write, and writes on a condition, which may be refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The answer to a write whose condition did not hold; `item` is what is there, empty unless it was asked for."""

    item: Item
    was_sent_before: bool  # boto3 sends a call again whose answer was lost, and may then be refused by its own item


class TableGateway:
    """The calls of DynamoDB that the stores make, on one table."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def get(self, key: Mapping[str, str]) -> Item | None:
        """Return the item under `key` as of now."""
        with aws_call("dynamodb:GetItem"):
            return self._table.get_item(Key=key, ConsistentRead=True).get("Item")

    def all_of(self, name: str, value: str) -> list[Item]:
        """Return every item whose partition key `name` has this value, in the order of their sort keys."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            with aws_call("dynamodb:Query"):
                answer = self._table.query(
                    KeyConditionExpression="#key = :value",
                    ExpressionAttributeNames={"#key": name},
                    ExpressionAttributeValues={":value": value},
                    ConsistentRead=True,
                    **start,
                )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def every(self, condition: str, values: Mapping[str, str]) -> list[Item]:
        """Return every item of the table for which the condition holds, read as of now."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            with aws_call("dynamodb:Scan"):
                answer = self._table.scan(
                    FilterExpression=condition, ExpressionAttributeValues=values, ConsistentRead=True, **start
                )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def put(
        self,
        item: Item,
        condition: str,
        *,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
        wants_item: bool = False,
    ) -> Refused | None:
        """Write the item if the condition holds; `values` and `names` are the condition's.

        A refusal shows the item that is there only to whom `wants_item`.
        """
        optional: dict[str, Any] = {
            "ExpressionAttributeValues": values,
            "ExpressionAttributeNames": names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD" if wants_item else None,
        }
        given = {name: value for name, value in optional.items() if value}
        with aws_call("dynamodb:PutItem"):
            try:
                self._table.put_item(Item=item, ConditionExpression=condition, **given)
            except ClientError as error:
                return _refused(error)
        return None

    def put_always(self, item: Item) -> None:
        """Write the item, whatever is there."""
        with aws_call("dynamodb:PutItem"):
            self._table.put_item(Item=item)

    def delete(self, key: Mapping[str, str], condition: str, *, values: Mapping[str, Any]) -> Refused | None:
        """Delete the item under `key` if the condition holds, which it does not where nothing is."""
        with aws_call("dynamodb:DeleteItem"):
            try:
                self._table.delete_item(Key=key, ConditionExpression=condition, ExpressionAttributeValues=values)
            except ClientError as error:
                return _refused(error)
        return None


def item_of(text: str) -> Item:
    """Return a JSON object as an item: DynamoDB takes no float."""
    item: Item = json.loads(text, parse_float=Decimal)
    return item


def json_of(item: Item) -> str:
    """Return an item as JSON."""
    return json.dumps(item, default=_from_decimal)


def _refused(error: ClientError) -> Refused:
    if error_code(error) != "ConditionalCheckFailedException":
        raise error
    answer: Any = error.response
    return Refused(
        item=TypeDeserializer().deserialize({"M": answer.get("Item", {})}),
        was_sent_before=bool(answer["ResponseMetadata"].get("RetryAttempts")),
    )


def _from_decimal(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"not a DynamoDB number: {value!r}")
    return int(value) if value == value.to_integral_value() else float(value)
