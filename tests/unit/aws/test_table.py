"""A write whose condition does not hold is an answer; every other refusal is an error."""

from decimal import Decimal

import pytest
from moto import mock_aws

from tests.unit.operation.tables import make_table
from utils.aws.table import Refused, TableGateway, item_of, json_of
from utils.errors import AwsRequestRejected

FREE = "attribute_not_exists(operation_id)"


@mock_aws
def test_a_refused_write_changes_nothing_and_shows_what_is_there_to_whom_asks() -> None:
    table = TableGateway(make_table("rows", "operation_id"))
    first, second = {"operation_id": "a", "by": "first"}, {"operation_id": "a", "by": "second"}

    assert table.put(first, FREE) is None
    assert table.put(second, FREE) == Refused(item={}, was_sent_before=False)
    assert table.put(second, FREE, wants_item=True) == Refused(item=first, was_sent_before=False)
    assert table.get({"operation_id": "a"}) == first


@mock_aws
def test_a_deletion_is_refused_where_the_condition_does_not_hold_or_nothing_is() -> None:
    table, key = TableGateway(make_table("rows", "operation_id")), {"operation_id": "a"}
    assert table.delete(key, "version = :v", values={":v": 1}) is not None
    table.put(key | {"version": 2}, FREE)
    assert table.delete(key, "version = :v", values={":v": 1}) is not None
    assert table.delete(key, "version = :v", values={":v": 2}) is None
    assert table.get(key) is None


@mock_aws
def test_a_call_that_is_wrong_is_an_error() -> None:
    table, key = TableGateway(make_table("rows", "operation_id")), {"operation_id": "a"}
    with pytest.raises(AwsRequestRejected, match="ValidationException from dynamodb:PutItem"):
        table.put(key, "this is no condition")
    with pytest.raises(AwsRequestRejected, match="ValidationException from dynamodb:DeleteItem"):
        table.delete(key, "this is no condition", values={":v": 1})


def test_numbers_come_back_as_they_went() -> None:
    item = item_of('{"whole": 12, "part": 0.1}')
    assert item == {"whole": 12, "part": Decimal("0.1")}
    assert json_of({name: Decimal(value) for name, value in item.items()}) == '{"whole": 12, "part": 0.1}'


def test_what_json_cannot_hold_is_not_written_down() -> None:
    with pytest.raises(TypeError, match="not a DynamoDB number"):
        json_of({"set": {"a"}})
