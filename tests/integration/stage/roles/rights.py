"""What the pipeline's roles may and may not do: calls, each with whose it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.world import AUDIT_TABLE, STATE_TABLE
from utils import tags
from utils.operation.model import Helper, StepName

FUNCTIONS = frozenset(step.value.lower().replace(" ", "-") for step in (*StepName, *Helper))
ROLES = (*sorted(FUNCTIONS), "pipeline", "schedule", "dba", "approver")
# What people have: a cluster and a snapshot of it, a target that may be replaced, a snapshot of a restored cluster.
FOREIGN, REPLACEABLE, RESTORED, MANAGED = "rights-foreign", "rights-old-target", "rights-restored", "rights-managed"
FOREIGN_SNAPSHOT, OF_A_PERSON = "rights-foreign-yesterday", "rights-of-a-person"
OUR_COPY, OUR_FINAL = "aurora-restore-copy-rights", "aurora-restore-final-rights"
MASTER_SECRET, APP_SECRET = "aurora-restore/dev/master-credentials", "aurora-restore/dev/app-credentials"
EVIDENCE_KEY = "alias/aurora-restore-evidence"
EVIDENCE_BUCKET = f"aurora-restore-evidence-{ACCOUNT_ID}-{TARGET_REGION}"
_OF_A_RETIREMENT = ":execution:aurora-restore-retirement:of-nobody"
CLASS, ENGINE = "db.none", "aurora-postgresql"  # no such class: RDS refuses it once IAM has let the call in


class Clients(Protocol):
    """Makes a client in the name of a role."""

    def __call__(self, service: str, region: str = TARGET_REGION) -> Any:
        """Return a client of boto3."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What only the deployment knows."""

    bucket: str
    topic: str
    key: str
    state_machine: str
    dead_letters: str
    foreign_secret: str
    managed_secret: str


Call = Callable[[Clients, Names], object]


def arn(kind: str, name: str, service: str = "rds") -> str:
    """Return an ARN of the target Region."""
    return f"arn:aws:{service}:{TARGET_REGION}:{ACCOUNT_ID}:{kind}:{name}"


def marks(role: tags.Role, **more: str) -> list[dict[str, str]]:
    """Return the tags with which the pipeline makes a resource."""
    own = tags.own_tags(role, "of-nobody", "of-nobody") | more
    return [{"Key": key, "Value": value} for key, value in own.items()]


def tag(kind: str, name: str, wanted: list[dict[str, str]]) -> Call:
    """Tag what is there."""
    return lambda client, _: client("rds").add_tags_to_resource(ResourceName=arn(kind, name), Tags=wanted)


def rds(operation: str, region: str = TARGET_REGION, **parameters: Any) -> Call:
    """Call RDS."""
    return lambda client, _: getattr(client("rds", region), operation)(**parameters)


def put_row(table: str, **key: str) -> Call:
    """Put a row of nobody's."""
    item = {name: {"S": value} for name, value in key.items()}
    return lambda client, _: client("dynamodb").put_item(TableName=table, Item=item)


def delete_row(table: str, **key: str) -> Call:
    """Delete a row."""
    item = {name: {"S": value} for name, value in key.items()}
    return lambda client, _: client("dynamodb").delete_item(TableName=table, Key=item)


def event_of(source: str) -> Call:
    """Send an event."""
    entry = {"Source": source, "DetailType": "tried", "Detail": "{}"}
    return lambda client, _: client("events").put_events(Entries=[entry])


def of_snapshots(*more: str) -> frozenset[str]:
    """Return the functions that look at snapshots."""
    return frozenset({"snapshot-check", "copy-snapshot", "delete-rds", *more})


REPLACEABLE_TAG = [{"Key": tags.REPLACEABLE, "Value": "true"}]
NOT_A_ROLE = {"Key": tags.MANAGED, "Value": "true"}
CREATE = {"DBInstanceClass": CLASS, "Engine": ENGINE}
RESTORE = {"SnapshotIdentifier": FOREIGN_SNAPSHOT, "Engine": ENGINE, "EngineVersion": "1.0"}
COPY = {"SourceDBClusterSnapshotIdentifier": FOREIGN_SNAPSHOT}

# What no role of the pipeline may do.
NOBODYS: dict[str, Call] = {
    "mark a cluster replaceable": tag("cluster", FOREIGN, REPLACEABLE_TAG),
    "mark a cluster replaceable and the pipeline's": tag("cluster", FOREIGN, [*REPLACEABLE_TAG, NOT_A_ROLE]),
    "mark an instance replaceable": tag("db", f"{FOREIGN}-1", REPLACEABLE_TAG),
    "mark a snapshot the pipeline's": tag("cluster-snapshot", FOREIGN_SNAPSHOT, [NOT_A_ROLE]),
    "mark a snapshot as a copy": tag("cluster-snapshot", FOREIGN_SNAPSHOT, marks(tags.Role.COPY)),
    "mark a snapshot as a final one": tag("cluster-snapshot", FOREIGN_SNAPSHOT, marks(tags.Role.FINAL)),
    "mark a person's snapshot as a copy": tag("cluster-snapshot", OF_A_PERSON, marks(tags.Role.COPY)),
    "mark a person's snapshot as a final one": tag("cluster-snapshot", OF_A_PERSON, marks(tags.Role.FINAL)),
    "take a tag off": rds("remove_tags_from_resource", ResourceName=arn("cluster", RESTORED), TagKeys=[tags.MANAGED]),
    "delete a cluster": rds("delete_db_cluster", DBClusterIdentifier=FOREIGN, SkipFinalSnapshot=True),
    "delete an instance": rds("delete_db_instance", DBInstanceIdentifier=f"{FOREIGN}-1"),
    "delete a snapshot": rds("delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=FOREIGN_SNAPSHOT),
    "delete a person's snapshot of a restored cluster": rds(
        "delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=OF_A_PERSON
    ),
    "delete in the source Region": rds(
        "delete_db_cluster", SOURCE_REGION, DBClusterIdentifier="shop-production", SkipFinalSnapshot=True
    ),
    "take a snapshot of a source that the stack does not name": rds(
        "create_db_cluster_snapshot",
        SOURCE_REGION,
        DBClusterIdentifier="shop-production",
        DBClusterSnapshotIdentifier="aurora-restore-source-x",
        Tags=marks(tags.Role.SOURCE),
    ),
    "take a snapshot of a source under another name": rds(
        "create_db_cluster_snapshot",
        SOURCE_REGION,
        DBClusterIdentifier="shop-fresh",
        DBClusterSnapshotIdentifier="by-hand",
        Tags=marks(tags.Role.SOURCE),
    ),
    "delete a snapshot of the source": rds(
        "delete_db_cluster_snapshot", SOURCE_REGION, DBClusterSnapshotIdentifier="shop-production-yesterday"
    ),
    "take a cluster's protection": rds("modify_db_cluster", DBClusterIdentifier=FOREIGN, DeletionProtection=False),
    "set a cluster's master password": rds("modify_db_cluster", DBClusterIdentifier=FOREIGN, MasterUserPassword="x"),
    "start a cluster": rds("start_db_cluster", DBClusterIdentifier=FOREIGN),
    "stop a replaceable cluster": rds("stop_db_cluster", DBClusterIdentifier=REPLACEABLE),
    "take a snapshot of a cluster": rds(
        "create_db_cluster_snapshot",
        DBClusterIdentifier=FOREIGN,
        DBClusterSnapshotIdentifier=f"{OUR_FINAL}-2",
        Tags=marks(tags.Role.FINAL),
    ),
    "take a final snapshot under another name": rds(
        "create_db_cluster_snapshot",
        DBClusterIdentifier=RESTORED,
        DBClusterSnapshotIdentifier="rights-taken",
        Tags=marks(tags.Role.FINAL),
    ),
    "take a final snapshot without marks": rds(
        "create_db_cluster_snapshot", DBClusterIdentifier=RESTORED, DBClusterSnapshotIdentifier=f"{OUR_FINAL}-2"
    ),
    "copy a snapshot under another name": rds(
        "copy_db_cluster_snapshot",
        **COPY,
        TargetDBClusterSnapshotIdentifier="rights-taken",
        Tags=marks(tags.Role.COPY),
    ),
    "copy a snapshot without marks": rds(
        "copy_db_cluster_snapshot", **COPY, TargetDBClusterSnapshotIdentifier=f"{OUR_COPY}-2"
    ),
    "share a copy": rds(
        "modify_db_cluster_snapshot_attribute",
        DBClusterSnapshotIdentifier=OUR_COPY,
        AttributeName="restore",
        ValuesToAdd=["444455556666"],
    ),
    "restore without marks": rds("restore_db_cluster_from_snapshot", DBClusterIdentifier="rights-taken", **RESTORE),
    "restore as somebody's": rds(
        "restore_db_cluster_from_snapshot", DBClusterIdentifier="rights-taken", Tags=REPLACEABLE_TAG, **RESTORE
    ),
    "create a cluster": rds(
        "create_db_cluster", DBClusterIdentifier="rights-taken", Engine=ENGINE, Tags=marks(tags.Role.TARGET)
    ),
    "create an instance in a cluster": rds(
        "create_db_instance",
        DBInstanceIdentifier="rights-taken",
        DBClusterIdentifier=FOREIGN,
        PubliclyAccessible=False,
        Tags=marks(tags.Role.TARGET),
        **CREATE,
    ),
    "create an instance in a replaceable cluster": rds(
        "create_db_instance",
        DBInstanceIdentifier="rights-taken",
        DBClusterIdentifier=REPLACEABLE,
        PubliclyAccessible=False,
        Tags=marks(tags.Role.TARGET),
        **CREATE,
    ),
    "create an instance that the internet reaches": rds(
        "create_db_instance",
        DBInstanceIdentifier="rights-taken",
        DBClusterIdentifier=RESTORED,
        PubliclyAccessible=True,
        Tags=marks(tags.Role.TARGET),
        **CREATE,
    ),
    "create an instance that the internet may reach": rds(
        "create_db_instance",
        DBInstanceIdentifier="rights-taken",
        DBClusterIdentifier=RESTORED,
        Tags=marks(tags.Role.TARGET),
        **CREATE,
    ),
    "create an instance without marks": rds(
        "create_db_instance",
        DBInstanceIdentifier="rights-taken",
        DBClusterIdentifier=RESTORED,
        PubliclyAccessible=False,
        **CREATE,
    ),
    "change an instance": rds("modify_db_instance", DBInstanceIdentifier=f"{FOREIGN}-1", PubliclyAccessible=True),
    "read a secret": lambda client, names: client("secretsmanager").get_secret_value(SecretId=names.foreign_secret),
    "delete a secret": lambda client, _: client("secretsmanager").delete_secret(SecretId=APP_SECRET),
    "change the users' secret": lambda client, _: client("secretsmanager").put_secret_value(
        SecretId=APP_SECRET, SecretString="{}"
    ),
    "make a secret": lambda client, _: client("secretsmanager").create_secret(Name="rights-taken", SecretString="x"),
    "delete the row of an operation": delete_row(STATE_TABLE, operation_id="of-nobody"),
    "delete an audit row": delete_row(AUDIT_TABLE, operation_id="of-nobody", timestamp="now"),
    "change an audit row": lambda client, _: client("dynamodb").update_item(
        TableName=AUDIT_TABLE,
        Key={"operation_id": {"S": "of-nobody"}, "timestamp": {"S": "now"}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "better"}},
    ),
    "send somebody else's event": event_of("billing"),
    "publish to another topic": lambda client, names: client("sns").publish(TopicArn=f"{names.topic}-2", Message="x"),
    "read another object of the bucket": lambda client, names: client("s3").get_object(
        Bucket=names.bucket, Key="rights/package.zip"
    ),
    "change a script": lambda client, names: client("s3").put_object(
        Bucket=names.bucket, Key="post-restore-sql/rights.sql", Body=b"SELECT 2"
    ),
    "read evidence": lambda client, _: client("s3").get_object(Bucket=EVIDENCE_BUCKET, Key="rights/tried"),
    "delete evidence": lambda client, _: client("s3").delete_object(Bucket=EVIDENCE_BUCKET, Key="rights/tried"),
    "schedule a key's deletion": lambda client, names: client("kms").schedule_key_deletion(KeyId=names.key),
    "encrypt by itself": lambda client, names: client("kms").encrypt(KeyId=names.key, Plaintext=b"x"),
    "grant a key by itself": lambda client, names: client("kms").create_grant(
        KeyId=names.key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT_ID}:root", Operations=["Decrypt"]
    ),
    "invoke another function": lambda client, _: client("lambda").invoke(FunctionName="rights-of-somebody"),
    "stop an execution of the pipeline": lambda client, names: client("stepfunctions").stop_execution(
        executionArn=names.state_machine.replace(":stateMachine:", ":execution:") + ":of-nobody"
    ),
    "start another state machine": lambda client, names: client("stepfunctions").start_execution(
        stateMachineArn=f"{names.state_machine}-2"
    ),
    "read dead letters": lambda client, names: client("sqs").receive_message(QueueUrl=names.dead_letters),
    "give itself rights": lambda client, _: client("iam").put_role_policy(
        RoleName=f"aurora-restore-delete-rds-{TARGET_REGION}",
        PolicyName="more",
        PolicyDocument='{"Version": "2012-10-17", "Statement": []}',
    ),
    "delete a log group": lambda client, _: client("logs").delete_log_group(logGroupName="/aws/lambda/rights"),
}

# What a step is there for, with whose it is: these may, all others may not. Where RDS refuses one, IAM has let it in.
OWN: dict[str, tuple[frozenset[str], Call]] = {
    # It signs a period's report, from the rows themselves.
    "read the rows of all": (
        frozenset({"write-evidence"}),
        lambda client, _: client("dynamodb").scan(TableName=STATE_TABLE),
    ),
    "look at snapshots": (
        of_snapshots("check-copy-status", "check-delete-status", "archive-snapshot"),
        rds("describe_db_cluster_snapshots", SnapshotType="manual"),
    ),
    "look at snapshots of the source Region": (
        frozenset({"snapshot-check", "copy-snapshot", "check-copy-status", "archive-snapshot"}),
        rds("describe_db_cluster_snapshots", SOURCE_REGION),
    ),
    "look at clusters": (
        FUNCTIONS - {"copy-snapshot", "check-copy-status", "archive-snapshot", "sns-notification", "write-evidence"},
        rds("describe_db_clusters"),
    ),
    "look at clusters of the source Region": (
        frozenset({"snapshot-check", "write-evidence"}),
        rds("describe_db_clusters", SOURCE_REGION),
    ),
    "look at instances": (
        frozenset(
            {
                "snapshot-check",
                "delete-rds",
                "check-delete-status",
                "restore-snapshot",
                "check-restore-status",
                "swap-clusters",
                "check-swap-status",
            }
        ),
        rds("describe_db_instances"),
    ),
    "look at a role": (
        frozenset({"snapshot-check", "delete-rds"}),
        lambda client, _: client("iam").get_role(RoleName="aurora-restore-dba-role"),
    ),
    "copy a snapshot": (
        frozenset({"copy-snapshot"}),
        rds(
            "copy_db_cluster_snapshot",
            **COPY,
            TargetDBClusterSnapshotIdentifier=OUR_COPY,
            Tags=marks(tags.Role.COPY),
        ),
    ),
    "delete a copy": (
        frozenset({"copy-snapshot", "delete-rds", "archive-snapshot"}),
        rds("delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=OUR_COPY),
    ),
    "delete a final snapshot": (
        frozenset({"copy-snapshot", "delete-rds", "archive-snapshot"}),
        rds("delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=OUR_FINAL),
    ),
    "mark a copy as archived": (
        frozenset({"archive-snapshot"}),
        tag("cluster-snapshot", OUR_COPY, [{"Key": tags.ARCHIVED_AT, "Value": "now"}]),
    ),
    "take a final snapshot": (
        frozenset({"delete-rds"}),
        rds(
            "create_db_cluster_snapshot",
            DBClusterIdentifier=REPLACEABLE,
            DBClusterSnapshotIdentifier=OUR_FINAL,
            Tags=marks(tags.Role.FINAL),
        ),
    ),
    "rename a replaceable instance": (
        frozenset({"swap-clusters"}),
        rds("modify_db_instance", DBInstanceIdentifier=f"{REPLACEABLE}-1", NewDBInstanceIdentifier=f"{FOREIGN}-1"),
    ),
    "delete a replaceable cluster": (
        frozenset({"delete-rds"}),
        rds("delete_db_cluster", DBClusterIdentifier=REPLACEABLE),  # without a snapshot's name
    ),
    "delete a replaceable instance": (
        frozenset({"delete-rds"}),
        rds("delete_db_instance", DBInstanceIdentifier=f"{REPLACEABLE}-1", SkipFinalSnapshot=True),
    ),
    "start a replaceable cluster": (
        frozenset({"delete-rds"}),
        rds("start_db_cluster", DBClusterIdentifier=REPLACEABLE),
    ),
    "take a replaceable cluster's protection": (
        # A rename is the same call, and no key of IAM tells them apart.
        frozenset({"delete-rds", "swap-clusters"}),
        rds("modify_db_cluster", DBClusterIdentifier=REPLACEABLE, DeletionProtection=False),
    ),
    "stop a restored cluster": (
        frozenset({"delete-rds", "swap-clusters"}),
        rds("stop_db_cluster", DBClusterIdentifier=RESTORED),
    ),
    "let RDS manage a restored cluster's password": (
        # Whoever may change it comes as far as the refused combination; only setup-db-users may make the secret.
        frozenset({"delete-rds", "restore-snapshot", "setup-db-users", "swap-clusters"}),
        rds("modify_db_cluster", DBClusterIdentifier=RESTORED, ManageMasterUserPassword=True, MasterUserPassword="x"),
    ),
    "restore a cluster": (
        frozenset({"restore-snapshot"}),
        rds(
            "restore_db_cluster_from_snapshot",
            DBClusterIdentifier=RESTORED,
            Tags=marks(tags.Role.TARGET),
            **RESTORE,
        ),
    ),
    "create an instance in a restored cluster": (
        frozenset({"restore-snapshot"}),
        rds(
            "create_db_instance",
            DBInstanceIdentifier=f"{RESTORED}-2",
            DBClusterIdentifier=RESTORED,
            PubliclyAccessible=False,
            Tags=marks(tags.Role.TARGET),
            **CREATE,
        ),
    ),
    "read the master credentials": (
        frozenset({"setup-db-users", "dba"}),
        lambda client, _: client("secretsmanager").get_secret_value(SecretId=MASTER_SECRET),
    ),
    "read the users' credentials": (
        frozenset({"setup-db-users", "snapshot-check", "check-swap-status"}),
        lambda client, _: client("secretsmanager").get_secret_value(SecretId=APP_SECRET),
    ),
    "read a password that RDS manages": (
        frozenset({"setup-db-users"}),
        lambda client, names: client("secretsmanager").get_secret_value(SecretId=names.managed_secret),
    ),
    "change the master credentials": (
        frozenset({"dba"}),
        lambda client, _: client("secretsmanager").put_secret_value(
            SecretId=MASTER_SECRET, SecretString="{}", VersionStages=["RIGHTS"]
        ),
    ),
    "write a row": (FUNCTIONS - {"write-evidence"}, put_row(STATE_TABLE, operation_id="of-nobody")),
    "write an audit row": (
        FUNCTIONS - {"write-evidence"},
        put_row(AUDIT_TABLE, operation_id="of-nobody", timestamp="now"),
    ),
    "read the audit trail": (
        frozenset({"write-evidence"}),
        lambda client, _: client("dynamodb").query(
            TableName=AUDIT_TABLE,
            KeyConditionExpression="operation_id = :id",
            ExpressionAttributeValues={":id": {"S": "of-nobody"}},
        ),
    ),
    "read every row": (
        frozenset({"write-evidence"}),
        lambda client, _: client("dynamodb").scan(TableName=STATE_TABLE),
    ),
    "ask for approval": (
        frozenset({"sns-notification"}),
        put_row("aurora-restore-approvals", operation_id="of-nobody"),
    ),
    "read what an answer needs": (
        frozenset({"approver"}),
        lambda client, _: client("dynamodb").get_item(
            TableName="aurora-restore-approvals", Key={"operation_id": {"S": "of-nobody"}}
        ),
    ),
    "sign evidence": (
        frozenset({"write-evidence"}),
        lambda client, _: client("kms").sign(
            KeyId=EVIDENCE_KEY, Message=b"x" * 32, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
        ),
    ),
    "write evidence": (
        frozenset({"write-evidence"}),
        lambda client, _: client("s3").put_object(Bucket=EVIDENCE_BUCKET, Key="rights/tried", Body=b"x"),
    ),
    "ask for evidence": (
        frozenset({"sns-notification"}),
        lambda client, _: client("lambda").invoke(
            FunctionName="aurora-restore-write-evidence", Payload=b'{"verify": {}}'
        ),
    ),
    "give a lock back": (
        frozenset({"snapshot-check", "sns-notification"}),
        delete_row(STATE_TABLE, operation_id="lock#of#x"),
    ),
    "send an event": (frozenset({"snapshot-check", "sns-notification"}), event_of("aurora-restore")),
    "publish": (
        frozenset({"sns-notification"}),
        lambda client, names: client("sns").publish(TopicArn=names.topic, Message="tried"),
    ),
    "keep a dead letter": (
        frozenset({"sns-notification", "schedule"}),
        lambda client, names: client("sqs").send_message(QueueUrl=names.dead_letters, MessageBody="tried"),
    ),
    "read a script": (
        frozenset({"setup-db-users", "snapshot-check"}),
        lambda client, names: client("s3").get_object(Bucket=names.bucket, Key="post-restore-sql/rights.sql"),
    ),
    "look at a key": (
        frozenset({"snapshot-check", "copy-snapshot", "delete-rds", "restore-snapshot"}),
        lambda client, names: client("kms").describe_key(KeyId=names.key),
    ),
    "look at an execution": (
        frozenset({"snapshot-check", "delete-rds"}),
        lambda client, names: client("stepfunctions").describe_execution(
            executionArn=names.state_machine.replace(":stateMachine:", ":execution:") + ":of-nobody"
        ),
    ),
    "look at an execution of the retirement": (
        frozenset({"snapshot-check", "delete-rds", "sns-notification"}),
        lambda client, names: client("stepfunctions").describe_execution(
            executionArn=names.state_machine.replace(":stateMachine:aurora-restore-pipeline", _OF_A_RETIREMENT)
        ),
    ),
    "invoke a function": (
        frozenset({"pipeline"}),
        lambda client, _: client("lambda").invoke(
            FunctionName="aurora-restore-check-copy-status", InvocationType="DryRun"
        ),
    ),
    "start an execution": (
        frozenset({"schedule"}),
        lambda client, names: client("stepfunctions").start_execution(
            stateMachineArn=names.state_machine, name="a name that is none"
        ),
    ),
    "start a fleet": (
        frozenset({"schedule"}),
        lambda client, names: client("stepfunctions").start_execution(
            stateMachineArn=names.state_machine.replace("-pipeline", "-fleet"), name="a name that is none"
        ),
    ),
}
