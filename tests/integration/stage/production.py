"""The shop's production: a cluster with data, logins of its own and yesterday's snapshot."""

from dataclasses import dataclass
from typing import Any

from local_cloud import paths
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import postgres
from local_cloud.pipeline.aurora_clusters import create_cluster, create_snapshot
from local_cloud.pipeline.deployment import Login
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from local_cloud.scram import scram_verifier
from tests.integration.stage.world import DATABASE

MASTER = Login(username="master", password="Pr0duction-master-secret")
LOGINS = {
    name: Login(username=name, password=f"Pr0duction-login-0f-{name}")
    for name in ("shop_app", "analyst", "batch_admin")
}
ENGINE_VERSION = "17.4"


@dataclass(frozen=True, kw_only=True)
class Production:
    """A source cluster with its snapshot."""

    cluster: dict[str, Any]
    snapshot: dict[str, Any]
    rows: dict[str, int]

    @property
    def cluster_id(self) -> str:
        """The source cluster's name."""
        return str(self.cluster["DBClusterIdentifier"])

    @property
    def snapshot_arn(self) -> str:
        """The source snapshot's ARN."""
        return str(self.snapshot["DBClusterSnapshotArn"])


def make_production(cloud: LocalCloud, identifier: str, region: str = SOURCE_REGION) -> Production:
    """Make a cluster with the shop in it, and yesterday's snapshot of it."""
    key = cloud.client("kms", region).create_key(Description=identifier)["KeyMetadata"]["Arn"]
    cluster = create_cluster(
        cloud, region, identifier, MASTER,
        database=DATABASE, EngineVersion=ENGINE_VERSION, KmsKeyId=key, DeletionProtection=True,
    )  # fmt: skip
    fill(cloud, cluster)
    rows = counted(cloud, cluster, MASTER)
    snapshot = create_snapshot(cloud, region, identifier, f"{identifier}-yesterday")
    # What is written after the snapshot must not arrive in the target.
    database = postgres.database_of(cluster, DATABASE, MASTER)
    postgres.query(cloud, database, "CREATE TABLE public.of_today AS SELECT 1 AS n")
    return Production(cluster=cluster, snapshot=snapshot, rows=rows)


def fill(cloud: LocalCloud, cluster: dict[str, Any]) -> None:
    """Put production's logins, the shop and a second database into a cluster."""
    shop = postgres.database_of(cluster, DATABASE, MASTER)
    verifiers = {f"{name}_password": scram_verifier(login.password) for name, login in LOGINS.items()}
    postgres.run_file(cloud, shop, paths.SEED / "production_logins.sql", verifiers)
    postgres.query(cloud, shop, "CREATE DATABASE ledger")
    ledger = postgres.database_of(cluster, "ledger", MASTER)
    postgres.query(cloud, ledger, "CREATE TABLE entries AS SELECT n, n * 3 AS amount FROM generate_series(1, 500) AS n")
    for file in ("shop_schema.sql", "shop_data.sql"):
        postgres.run_file(cloud, shop, paths.SEED / file)


def counted(cloud: LocalCloud, cluster: dict[str, Any], who: Login) -> dict[str, int]:
    """Count the rows of every table of both databases."""
    counts: dict[str, int] = {}
    for name in (DATABASE, "ledger"):
        tables = postgres.exact_counts(cloud, postgres.database_of(cluster, name, who))
        counts |= {f"{name}.{table}": rows for table, rows in tables.items()}
    return counts


__all__ = ["ENGINE_VERSION", "LOGINS", "MASTER", "TARGET_REGION", "Production", "make_production"]
