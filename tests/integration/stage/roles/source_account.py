"""What the roles of infrastructure/source-account.yaml may and may not do: calls, each with whose it is."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local_cloud.credentials import ACCOUNT_ID, OTHER_ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.other_account import OtherAccount, until_available
from tests.integration.stage.roles.acting import DENIED

ROLES = ("sharing", "sharing-schedule", "sharer", "reader")
READER = frozenset({"reader"})
# A person's snapshots: one of nobody's business, one that may be shared, one under our prefix; and the machine's own.
PRIVATE, MARKED = "rights-private", "rights-marked"
BY_HAND, OWN = "aurora-restore-shared-rights", "aurora-restore-shared-2"
_MARK = [{"Key": "aurora-restore:may-be-shared", "Value": "true"}]
_TAGS = [{"Key": "aurora-restore:managed", "Value": "true"}, {"Key": "aurora-restore:role", "Value": "shared"}]

Clients = Callable[..., Any]
Call = Callable[[Clients, OtherAccount], object]


def role_name(role: str) -> str:
    """Return the name of a role in IAM."""
    return f"aurora-restore-{role}-{SOURCE_REGION}"


def rds(operation: str, region: str = SOURCE_REGION, **parameters: Any) -> Call:
    """Return a call of RDS."""
    return lambda client, _: getattr(client("rds", region), operation)(**parameters)


def copy(of: str, to: str = f"{OWN}-none", **parameters: Any) -> Call:
    """Return a copy of a snapshot of the account; `{}` stands for production's name."""
    return lambda client, account: client("rds").copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=of.format(account.cluster_id),
        TargetDBClusterSnapshotIdentifier=to,
        **parameters,
    )


def _share(name: str) -> Call:
    operation, attribute = "modify_db_cluster_snapshot_attribute", "restore"
    return rds(operation, DBClusterSnapshotIdentifier=name, AttributeName=attribute, ValuesToAdd=[ACCOUNT_ID])


def _remove(name: str) -> Call:
    return rds("delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=name)


def _of_the_cluster(operation: str, **parameters: Any) -> Call:
    return lambda client, account: getattr(client("rds"), operation)(
        DBClusterIdentifier=account.cluster_id, **parameters
    )


# No automated snapshot has these names: RDS does not find them, once IAM has let the call in.
_AUTOMATED, _OF_ANOTHER = "rds:{}-2026-01-01-00-00", "rds:{}-billing-2026-01-01-00-00"
CALLS: dict[str, tuple[frozenset[str], Call]] = {
    "look at snapshots": (frozenset({"sharing", "sharer", "reader"}), rds("describe_db_cluster_snapshots")),
    "look at snapshots of another Region": (frozenset(), rds("describe_db_cluster_snapshots", TARGET_REGION)),
    "look with whom a snapshot is shared": (
        frozenset({"sharer", "reader"}),
        rds("describe_db_cluster_snapshot_attributes", DBClusterSnapshotIdentifier=PRIVATE),
    ),
    "look at clusters": (READER, rds("describe_db_clusters")),
    "copy an automated snapshot": (frozenset({"sharing", "sharer"}), copy(_AUTOMATED, Tags=_TAGS)),
    "copy an automated snapshot without tags": (frozenset({"sharer"}), copy(_AUTOMATED)),
    "copy an automated snapshot of another cluster": (frozenset(), copy(_OF_ANOTHER, Tags=_TAGS)),
    "copy an automated snapshot to any name": (frozenset(), copy(_AUTOMATED, to="mine", Tags=_TAGS)),
    "copy a snapshot that may be shared": (frozenset({"sharer"}), copy(MARKED, to=BY_HAND, Tags=_TAGS)),
    "copy a snapshot that may not": (frozenset(), copy(PRIVATE, Tags=_TAGS)),
    "share what the state machine made": (frozenset({"sharing", "sharer"}), _share(OWN)),
    "share what a person made under our prefix": (frozenset({"sharer"}), _share(BY_HAND)),
    "share what a person made": (frozenset(), _share(PRIVATE)),
    "remove what the state machine made": (frozenset({"sharing", "sharer"}), _remove(OWN)),
    "remove what a person made under our prefix": (frozenset({"sharer"}), _remove(BY_HAND)),
    "remove what a person made": (frozenset(), _remove(PRIVATE)),
    "mark a snapshot as one that may be shared": (
        frozenset(),
        rds(
            "add_tags_to_resource", Tags=_MARK,
            ResourceName=f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster-snapshot:{PRIVATE}",
        ),
    ),
    "take a snapshot": (frozenset(), _of_the_cluster("create_db_cluster_snapshot", DBClusterSnapshotIdentifier=OWN)),
    "change the cluster": (frozenset(), _of_the_cluster("modify_db_cluster", DeletionProtection=False)),
    "stop the cluster": (frozenset(), _of_the_cluster("stop_db_cluster")),
    "delete the cluster": (frozenset(), _of_the_cluster("delete_db_cluster", SkipFinalSnapshot=True)),
    "look at the key": (
        READER,
        lambda client, account: client("kms").describe_key(KeyId=account.outputs["SharedSnapshotsKeyArn"]),
    ),
    "use the key by themselves": (
        frozenset(),
        lambda client, account: client("kms").generate_data_key(
            KeyId=account.outputs["SharedSnapshotsKeyArn"], KeySpec="AES_256"
        ),
    ),
    "start the sharing": (
        frozenset({"sharing-schedule"}),
        lambda client, account: client("stepfunctions").start_execution(
            stateMachineArn=account.outputs["SharingStateMachineArn"], name="a name that is none"
        ),
    ),
    "start another state machine": (
        frozenset(),
        lambda client, account: client("stepfunctions").start_execution(
            stateMachineArn=f"{account.outputs['SharingStateMachineArn']}-of-others"
        ),
    ),
    "tell people": (
        frozenset(),
        lambda client, account: client("sns").publish(TopicArn=account.outputs["SharingTopicArn"], Message="x"),
    ),
}  # fmt: skip


def furnish(account: OtherAccount) -> None:
    """Make the snapshots that the roles are tried on, those that are gone again."""
    rds = account.client("rds")
    found = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    there = {item["DBClusterSnapshotIdentifier"] for item in found}
    for name, tags in ((PRIVATE, []), (MARKED, _MARK), (BY_HAND, []), (OWN, _TAGS)):
        if name not in there:
            rds.create_db_cluster_snapshot(
                DBClusterIdentifier=account.cluster_id, DBClusterSnapshotIdentifier=name, Tags=tags
            )
        until_available(rds, name)


def is_let_in(account: OtherAccount, role: str, call: Call) -> bool:
    """Make a call in the name of a role; False if IAM refuses it, whatever else becomes of it."""
    with _lent(account, role_name(role)) as clients:
        try:
            call(clients, account)
        except ClientError as error:
            return error.response["Error"]["Code"] not in DENIED
    return True


@contextlib.contextmanager
def _lent(account: OtherAccount, name: str) -> Iterator[Clients]:
    """Lend a role to the account's root, which is not what the template allows, and take it back."""
    iam = account.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    trust = role["AssumeRolePolicyDocument"]
    root = {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT_ID}:root"}
    wider = [*trust["Statement"], {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps({**trust, "Statement": wider}))
    try:
        given = account.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="tried")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        cloud = account.world.cloud

        def client(service: Any, region: str = SOURCE_REGION) -> Any:
            endpoint = cloud.rds_endpoint if service == "rds" else cloud.endpoint
            return session.client(service, region_name=region, endpoint_url=endpoint)

        yield client
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
