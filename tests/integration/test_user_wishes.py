"""Users by token or beside the three, logins that stay, ways out that end: a copy of production on PostgreSQL 15."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from local_cloud.aurora.settings import installed_postgres
from local_cloud.pipeline.aurora_clusters import create_cluster, create_snapshot
from local_cloud.pipeline.deployment import ENVIRONMENT, Login, new_password
from local_cloud.regions import SOURCE_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import LOGINS, MASTER, counted, fill
from tests.integration.stage.stories import story
from tests.integration.stage.world import DATABASE, World

pytestmark = pytest.mark.skipif(15 not in installed_postgres(), reason="no PostgreSQL 15 for this platform on npm")
SOURCE, TARGET = "shop-fifteen", "shop-fifteen-copy"
SECRET = f"aurora-restore/{ENVIRONMENT}/app-credentials"
BATCH = Login(username="Batch 100%", password=new_password())
WAREHOUSE = """
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER warehouse FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'warehouse.production.example');
    GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO master;
    ALTER SERVER warehouse OWNER TO master;
    CREATE USER MAPPING FOR shop_app SERVER warehouse OPTIONS (user 'loader', password_required 'false');
"""


@story
def fifteen(world: World) -> dict[str, int]:
    """Production on PostgreSQL 15, with a way out that only a superuser can have made; its rows at the snapshot."""
    key = world.client("kms", SOURCE_REGION).create_key(Description=SOURCE)["KeyMetadata"]["Arn"]
    cluster = create_cluster(
        world.cloud, SOURCE_REGION, SOURCE, MASTER, database=DATABASE, EngineVersion="15.13", KmsKeyId=key
    )
    fill(world.cloud, cluster)
    sql = {"arn": cluster["DBClusterArn"], "database": DATABASE, "sql": WAREHOUSE}
    world.cloud.aurora_control("POST", "admin-sql", sql)
    create_snapshot(world.cloud, SOURCE_REGION, SOURCE, f"{SOURCE}-yesterday")
    return counted(world.cloud, cluster, MASTER)


@dataclass(frozen=True)
class Refresh:
    """The copy, and how it was made."""

    outcome: Outcome
    cluster: dict[str, Any]


@pytest.fixture(scope="module")
def more_users(world: World, quiet: None) -> Iterator[None]:  # noqa: ARG001 - every run reads this secret
    """Two more entries in the secret of the users."""
    client = world.client("secretsmanager")
    before = client.get_secret_value(SecretId=SECRET)["SecretString"]
    more = {
        "reports": {"username": "reports", "profile": "readonly", "auth": "iam"},
        "batch": {"username": BATCH.username, "password": BATCH.password, "profile": "application"},
    }
    client.put_secret_value(SecretId=SECRET, SecretString=json.dumps(json.loads(before) | more))
    yield
    client.put_secret_value(SecretId=SECRET, SecretString=before)


@pytest.fixture(scope="module")
def refresh(world: World, fifteen: dict[str, int], more_users: None) -> Refresh:  # noqa: ARG001 - they come first
    outcome = world.run(
        {
            "source": {"cluster_id": SOURCE},
            "target": {"cluster_id": TARGET, "iam_authentication": True},
            "keep_logins": ["analyst", "nobody"],
            "user_limits": {"application": {"statement_timeout_seconds": 42, "connection_limit": 7}},
        }
    ).expect_success()
    return Refresh(outcome, world.cluster(TARGET))


def rows(world: World, who: Login, refresh: Refresh, sql: str) -> list[tuple[Any, ...]]:
    with world.login(who, refresh.cluster) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_all_of_its_rows_are_in_the_copy(world: World, refresh: Refresh, fifteen: dict[str, int]) -> None:
    assert refresh.cluster["EngineVersion"] == "15.13"
    assert rows(world, world.deployment.master, refresh, "SHOW server_version")[0][0].startswith("15.")
    assert counted(world.cloud, refresh.cluster, world.deployment.master) == fifteen


def test_a_user_of_iam_gets_in_with_a_token_and_with_nothing_else(world: World, refresh: Refresh) -> None:
    endpoint = (refresh.cluster["Endpoint"], refresh.cluster["Port"])
    token = world.target.generate_db_auth_token(*endpoint, "reports")
    reports = Login(username="reports", password=token)
    assert rows(world, reports, refresh, "SELECT count(*) FROM crm.customers") == [(2000,)]
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        rows(world, reports, refresh, "DELETE FROM shop.payments")
    with pytest.raises(psycopg2.OperationalError, match='PAM authentication failed for user "reports"'):
        rows(world, Login(username="reports", password="reports"), refresh, "SELECT 1")


def test_a_user_beside_the_three_has_the_rights_of_its_profile_and_its_limits(world: World, refresh: Refresh) -> None:
    for who in (BATCH, world.deployment.application_user):
        assert rows(world, who, refresh, "UPDATE shop.products SET title = title RETURNING 1")[0] == (1,)
        assert rows(world, who, refresh, "SHOW statement_timeout") == [("42s",)]
        limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
        assert rows(world, who, refresh, limit) == [(7,)]
    assert rows(world, world.deployment.readonly_user, refresh, "SHOW statement_timeout") != [("42s",)]


def test_a_login_that_is_kept_still_gets_in_and_no_other(world: World, refresh: Refresh) -> None:
    assert rows(world, LOGINS["analyst"], refresh, "SELECT 1") == [(1,)]
    for name in ("shop_app", "batch_admin"):
        with pytest.raises(psycopg2.OperationalError, match=r"authentication failed|not permitted to log in"):
            rows(world, LOGINS[name], refresh, "SELECT 1")


def test_the_way_out_is_closed_in_the_copy_and_open_in_production(world: World, refresh: Refresh) -> None:
    mappings = "SELECT srvname, usename FROM pg_user_mappings"
    assert rows(world, world.deployment.master, refresh, mappings) == []
    with world.login(MASTER, world.cluster(SOURCE, world.source)) as connection, connection.cursor() as cursor:
        cursor.execute(mappings)
        assert cursor.fetchall() == [("warehouse", "shop_app")]


def test_who_and_what_is_told_by_name_in_row_audit_summary_and_notification(refresh: Refresh) -> None:
    outcome = refresh.outcome
    (audit,) = (row for row in outcome.audit if row["step"] == "Setup DB Users" and row["status"] == "READY")
    for told in (outcome.row["users"], audit["details"]):
        assert (told["kept"], told["unknown_logins"]) == (["analyst"], ["nobody"])
        assert {"batch_admin", "shop_app"} <= set(told["shut_out"])
        assert [way for way in told["outbound"] if "warehouse" in way]
        assert told["outbound_closed"] is True
    summary = outcome.output
    assert (summary["kept_logins"], summary["unknown_logins"]) == (["analyst"], ["nobody"])
    assert set(summary["users"]) == {"app_user", "readonly_user", "devops_user", "reports", BATCH.username}
    (message,) = (item for item in outcome.messages if outcome.operation_id in item.text or TARGET in item.text)
    for words in (
        "Shut out          batch_admin, shop_app",
        "Logins kept       analyst",
        "nobody, of keep_logins",
        "warehouse",
    ):
        assert words in message.text
    assert "warehouse.production.example" not in message.text + json.dumps(summary)


@pytest.mark.usefixtures("more_users")
def test_without_iam_authentication_the_run_is_refused_before_anything_is_destroyed(world: World) -> None:
    old = world.old_target("shop-no-iam")
    outcome = world.run({"target": {"cluster_id": "shop-no-iam"}})
    outcome.expect_failure("InvalidRequest", "target.iam_authentication", "reports")
    assert outcome.row["error"]["step"] == "Snapshot Check"
    assert outcome.changes == []
    assert world.is_untouched(old)
