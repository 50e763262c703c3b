"""The functions' roles, tried with real calls: each may do what its step needs, and is refused the rest."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.night import Night
from tests.integration.stage.sources import InOneRegion
from tests.integration.stage.world import AUDIT_TABLE, STATE_TABLE, World

DENIED = {"AccessDenied", "AccessDeniedException"}
Clients = Callable[..., Any]
MASTER_SECRET = "aurora-restore/dev/master-credentials"


@pytest.fixture(scope="module")
def acting_as(world: World) -> Iterator[Callable[[str], Clients]]:
    """Act as a function: its role is lent to the account's root, which is not what the templates allow."""
    lent: dict[str, str] = {}
    iam, sts = world.client("iam"), world.client("sts")
    with contextlib.ExitStack() as give_back:

        def act(function: str) -> Clients:
            role = f"aurora-restore-{function}-{TARGET_REGION}"
            if role not in lent:
                trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
                statement = {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                    "Action": "sts:AssumeRole",
                }
                wider = {**trust, "Statement": [*trust["Statement"], statement]}
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(wider))
                narrow = json.dumps(trust)
                give_back.callback(iam.update_assume_role_policy, RoleName=role, PolicyDocument=narrow)
                lent[role] = iam.get_role(RoleName=role)["Role"]["Arn"]
            given = sts.assume_role(RoleArn=lent[role], RoleSessionName="spot-check")["Credentials"]
            session = boto3.Session(
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
            )

            def client(service: str, region: str = TARGET_REGION) -> Any:
                endpoint = world.cloud.rds_endpoint if service == "rds" else world.cloud.endpoint
                return session.client(service, region_name=region, endpoint_url=endpoint)  # type: ignore[call-overload]

            return client

        yield act


REFUSED: list[tuple[str, str, Callable[[Clients], object]]] = [
    (
        "check-copy-status",
        "delete a replaceable cluster",
        lambda client: client("rds").delete_db_cluster(DBClusterIdentifier="shop-staging", SkipFinalSnapshot=True),
    ),
    (
        "check-copy-status",
        "look into the source Region",
        lambda client: client("rds", SOURCE_REGION).describe_db_cluster_snapshots(),
    ),
    (
        "delete-rds",
        "delete a cluster without the tag",
        lambda client: client("rds").delete_db_cluster(DBClusterIdentifier="shop-west", SkipFinalSnapshot=True),
    ),
    (
        "delete-rds",
        "delete an instance without the tag",
        lambda client: client("rds").delete_db_instance(DBInstanceIdentifier="shop-west-1"),
    ),
    (
        "delete-rds",
        "take the protection from a cluster without the tag",
        lambda client: client("rds").modify_db_cluster(DBClusterIdentifier="shop-west", DeletionProtection=False),
    ),
    (
        "delete-rds",
        "delete in the source Region",
        lambda client: client("rds", SOURCE_REGION).delete_db_cluster(
            DBClusterIdentifier="shop-production", SkipFinalSnapshot=True
        ),
    ),
    (
        "archive-snapshot",
        "delete a snapshot that is not the pipeline's",
        lambda client: client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="shop-west-yesterday"),
    ),
    (
        "archive-snapshot",
        "make a snapshot of somebody's its own",
        lambda client: client("rds").add_tags_to_resource(
            ResourceName="arn:aws:rds:us-west-2:123456789012:cluster-snapshot:shop-west-yesterday",
            Tags=[{"Key": "aurora-restore:managed", "Value": "true"}],
        ),
    ),
    (
        "restore-snapshot",
        "delete a replaceable cluster",
        lambda client: client("rds").delete_db_cluster(DBClusterIdentifier="shop-staging", SkipFinalSnapshot=True),
    ),
    (
        "setup-db-users",
        "change the master credentials",
        lambda client: client("secretsmanager").put_secret_value(SecretId=MASTER_SECRET, SecretString="{}"),
    ),
    (
        "snapshot-check",
        "read the master credentials",
        lambda client: client("secretsmanager").get_secret_value(SecretId=MASTER_SECRET),
    ),
    (
        "sns-notification",
        "delete the row of an operation",
        lambda client: client("dynamodb").delete_item(TableName=STATE_TABLE, Key={"operation_id": {"S": "of-nobody"}}),
    ),
    (
        "sns-notification",
        "delete an audit row",
        lambda client: client("dynamodb").delete_item(
            TableName=AUDIT_TABLE, Key={"operation_id": {"S": "of-nobody"}, "timestamp": {"S": "now"}}
        ),
    ),
    (
        "setup-db-users",
        "change an audit row",
        lambda client: client("dynamodb").update_item(
            TableName=AUDIT_TABLE,
            Key={"operation_id": {"S": "of-nobody"}, "timestamp": {"S": "now"}},
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": "better"}},
        ),
    ),
]
ALLOWED: list[tuple[str, str, Callable[[Clients], object]]] = [
    (
        "check-copy-status",
        "look at snapshots",
        lambda client: client("rds").describe_db_cluster_snapshots(SnapshotType="manual"),
    ),
    (
        "setup-db-users",
        "read the master credentials",
        lambda client: client("secretsmanager").get_secret_value(SecretId=MASTER_SECRET),
    ),
    (
        "sns-notification",
        "give a lock back",
        lambda client: client("dynamodb").delete_item(TableName=STATE_TABLE, Key={"operation_id": {"S": "lock#of#x"}}),
    ),
]


@pytest.fixture(autouse=True)
def _somebodys_clusters_are_there(night: Night, in_one_region: InOneRegion) -> tuple[Night, InOneRegion]:
    return night, in_one_region


@pytest.mark.parametrize(
    ("function", "what", "call"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_function_may_not(
    acting_as: Callable[[str], Clients], function: str, what: str, call: Callable[[Clients], object]
) -> None:
    with pytest.raises(ClientError) as refusal:
        call(acting_as(function))
    assert refusal.value.response["Error"]["Code"] in DENIED, what


@pytest.mark.parametrize(
    ("function", "what", "call"), ALLOWED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_function_may(
    acting_as: Callable[[str], Clients], function: str, what: str, call: Callable[[Clients], object]
) -> None:
    assert call(acting_as(function)), what
