"""The world of the demonstration: a shop's production in one Region, its old staging copy in the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_cloud import paths
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import postgres
from local_cloud.pipeline.aurora_clusters import create_cluster, create_snapshot
from local_cloud.pipeline.deployment import MASTER_USERNAME, Login, new_password
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from local_cloud.scram import scram_verifier

PRODUCTION = "shop-production"
STAGING = "shop-staging"
SHOP_DATABASE = "shop"
BENCH_DATABASE = "bench"
DATABASES = (SHOP_DATABASE, BENCH_DATABASE)
SNAPSHOT = "shop-production-nightly"
PRODUCTION_LOGINS = ("shop_app", "analyst", "batch_admin")
_PGBENCH_SCALE = 10
_NIGHTS_KEPT = 7


def make_shop(cloud: LocalCloud) -> None:
    """Make production with its data and a snapshot, and beside it the old target."""
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(make_production, cloud), pool.submit(make_old_target, cloud)]
        for job in jobs:
            job.result()


def make_production(cloud: LocalCloud) -> None:
    """Make the source cluster, fill it, and take a snapshot; from then on RDS takes one every night."""
    key = cloud.client("kms", SOURCE_REGION).create_key(Description="shop-production")["KeyMetadata"]["Arn"]
    master = Login(username=MASTER_USERNAME, password=new_password())
    cluster = create_cluster(
        cloud, SOURCE_REGION, PRODUCTION, master, database=SHOP_DATABASE, KmsKeyId=key, DeletionProtection=True,
        BackupRetentionPeriod=_NIGHTS_KEPT,
    )  # fmt: skip
    fill_production(cloud, cluster, master)
    create_snapshot(cloud, SOURCE_REGION, PRODUCTION, SNAPSHOT)
    # Two days, after which a request takes a snapshot for too old, pass in minutes here.
    cloud.aurora_control("POST", "nightly-backups", {"arn": cluster["DBClusterArn"]})


def fill_production(cloud: LocalCloud, cluster: dict[str, Any], master: Login) -> None:
    """Put production's logins, the shop and pgbench's schema into a cluster."""
    shop = postgres.database_of(cluster, SHOP_DATABASE, master)
    bench = postgres.database_of(cluster, BENCH_DATABASE, master)
    verifiers = {f"{login}_password": scram_verifier(new_password()) for login in PRODUCTION_LOGINS}
    postgres.run_file(cloud, shop, paths.SEED / "production_logins.sql", verifiers)
    postgres.query(cloud, shop, f"CREATE DATABASE {BENCH_DATABASE}")
    postgres.pgbench_initialise(cloud, bench, _PGBENCH_SCALE)
    for file in ("shop_schema.sql", "shop_data.sql"):
        postgres.run_file(cloud, shop, paths.SEED / file)


def make_old_target(cloud: LocalCloud) -> None:
    """Make the cluster that the pipeline replaces."""
    master = Login(username=MASTER_USERNAME, password=new_password())
    replaceable = {"aurora-restore:replaceable": "true"}
    key = cloud.client("kms", TARGET_REGION).create_key(Description="shop-staging")["KeyMetadata"]["Arn"]
    cluster = create_cluster(
        cloud, TARGET_REGION, STAGING, master, database=SHOP_DATABASE, tags=replaceable, KmsKeyId=key
    )
    postgres.run_file(cloud, postgres.database_of(cluster, SHOP_DATABASE, master), paths.SEED / "staging_schema.sql")
