"""SQL over HTTP at a real cluster, refused where the Data API refuses it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.regions import TARGET_REGION
from tests.local_cloud.aurora.story import ENGINE, refused
from tests.local_cloud.conftest import Workbench


@dataclass
class Asked:
    """The Data API of one cluster, in the name of its master."""

    client: Any
    about: dict[str, Any]
    rds: Any

    def execute(self, sql: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.execute_statement(**{**self.about, "sql": sql, **more})
        return answer

    def values(self, sql: str) -> list[list[dict[str, Any]]]:
        rows: list[list[dict[str, Any]]] = self.execute(sql)["records"]
        return rows


@pytest.fixture(scope="module")
def asked(cloud: LocalCloud) -> Iterator[Asked]:
    rds = cloud.client("rds")
    made = rds.create_db_cluster(
        DBClusterIdentifier="by-http",
        Engine=ENGINE,
        EngineVersion="17.6",
        MasterUsername="dba",
        ManageMasterUserPassword=True,
        DatabaseName="shop",
        EnableHttpEndpoint=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 1.0},
    )["DBCluster"]
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier="by-http", WaiterConfig={"Delay": 1})
    rds.create_db_instance(
        DBInstanceIdentifier="by-http-1", DBInstanceClass="db.serverless", Engine=ENGINE, DBClusterIdentifier="by-http"
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="by-http-1", WaiterConfig={"Delay": 1})
    about = {
        "resourceArn": made["DBClusterArn"],
        "secretArn": made["MasterUserSecret"]["SecretArn"],
        "database": "shop",
    }
    yield Asked(cloud.client("rds-data"), about, rds)
    rds.delete_db_instance(DBInstanceIdentifier="by-http-1", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="by-http", SkipFinalSnapshot=True)


def test_a_statement_is_committed_and_each_value_has_its_kind(asked: Asked) -> None:
    asked.execute("CREATE TABLE public.things (n int PRIMARY KEY, name text)")
    added = asked.execute("INSERT INTO public.things SELECT n, 'thing; ' || n FROM generate_series(1, 3) AS n;")
    assert added["numberOfRecordsUpdated"] == 3
    assert asked.values("SELECT n, name, true, NULL, 0.5::float8, 1.50, date '2026-11-26' FROM things WHERE n = 1") == [
        [
            {"longValue": 1},
            {"stringValue": "thing; 1"},
            {"booleanValue": True},
            {"isNull": True},
            {"doubleValue": 0.5},
            {"stringValue": "1.50"},
            {"stringValue": "2026-11-26"},
        ]
    ]


def test_what_postgresql_refuses_is_told_with_its_sqlstate(asked: Asked) -> None:
    with refused("DatabaseErrorException", 'ERROR: relation "nowhere" does not exist'):
        asked.execute("SELECT 1 FROM nowhere")
    with refused("DatabaseErrorException", "SQLState: 42P01"):
        asked.execute("SELECT 1 FROM nowhere")
    with refused("DatabaseErrorException", 'database "nowhere" does not exist; SQLState: 3D000'):
        asked.execute("SELECT 1", database="nowhere")
    with refused("DatabaseErrorException", 'database "dba" does not exist; SQLState: 3D000'):
        asked.execute("SELECT 1", database="")  # named after the user, as PostgreSQL has it


def test_two_statements_at_once_are_refused(asked: Asked) -> None:
    with refused("ValidationException", "Multistatements aren't supported"):
        asked.execute("SELECT 1; SELECT 2")
    assert asked.values("SELECT ';' /* ; */ AS \"a;b\" -- ;")[0] == [{"stringValue": ";"}]
    assert asked.execute("DO $do$ BEGIN PERFORM 1; END $do$;")["numberOfRecordsUpdated"] == 0


def test_an_answer_of_more_than_a_mebibyte_is_refused(asked: Asked) -> None:
    with refused("BadRequestException", "exceeded size limit"):
        asked.execute("SELECT repeat('x', 1000) FROM generate_series(1, 1100)")


def test_without_its_switch_there_is_no_data_api(asked: Asked) -> None:
    asked.rds.disable_http_endpoint(ResourceArn=asked.about["resourceArn"])
    with refused("HttpEndpointNotEnabledException"):
        asked.execute("SELECT 1")
    asked.rds.enable_http_endpoint(ResourceArn=asked.about["resourceArn"])
    assert asked.values("SELECT 1") == [[{"longValue": 1}]]


def test_the_secret_has_a_username_and_a_password_that_are_right(asked: Asked, cloud: LocalCloud) -> None:
    secrets = cloud.client("secretsmanager")
    wrong = secrets.create_secret(Name="by-http-wrong", SecretString=json.dumps({"username": "dba", "password": "no"}))
    empty = secrets.create_secret(Name="by-http-empty", SecretString="{}")
    with refused("DatabaseErrorException", "password authentication failed"):
        asked.execute("SELECT 1", secretArn=wrong["ARN"])
    with refused("InvalidSecretException"):
        asked.execute("SELECT 1", secretArn=empty["ARN"])
    with refused("SecretsErrorException"):
        asked.execute("SELECT 1", secretArn=empty["ARN"].replace("empty", "nowhere"))


def test_who_calls_needs_the_right_to_the_cluster_and_to_the_secret(
    asked: Asked, cloud: LocalCloud, bench: Workbench
) -> None:
    execute = {
        "Effect": "Allow",
        "Action": "rds-data:ExecuteStatement",
        "Resource": asked.about["resourceArn"],
    }
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": asked.about["secretArn"]}

    def client(*statements: dict[str, Any]) -> Any:
        given: Any = bench.session(bench.role(*statements))
        session = boto3.Session(region_name=TARGET_REGION, **given)
        return session.client("rds-data", endpoint_url=cloud.endpoint)

    request = {**asked.about, "sql": "SELECT 1"}
    with refused("AccessDeniedException", "rds-data:ExecuteStatement"):
        client(read).execute_statement(**request)
    with refused("AccessDeniedException", "secretsmanager:GetSecretValue"):
        client(execute).execute_statement(**request)
    assert client(execute, read).execute_statement(**request)["records"] == [[{"longValue": 1}]]


def test_what_the_local_data_api_lacks_it_says(asked: Asked) -> None:
    with refused("NotSupportedByLocalAurora", "parameters"):
        asked.execute("SELECT :n", parameters=[{"name": "n", "value": {"longValue": 1}}])
    with refused("NotSupportedByLocalCloud", "/BeginTransaction"):
        asked.client.begin_transaction(**{name: asked.about[name] for name in ("resourceArn", "secretArn", "database")})
