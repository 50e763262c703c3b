"""The two tables in moto, with the keys that infrastructure/dynamodb.yaml gives them."""

from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def make_table(name: str, *keys: str) -> "Table":
    """Create a table whose first key is the hash key and whose second is the range key."""
    dynamodb = boto3.resource("dynamodb", region_name="us-west-2")
    kinds: tuple[Any, Any] = ("HASH", "RANGE")
    return dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
