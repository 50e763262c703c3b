"""How clients are made, what they record, and whose clock counts."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from tests.fakes.aws import ENVIRONMENT
from utils.aws.clients import CLIENT_CONFIG, ApiCalls, ServiceClock
from utils.errors import ConfigurationMissing
from utils.runtime.services import Services, services


def config(name: str) -> Any:
    value: Any = getattr(CLIENT_CONFIG, name)
    return value


@pytest.fixture(autouse=True)
def _configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_retries_timeouts_and_user_agent_are_said_not_inherited() -> None:
    assert config("retries") == {"mode": "standard", "total_max_attempts": 4}
    assert (config("connect_timeout"), config("read_timeout")) == (5, 30)
    assert config("user_agent_extra").startswith("aurora-restore-pipeline/")


def test_every_client_of_the_services_is_made_that_way() -> None:
    made = Services.from_environment()
    gateways: list[Any] = [made.rds(), made.rds("us-east-1"), made.rds_writer, made.kms]
    gateways += [made.secrets, made.executions, made.notifier]
    clients = [gateway._client for gateway in gateways]
    assert [client.meta.region_name for client in clients] == ["us-west-2", "us-east-1"] + ["us-west-2"] * 5
    for client in clients:
        actual: Any = client.meta.config
        assert config("user_agent_extra") in str(actual.user_agent)
        assert actual.retries == {"mode": "standard", "total_max_attempts": 4}
        assert actual.connect_timeout == 5


def test_events_which_may_be_left_unsent_take_no_time_that_a_step_needs() -> None:
    actual: Any = Services.from_environment().events._client.meta.config
    assert config("user_agent_extra") in str(actual.user_agent)
    longest = actual.retries["total_max_attempts"] * (actual.connect_timeout + actual.read_timeout)
    assert (actual.retries["mode"], longest) == ("standard", 14)


def test_a_client_is_made_once_for_each_region() -> None:
    made = Services.from_environment()
    assert made.rds()._client is made.rds_writer._client
    assert made.rds()._client is made.rds("us-west-2")._client
    assert made.rds()._client is not made.rds("us-east-1")._client


def test_one_lambda_environment_has_one_set_of_services() -> None:
    services.cache_clear()
    assert services() is services()
    services.cache_clear()


def test_a_function_without_its_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationMissing, match="STATE_TABLE_NAME"):
        Services.from_environment()


@mock_aws
def test_the_calls_of_a_step_are_recorded_in_order_refused_ones_too() -> None:
    made = Services.from_environment()
    made.calls.taken()

    made.rds().find_cluster("nobody")
    made.rds("us-east-1").shared_snapshots()

    assert made.calls.taken() == ["rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots"]
    assert made.calls.taken() == []


@mock_aws
def test_calls_to_the_tables_are_recorded() -> None:
    boto3.client("dynamodb").create_table(
        TableName="aurora-restore-state",
        KeySchema=[{"AttributeName": "operation_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "operation_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    made = Services.from_environment()
    made.operations.find("nobody")
    assert made.calls.taken() == ["dynamodb:GetItem"]


def test_the_time_is_that_of_rds_answers() -> None:
    made = Services.from_environment()
    answer = {
        "DBClusterSnapshots": [],
        "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"date": "Sun, 22 Nov 2026 03:00:07 GMT"}},
    }
    with Stubber(made.rds()._client) as rds:
        rds.add_response("describe_db_cluster_snapshots", answer)
        made.rds().manual_snapshots()
    assert made.clock.now() == datetime(2026, 11, 22, 3, 0, 7, tzinfo=UTC)


@mock_aws
def test_a_refusal_of_rds_tells_the_time_too() -> None:
    made = Services.from_environment()
    made.clock.record({"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 01 Jan 2006 00:00:00 GMT"}}})
    made.rds().find_cluster("nobody")
    assert made.clock.now().year > 2006


@mock_aws
def test_other_services_do_not_tell_the_time() -> None:
    made = Services.from_environment()
    made.clock.record({"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 01 Jan 2006 00:00:00 GMT"}}})
    made.kms.usable_key_arn(boto3.client("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"])
    assert (made.clock.now() - datetime(2006, 1, 1, tzinfo=UTC)).total_seconds() < 60


@pytest.mark.parametrize("headers", [{}, {"date": ""}])
def test_an_answer_without_a_date_leaves_the_clock_as_it_was(headers: dict[str, str]) -> None:
    clock = ServiceClock()
    clock.record({"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 22 Nov 2026 03:00:07 GMT"}}})
    clock.record({"ResponseMetadata": {"HTTPHeaders": headers}})
    assert clock.now() == datetime(2026, 11, 22, 3, 0, 7, tzinfo=UTC)


def test_the_clock_goes_on_while_rds_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, running = ServiceClock(), iter([100.0, 100.4, 163.9])
    monkeypatch.setattr("utils.aws.clients.time.monotonic", lambda: next(running))
    clock.record({"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 22 Nov 2026 03:00:00 GMT"}}})
    assert clock.now() == datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
    assert clock.now() == datetime(2026, 11, 22, 3, 1, 3, tzinfo=UTC)


def test_before_the_first_answer_it_is_this_machines_time() -> None:
    assert abs((ServiceClock().now() - datetime.now(UTC)).total_seconds()) < 60


def test_nothing_is_recorded_before_a_call() -> None:
    assert ApiCalls().taken() == []
