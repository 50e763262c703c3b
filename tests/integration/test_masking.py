"""A copy is masked before anybody gets in, or nobody gets in; RDS keeps its master password."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from local_cloud.pipeline.deployment import Login
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World

EXAMPLE = json.loads(Path("statemachine/inputs/masked_refresh.json").read_text())
SCRIPTS = Path("docs/examples/masking")


@dataclass(frozen=True)
class Masked:
    """A masked copy and how to get into it."""

    outcome: Outcome
    cluster: dict[str, Any]
    master: Login


def _with_scripts(world: World, folder: str, **replaced: str) -> list[dict[str, Any]]:
    """Put the example's scripts into the code bucket; return them as a request names them."""
    scripts = []
    for wanted in EXAMPLE["post_restore_sql"]:
        bucket, _, key = wanted["s3_uri"].removeprefix("s3://").partition("/")
        name = key.rpartition("/")[2]
        key = f"post-restore-sql/{folder}/{name}"
        text = replaced.get(name.partition("_")[0], (SCRIPTS / name).read_text())
        world.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
        scripts.append(wanted | {"s3_uri": f"s3://{bucket}/{key}"})
    return scripts


@story
def masked(world: World) -> Masked:
    request = {
        "target": {"cluster_id": "shop-masked"},
        "manage_master_user_password": True,
        "post_restore_sql": _with_scripts(world, "good"),
        "checks": EXAMPLE["checks"],
    }
    outcome = world.run(request).expect_success()
    cluster = world.cluster("shop-masked")
    secret = world.client("secretsmanager").get_secret_value(SecretId=cluster["MasterUserSecret"]["SecretArn"])
    return Masked(outcome, cluster, Login(**json.loads(secret["SecretString"])))


@story
def unmasked(world: World) -> Outcome:
    forgets_accounts = "UPDATE crm.customers SET phone = NULL;\n\nUPDATE shop.payments SET ibn = 'XX00'"
    scripts = _with_scripts(world, "bad", **{"1": forgets_accounts})
    return world.run({"target": {"cluster_id": "shop-unmasked"}, "post_restore_sql": scripts})


def test_the_copy_is_masked(world: World, masked: Masked) -> None:
    with world.login(world.deployment.readonly_user, masked.cluster) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT full_name, email, phone FROM crm.customers ORDER BY customer_id LIMIT 1")
        assert cursor.fetchone() == ("Customer 1", "customer1@example.invalid", None)


def test_what_ran_is_in_row_audit_output_and_notification(masked: Masked) -> None:
    outcome = masked.outcome
    names = [script["s3_uri"].rpartition("/")[2] for script in outcome.output["scripts"]]
    assert names == ["1_mask_people.sql", "2_remove_traces.sql"]
    assert [script["user"] for script in outcome.output["scripts"]] == ["aurora_restore_script", "app_owner"]
    assert all(script["version_id"] and len(script["sha256"]) == 64 for script in outcome.output["scripts"])
    assert [check["holds"] for check in outcome.output["checks"]] == [True] * 7
    assert [script["sha256"] for script in outcome.row["users"]["scripts"]] == [
        script["sha256"] for script in outcome.output["scripts"]
    ]
    assert outcome.output["scripts"][0]["sha256"] in json.dumps(outcome.audit, default=str)
    assert "1_mask_people.sql in shop" in outcome.messages[-1].text
    assert "no bank account (0)" in outcome.messages[-1].text


def test_rds_keeps_the_master_password_under_the_stacks_key(world: World, masked: Masked) -> None:
    key = world.client("kms").describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]["Arn"]
    assert masked.cluster["MasterUserSecret"]["KmsKeyId"] == key
    with world.login(masked.master, masked.cluster):
        pass
    with pytest.raises(psycopg2.OperationalError), world.login(world.deployment.master, masked.cluster):
        pass


def test_a_script_that_fails_leaves_the_copy_locked(world: World, unmasked: Outcome) -> None:
    unmasked.expect_failure(
        "PostRestoreSqlFailed",
        "1_mask_people.sql",
        "line 3 (UPDATE shop.payments SET",
        'column "ibn" of relation',
        "locked out",
    )
    cluster = world.cluster("shop-unmasked")
    for login in (world.deployment.application_user, world.deployment.readonly_user, world.deployment.devops_user):
        with pytest.raises(psycopg2.OperationalError), world.login(login, cluster):
            pass
    with world.login(world.deployment.master, cluster) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm.customers WHERE phone IS NOT NULL")
        assert cursor.fetchone() == (2000,), "the script was rolled back"
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname NOT LIKE 'rds%'")
        assert cursor.fetchall() == [("master",)]
