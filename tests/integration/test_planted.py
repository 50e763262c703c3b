"""What an ordinary owner planted in production, and what production opened by mistake, gives nobody the copy."""

from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from local_cloud.credentials import ACCOUNT_ID
from local_cloud.pipeline import postgres
from local_cloud.pipeline.aurora_clusters import create_cluster, create_snapshot
from local_cloud.pipeline.deployment import Login
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import ENGINE_VERSION, MASTER
from tests.integration.stage.stories import story
from tests.integration.stage.world import DATABASE, World
from tests.unit.database.planted import CRON_VIEW, PLANT

BACKDOOR = Login(username="backdoor", password="Back-door-1")
BUCKET = f"aurora-restore-lambda-code-{ACCOUNT_ID}-{TARGET_REGION}"
# Each becomes somebody with the master's rights, if only the master touches it.
OF_OWNER = f"""
    CREATE ROLE shop_owner;
    GRANT shop_owner TO {MASTER.username};
    ALTER DATABASE {DATABASE} OWNER TO shop_owner;
    SET ROLE shop_owner;
    {CRON_VIEW};
    CREATE TABLE public.customers AS SELECT n AS id, 'Ada ' || n AS name FROM generate_series(1, 20) AS n;
    CREATE FUNCTION public.plant() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RESET ROLE; {PLANT}; RETURN NEW; EXCEPTION WHEN insufficient_privilege THEN RETURN NEW; END $$;
    CREATE TRIGGER plant BEFORE UPDATE ON public.customers FOR EACH ROW EXECUTE FUNCTION public.plant();
    RESET ROLE;
"""
OF_MASTER = f"""
    CREATE SCHEMA adm;
    CREATE FUNCTION adm.new_login() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {PLANT}; END $$;
    GRANT USAGE ON SCHEMA adm TO PUBLIC
"""


@dataclass(frozen=True)
class Refreshed:
    """A run over a production full of traps, with a script that touches one of them."""

    outcome: Outcome
    cluster: dict[str, Any]


@story
def planted(world: World) -> Refreshed:
    source = create_cluster(
        world.cloud, SOURCE_REGION, "planted-production", MASTER, database=DATABASE, EngineVersion=ENGINE_VERSION
    )
    shop = postgres.database_of(source, DATABASE, MASTER)
    for traps in (OF_OWNER, OF_MASTER):
        postgres.query(world.cloud, shop, traps)
    create_snapshot(world.cloud, SOURCE_REGION, "planted-production", "planted-production-yesterday")
    key = "post-restore-sql/planted/mask.sql"
    world.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"UPDATE public.customers SET name = 'x' || id")
    request = {
        "source": {"cluster_id": "planted-production"},
        "target": {"cluster_id": "planted-copy"},
        "post_restore_sql": [{"s3_uri": f"s3://{BUCKET}/{key}", "database": DATABASE}],
    }
    return Refreshed(world.run(request).expect_success(), world.cluster("planted-copy"))


def test_the_script_masked_although_a_trigger_waited_for_it(world: World, planted: Refreshed) -> None:
    with world.login(world.deployment.readonly_user, planted.cluster) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE name LIKE 'x%') FROM public.customers")
        assert cursor.fetchall() == [(20, 20)]


def test_nobody_got_in_by_the_view_or_the_trigger(world: World, planted: Refreshed) -> None:
    with world.login(world.deployment.master, planted.cluster) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = 'backdoor' OR rolname LIKE 'aurora_restore_script%'"
        )
        assert cursor.fetchall() == []
    with pytest.raises(psycopg2.OperationalError), world.login(BACKDOOR, planted.cluster):
        pass


@pytest.mark.parametrize("user", ["application_user", "readonly_user", "devops_user"])
def test_no_user_gets_the_masters_rights_by_a_routine_of_the_masters(
    world: World, planted: Refreshed, user: str
) -> None:
    who = getattr(world.deployment, user)
    with world.login(who, planted.cluster) as connection, connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT adm.new_login()")
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'backdoor'")
        assert cursor.fetchall() == [(0,)]
