"""The shop's production: a cluster with data, logins of its own and yesterday's snapshot; and another account's."""

import json
from dataclasses import dataclass
from typing import Any

import boto3

from local_cloud import paths
from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID, OTHER_ACCOUNT_ID
from local_cloud.pipeline import postgres
from local_cloud.pipeline.aurora_clusters import create_cluster, create_snapshot
from local_cloud.pipeline.deployment import Login
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from local_cloud.scram import scram_verifier
from tests.integration.stage.world import DATABASE, World
from tests.waiting import wait_for
from tooling.environments import REPOSITORY

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


def share_from_another_account(world: World, cluster_id: str) -> str:
    """Make a cluster of another account, and share a snapshot of it as its sharer role does; return its ARN."""
    rds = world.client("rds", SOURCE_REGION, OTHER_ACCOUNT_ID)
    key = world.client("kms", SOURCE_REGION, OTHER_ACCOUNT_ID).create_key(Description="production")["KeyMetadata"][
        "Arn"
    ]
    rds.create_db_cluster(
        DBClusterIdentifier=cluster_id, Engine="aurora-postgresql", EngineVersion=ENGINE_VERSION,
        MasterUsername=MASTER.username, MasterUserPassword=MASTER.password, DatabaseName=DATABASE,
        StorageEncrypted=True, KmsKeyId=key,
    )  # fmt: skip
    wait_for(lambda: world.cluster(cluster_id, rds)["Status"] == "available", cluster_id)
    rds.create_db_instance(
        DBInstanceIdentifier=f"{cluster_id}-1", DBClusterIdentifier=cluster_id,
        Engine="aurora-postgresql", DBInstanceClass="db.r8g.large",
    )  # fmt: skip
    wait_for(
        lambda: rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available", f"{cluster_id}-1"
    )
    with world.login(MASTER, world.cluster(cluster_id, rds)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.of_the_other_account AS SELECT generate_series(1, 77) AS n")
    own, shared = f"{cluster_id}-yesterday", f"aurora-restore-shared-{cluster_id}"
    may_be_shared = [{"Key": "aurora-restore:may-be-shared", "Value": "true"}]
    rds.create_db_cluster_snapshot(DBClusterIdentifier=cluster_id, DBClusterSnapshotIdentifier=own, Tags=may_be_shared)
    _until_available(rds, own)

    outputs = _deploy_source_account(world, cluster_id, key)
    sharer = as_role(world, outputs["SharerRoleArn"], "release-manager")
    sharer.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster-snapshot:{own}",
        TargetDBClusterSnapshotIdentifier=shared, KmsKeyId=outputs["SharedSnapshotsKeyArn"],
    )  # fmt: skip
    arn = _until_available(sharer, shared)
    sharer.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=shared, AttributeName="restore", ValuesToAdd=[ACCOUNT_ID]
    )
    return arn


def as_role(world: World, role_arn: str, user_name: str) -> Any:
    """Return RDS in the name of a role of the other account, which a user of that account assumes."""
    iam = world.client("iam", SOURCE_REGION, OTHER_ACCOUNT_ID)
    iam.create_user(UserName=user_name)
    document = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn}
    iam.put_user_policy(
        UserName=user_name, PolicyName="share",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [document]}),
    )  # fmt: skip
    key = iam.create_access_key(UserName=user_name)["AccessKey"]
    user = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=SOURCE_REGION)
    sts = user.client("sts", endpoint_url=world.cloud.endpoint)
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="sharing")["Credentials"]
    return boto3.client(
        "rds", SOURCE_REGION, endpoint_url=world.cloud.rds_endpoint, aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"],
    )  # fmt: skip


def _until_available(rds: Any, snapshot_id: str) -> str:
    def available() -> str | None:
        [snapshot] = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=snapshot_id)["DBClusterSnapshots"]
        return str(snapshot["DBClusterSnapshotArn"]) if snapshot["Status"] == "available" else None

    return wait_for(available, snapshot_id)


def _deploy_source_account(world: World, cluster_id: str, key: str) -> dict[str, str]:
    """Deploy infrastructure/source-account.yaml into the other account; return its outputs."""
    cloudformation = world.client("cloudformation", SOURCE_REGION, OTHER_ACCOUNT_ID)
    parameters = {
        "TargetAccountId": ACCOUNT_ID,
        "TargetRegion": TARGET_REGION,
        "SourceClusterId": cluster_id,
        "SourceKeyArn": key,
    }
    cloudformation.create_stack(
        StackName="aurora-restore-source",
        TemplateBody=(REPOSITORY / "infrastructure/source-account.yaml").read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="aurora-restore-source", WaiterConfig={"Delay": 1}
    )
    [stack] = cloudformation.describe_stacks(StackName="aurora-restore-source")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


__all__ = ["ENGINE_VERSION", "LOGINS", "MASTER", "TARGET_REGION", "Production", "make_production"]
