"""Acting as a role of the pipeline, and what the roles are tried on."""

import contextlib
import json
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import TARGET_REGION
from tests.integration.stage.roles.rights import (
    ENGINE,
    FOREIGN,
    FOREIGN_SNAPSHOT,
    MANAGED,
    OF_A_PERSON,
    OUR_COPY,
    OUR_FINAL,
    REPLACEABLE,
    REPLACEABLE_TAG,
    RESTORED,
    Call,
    Clients,
    Names,
    marks,
)
from tests.integration.stage.world import World
from tests.waiting import wait_for
from utils import tags

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


class Actors:
    """Lends the roles to the account's root, which is not what the templates allow, until all are given back."""

    def __init__(self, world: World, names: Names) -> None:
        self._world, self._names, self._clients = world, names, dict[str, Clients]()
        self._give_back = contextlib.ExitStack()

    def __enter__(self) -> "Actors":
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back.close()

    def is_let_in(self, role: str, call: Call) -> bool:
        """Make the call in the name of a role; False if IAM refuses it, whatever else becomes of it."""
        if role not in self._clients:
            self._clients[role] = self._lent(role_name(role))
        try:
            call(self._clients[role], self._names)
        except ClientError as error:
            return error.response["Error"]["Code"] not in DENIED
        return True

    def _lent(self, name: str) -> Clients:
        iam = self._world.client("iam")
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        to_root = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
            "Action": "sts:AssumeRole",
        }
        wider = {**trust, "Statement": [*trust["Statement"], to_root]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(wider))
        narrow = json.dumps(trust)
        self._give_back.callback(iam.update_assume_role_policy, RoleName=name, PolicyDocument=narrow)
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        given = self._world.client("sts").assume_role(RoleArn=arn, RoleSessionName="tried")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        made: dict[tuple[str, str], Any] = {}

        def client(service: str, region: str = TARGET_REGION) -> Any:
            endpoint = self._world.cloud.rds_endpoint if service == "rds" else self._world.cloud.endpoint
            if (service, region) not in made:
                made[service, region] = session.client(  # type: ignore[call-overload]
                    service, region_name=region, endpoint_url=endpoint
                )
            return made[service, region]

        return client


def role_name(role: str) -> str:
    """Return the name of a role in IAM."""
    return "aurora-restore-dba-role" if role == "dba" else f"aurora-restore-{role}-{TARGET_REGION}"


def furnish(world: World) -> Names:
    """Make what the roles are tried on; return the names that only the deployment knows."""
    restored = marks(tags.Role.TARGET)
    _make_cluster(world, FOREIGN, instance_tags=[])
    _make_cluster(world, REPLACEABLE, instance_tags=REPLACEABLE_TAG, Tags=REPLACEABLE_TAG)
    _make_cluster(world, RESTORED, Tags=restored, CopyTagsToSnapshot=True)
    _make_cluster(world, MANAGED, ManageMasterUserPassword=True)
    _take(world, FOREIGN, FOREIGN_SNAPSHOT, [])
    _take(world, RESTORED, OF_A_PERSON, [])
    bucket = f"aurora-restore-lambda-code-{ACCOUNT_ID}-{TARGET_REGION}"
    s3, secrets = world.client("s3"), world.client("secretsmanager")
    s3.put_object(Bucket=bucket, Key="post-restore-sql/rights.sql", Body=b"SELECT 1")
    s3.put_object(Bucket=bucket, Key="rights/package.zip", Body=b"x")
    return Names(
        bucket=bucket,
        # A story may have deleted it.
        topic=world.client("sns").create_topic(Name="aurora-restore-notifications")["TopicArn"],
        key=world.client("kms").describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]["Arn"],
        state_machine=world.deployment.state_machine_arn,
        dead_letters=world.client("sqs").get_queue_url(QueueName="aurora-restore-dead-letters")["QueueUrl"],
        foreign_secret=secrets.create_secret(Name="rights-of-somebody", SecretString="x")["ARN"],
        managed_secret=world.cluster(MANAGED)["MasterUserSecret"]["SecretArn"],
    )


def make_ours(world: World) -> None:
    """Make the copy and the final snapshot that the pipeline may delete, if they are gone."""
    for name, role in ((OUR_COPY, tags.Role.COPY), (OUR_FINAL, tags.Role.FINAL)):
        found = world.target.describe_db_cluster_snapshots()["DBClusterSnapshots"]
        if name not in {item["DBClusterSnapshotIdentifier"] for item in found}:
            _take(world, FOREIGN, name, marks(role))


def _make_cluster(
    world: World, name: str, *, instance_tags: list[dict[str, str]] | None = None, **settings: Any
) -> None:
    password = {} if "ManageMasterUserPassword" in settings else {"MasterUserPassword": "long-enough"}
    world.target.create_db_cluster(
        DBClusterIdentifier=name, Engine=ENGINE, MasterUsername="master", **password, **settings
    )
    wait_for(lambda: world.cluster(name)["Status"] == "available", name)
    if instance_tags is not None:
        world.target.create_db_instance(
            DBInstanceIdentifier=f"{name}-1", DBClusterIdentifier=name, Engine=ENGINE,
            DBInstanceClass="db.r8g.large", Tags=instance_tags,
        )  # fmt: skip
        wait_for(lambda: world.instances(name)[0]["DBInstanceStatus"] == "available", f"{name}-1")


def _take(world: World, cluster: str, name: str, wanted: list[dict[str, str]]) -> None:
    world.target.create_db_cluster_snapshot(DBClusterIdentifier=cluster, DBClusterSnapshotIdentifier=name, Tags=wanted)

    def is_available() -> bool:
        [found] = world.target.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"]
        return bool(found["Status"] == "available")

    wait_for(is_available, name)
