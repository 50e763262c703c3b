"""The RDS Data API: SQL without a way into the cluster's network."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.conformance.aurora import MASTER, PASSWORD
from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal

_EXECUTE = "RDS Data API, ExecuteStatement"
_LIMITS = "Aurora User Guide, Amazon RDS Data API: comparing behaviors, troubleshooting"
Execute = Callable[[str], Any]


@contextmanager
def _switched_on(bench: Bench) -> Iterator[Execute]:
    """Give the shared cluster its Data API for a question."""
    aurora, rds = bench.aurora, bench.client("rds")
    arn = aurora.described(aurora.cluster)["DBClusterArn"]
    rds.enable_http_endpoint(ResourceArn=arn)
    try:
        bench.until(lambda: aurora.described(aurora.cluster)["HttpEndpointEnabled"], "the Data API", minutes=10)
        yield lambda sql: _execute(bench, arn, sql)
    finally:
        rds.disable_http_endpoint(ResourceArn=arn)
        bench.until(lambda: not aurora.described(aurora.cluster)["HttpEndpointEnabled"], "its end", minutes=10)
        aurora.available(aurora.cluster)


def _execute(bench: Bench, cluster_arn: str, sql: str) -> Any:
    return bench.client("rds-data").execute_statement(
        resourceArn=cluster_arn, secretArn=_secret(bench), database="postgres", sql=sql
    )


def _secret(bench: Bench) -> str:
    """Make a secret with the master's name and password; return its ARN."""
    secrets, name = bench.client("secretsmanager"), bench.made.secret()
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({"username": MASTER, "password": PASSWORD}))
    return str(secrets.describe_secret(SecretId=name)["ARN"])


@fact("rds-data", _EXECUTE, minutes=4)
def a_statement_is_committed_and_each_value_has_its_kind(bench: Bench) -> None:
    """ExecuteStatement without a transaction commits; numeric comes as a string, NULL as isNull."""
    with _switched_on(bench) as execute:
        execute("CREATE TABLE IF NOT EXISTS by_http AS SELECT n FROM generate_series(1, 3) AS n")
        [row] = execute("SELECT count(*), true, NULL::text, 0.5::float8, 1.50::numeric FROM by_http")["records"]
        execute("DROP TABLE by_http")
    kinds: list[dict[str, object]] = [
        {"longValue": 3}, {"booleanValue": True}, {"isNull": True}, {"doubleValue": 0.5}, {"stringValue": "1.50"},
    ]  # fmt: skip
    equal(row, kinds, "the row")


@fact("rds-data", _EXECUTE, minutes=4)
def what_postgresql_refuses_is_a_database_error_with_its_sqlstate(bench: Bench) -> None:
    """A statement that PostgreSQL refuses: DatabaseErrorException, whose message ends with SQLState."""
    with _switched_on(bench) as execute:
        bench.refused("DatabaseErrorException", lambda: execute("SELECT 1 FROM nowhere"), saying="SQLState: 42P01")


@fact("rds-data", _LIMITS, minutes=4)
def two_statements_in_one_call_are_refused(bench: Bench) -> None:
    """Two statements in one ExecuteStatement: ValidationException."""
    with _switched_on(bench) as execute:
        bench.refused("ValidationException", lambda: execute("SELECT 1; SELECT 2"), saying="Multistatements")


@fact("rds-data", "RDS Data API, HttpEndpointNotEnabledException")
def a_cluster_without_its_endpoint_is_told_as_such(bench: Bench) -> None:
    """ExecuteStatement on a cluster whose Data API is off: HttpEndpointNotEnabledException."""
    arn = bench.aurora.described(bench.aurora.cluster)["DBClusterArn"]
    bench.refused("HttpEndpointNotEnabledException", lambda: _execute(bench, arn, "SELECT 1"))
