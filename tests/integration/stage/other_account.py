"""Production in another account: a cluster there, and what infrastructure/source-account.yaml makes beside it."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from local_cloud.aws_environment import command_environment
from local_cloud.credentials import ACCOUNT_ID, OTHER_ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.production import ENGINE_VERSION, MASTER
from tests.integration.stage.world import DATABASE, World
from tests.waiting import wait_for
from tooling.environments import REPOSITORY

STACK = "aurora-restore-source"


@dataclass(frozen=True)
class OtherAccount:
    """The account that owns production, in the source Region."""

    world: World
    cluster_id: str
    key: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Return a client of a service, as the account's root."""
        return self.world.client(service, SOURCE_REGION, OTHER_ACCOUNT_ID)

    @property
    def cluster(self) -> dict[str, Any]:
        """Describe the cluster."""
        return self.world.cluster(self.cluster_id, self.client("rds"))

    def query(self, statement: str) -> None:
        """Run a statement in production as its master."""
        with self.world.login(MASTER, self.cluster) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def back_up(self) -> str:
        """Let RDS take the automated snapshot of this night, wait for it, and return its name."""
        body = {"arn": self.cluster["DBClusterArn"]}
        taken = str(self.world.cloud.aurora_control("POST", "automated-snapshot", body)["identifier"])
        until_available(self.client("rds"), taken)
        return taken

    def shared(self) -> list[str]:
        """Name what can be restored by the target account, oldest first."""
        rds = self.client("rds")
        manual = rds.describe_db_cluster_snapshots(SnapshotType="manual", DBClusterIdentifier=self.cluster_id)
        names = sorted(item["DBClusterSnapshotIdentifier"] for item in manual["DBClusterSnapshots"])
        return [name for name in names if ACCOUNT_ID in _may_restore(rds, name)]

    def share(self, name: str) -> dict[str, Any]:
        """Start the sharing state machine as its schedule does, and return how it ended."""
        states = self.client("stepfunctions")
        machine = self.outputs["SharingStateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine, name=name)["executionArn"]

        def ended() -> dict[str, Any] | None:
            answer: dict[str, Any] = states.describe_execution(executionArn=arn)
            return answer if answer["status"] != "RUNNING" else None

        return wait_for(ended, f"the end of {name}", seconds=200)


def make_other_account(world: World, cluster_id: str, **parameters: str) -> OtherAccount:
    """Make a cluster of another account, with 77 rows, and deploy infrastructure/source-account.yaml beside it."""
    rds = world.client("rds", SOURCE_REGION, OTHER_ACCOUNT_ID)
    kms = world.client("kms", SOURCE_REGION, OTHER_ACCOUNT_ID)
    key = str(kms.create_key(Description="production")["KeyMetadata"]["Arn"])
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
    outputs = _deploy(world, {"SourceClusterId": cluster_id, "SourceKeyArn": key, **parameters})
    account = OtherAccount(world, cluster_id, key, outputs)
    account.query("CREATE TABLE public.of_the_other_account AS SELECT generate_series(1, 77) AS n")
    return account


def share_by_hand(account: OtherAccount) -> str:
    """Share a snapshot that a person took as the sharer role does; return the ARN of the copy."""
    own, shared = f"{account.cluster_id}-yesterday", f"aurora-restore-shared-{account.cluster_id}"
    may_be_shared = [{"Key": "aurora-restore:may-be-shared", "Value": "true"}]
    rds = account.client("rds")
    rds.create_db_cluster_snapshot(
        DBClusterIdentifier=account.cluster_id, DBClusterSnapshotIdentifier=own, Tags=may_be_shared
    )
    until_available(rds, own)
    sharer = as_role(account.world, account.outputs["SharerRoleArn"], "release-manager")
    sharer.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster-snapshot:{own}",
        TargetDBClusterSnapshotIdentifier=shared, KmsKeyId=account.outputs["SharedSnapshotsKeyArn"],
    )  # fmt: skip
    arn = until_available(sharer, shared)
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


def until_available(rds: Any, snapshot_id: str) -> str:
    """Wait for a snapshot and return its ARN."""

    def available() -> str | None:
        kind = "automated" if snapshot_id.startswith("rds:") else "manual"
        [snapshot] = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=snapshot_id, SnapshotType=kind)[
            "DBClusterSnapshots"
        ]
        return str(snapshot["DBClusterSnapshotArn"]) if snapshot["Status"] == "available" else None

    return wait_for(available, snapshot_id)


def _may_restore(rds: Any, snapshot_id: str) -> list[str]:
    answer = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=snapshot_id)
    attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    return [value for attribute in attributes for value in attribute["AttributeValues"]]


def _deploy(world: World, given: Mapping[str, str]) -> dict[str, str]:
    """Deploy what shares snapshots into the other account, as its people do; return the stack's outputs."""
    parameters = {"TargetAccountId": ACCOUNT_ID, "TargetRegion": TARGET_REGION, **given}
    done = subprocess.run(
        ["./deploy.sh", "bootstrap", "--source-account", "--yes", "--region", SOURCE_REGION,
         *(word for name, value in parameters.items() for word in ("--set", f"{name}={value}"))],
        cwd=REPOSITORY, env=command_environment(world.cloud.environment(SOURCE_REGION, OTHER_ACCOUNT_ID)),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    cloudformation = world.client("cloudformation", SOURCE_REGION, OTHER_ACCOUNT_ID)
    [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
