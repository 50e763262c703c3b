"""The world in which the stories happen: one local cloud, the deployed pipeline, and everybody's clusters."""

import contextlib
import itertools
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import psycopg2
from boto3.dynamodb.types import TypeDeserializer
from psycopg2.extensions import connection as Connection  # noqa: N812

from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import aurora_clusters
from local_cloud.pipeline.deployment import Deployment, Login
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.mailbox import Mailbox
from tests.integration.stage.outcome import ApiCall, Outcome
from tests.waiting import wait_for

STATE_TABLE, AUDIT_TABLE = "aurora-restore-state", "aurora-restore-audit"
DATABASE = "shop"
REPLACEABLE = {"aurora-restore:replaceable": "true"}
OLD_MASTER = Login(username="master", password="Master-0f-the-old-targets")
DEFAULT_SUBNETS = ["subnet-00000001", "subnet-00000002", "subnet-00000003"]  # ministack's, one in each zone
RUN_SECONDS = 400.0
Request = Mapping[str, Any]


class World:
    """What the stories do and look at."""

    def __init__(self, cloud: LocalCloud, deployment: Deployment) -> None:
        self.cloud, self.deployment, self.client = cloud, deployment, cloud.client
        topic = self.client("sns").list_topics()["Topics"][0]["TopicArn"]
        self.mailbox = Mailbox(self.client("sns"), self.client("sqs"), topic)
        self.outcomes: list[Outcome] = []
        self._numbers = itertools.count(1)
        self._journal: list[ApiCall] = []
        self.faults: list[dict[str, Any]] = []
        self._reading = threading.Lock()

    @property
    def source(self) -> Any:
        """RDS in the source Region."""
        return self.client("rds", SOURCE_REGION)

    @property
    def target(self) -> Any:
        """RDS in the target Region."""
        return self.client("rds", TARGET_REGION)

    # Runs

    def start(self, request: object, name: str = "") -> str:
        """Start an execution and return its name, the operation's id."""
        name = name or f"story-{next(self._numbers):03}"
        self.client("stepfunctions").start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=name, input=json.dumps(request)
        )
        return name

    def run(self, request: Request, name: str = "") -> Outcome:
        """Start an execution and wait for its end."""
        calls, messages = len(self.journal()), len(self.mailbox.messages())
        return self.end_of(self.start(request, name), target_of(request), calls, messages)

    def end_of(self, name: str, target_id: str, calls: int = 0, messages: int = 0) -> Outcome:
        """Wait for the end of an execution and gather its traces; `calls` and `messages` came before it."""
        states = self.client("stepfunctions")
        arn = self.execution_arn(name)

        def ended() -> dict[str, Any] | None:
            answer: dict[str, Any] = states.describe_execution(executionArn=arn)
            return answer if answer["status"] != "RUNNING" else None

        execution = wait_for(ended, f"the end of {name}", seconds=RUN_SECONDS, every=0.3)
        received = self.mailbox.messages()[messages:]
        outcome = Outcome(
            operation_id=name,
            target_id=target_id,
            status=execution["status"],
            error=execution.get("error", ""),
            cause=execution.get("cause", ""),
            output=json.loads(execution.get("output", "{}")),
            history=self.history(name),
            row=self.row(name) or {},
            audit=self.audit_rows(name),
            calls=[call for call in self.journal()[calls:] if target_id and call.mentions(target_id)],
            messages=[item for item in received if item.attributes.get("operation_id") == name],
            lock=self.row(f"lock#{TARGET_REGION}#{target_id}"),
        )
        self.outcomes.append(outcome)
        return outcome

    def execution_arn(self, name: str) -> str:
        """Return the ARN of an execution of the pipeline."""
        return self.deployment.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return all events of an execution."""
        paginator = self.client("stepfunctions").get_paginator("get_execution_history")
        pages = paginator.paginate(executionArn=self.execution_arn(name))
        return [event for page in pages for event in page["events"]]

    def row(self, key: str) -> dict[str, Any] | None:
        """Return an operation's row, or a lock row."""
        item = self.client("dynamodb").get_item(TableName=STATE_TABLE, Key={"operation_id": {"S": key}})
        return _plain(item["Item"]) if "Item" in item else None

    def audit_rows(self, name: str) -> list[dict[str, Any]]:
        """Return the audit rows of an operation, in order."""
        pages = (
            self.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=AUDIT_TABLE,
                KeyConditionExpression="operation_id = :id",
                ExpressionAttributeValues={":id": {"S": name}},
            )
        )
        return [_plain(item) for page in pages for item in page["Items"]]

    def journal(self) -> list[ApiCall]:
        """Return every call to the local Aurora so far."""
        with self._reading:
            fresh = self.cloud.aurora_control("GET", "journal", {"since": len(self._journal)})
            self._journal += [ApiCall(**entry) for entry in fresh]
            return list(self._journal)

    def fault(self, kind: str, operation: str, identifier: str, **more: object) -> None:
        """Let one thing go wrong in the local Aurora."""
        fault = {"kind": kind, "operation": operation, "identifier": identifier, **more}
        self.faults.append(fault)
        self.cloud.aurora_control("POST", "faults", fault)

    # Clusters

    def security_group(self, name: str) -> str:
        """Make a security group in the default VPC of the target Region and return its id."""
        made = self.client("ec2").create_security_group(GroupName=name, Description=f"of {name}")
        return str(made["GroupId"])

    def old_target(
        self, identifier: str, tags: Mapping[str, str] = REPLACEABLE, instances: int = 1, **settings: Any
    ) -> dict[str, Any]:
        """Make the cluster that a run is to replace, with something in it that is not in production."""
        cluster = aurora_clusters.create_cluster(
            self.cloud, TARGET_REGION, identifier, OLD_MASTER,
            database=DATABASE, instances=instances, tags=tags, **settings,
        )  # fmt: skip
        with self.login(OLD_MASTER, cluster) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE public.of_the_old_target AS SELECT generate_series(1, 25) AS n")
        return cluster

    def rows_of_old_target(self, cluster: Mapping[str, Any]) -> int:
        """Count what only an old target had, 25 rows, as its own master with the password that it had."""
        with self.login(OLD_MASTER, cluster) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM public.of_the_old_target")
            (found,) = cursor.fetchone() or (0,)
            return int(found)

    def cluster(self, identifier: str, rds: Any = None) -> dict[str, Any]:
        """Describe a cluster."""
        found: dict[str, Any] = (rds or self.target).describe_db_clusters(DBClusterIdentifier=identifier)
        cluster: dict[str, Any] = found["DBClusters"][0]
        return cluster

    def cluster_ids(self) -> list[str]:
        """Name every cluster of the target Region."""
        return [item["DBClusterIdentifier"] for item in self.target.describe_db_clusters()["DBClusters"]]

    def instances(self, cluster_id: str) -> list[dict[str, Any]]:
        """Describe the instances of a cluster in the target Region."""
        filters = [{"Name": "db-cluster-id", "Values": [cluster_id]}]
        return list(self.target.describe_db_instances(Filters=filters)["DBInstances"])

    def take_away(self, cluster_ids: Iterable[str]) -> None:
        """Delete clusters with members and without a final snapshot, as a person does; they may be going still."""
        described = self.target.describe_db_clusters()["DBClusters"]
        standing = {item["DBClusterIdentifier"] for item in described if item["Status"] != "deleting"}
        for name in standing.intersection(cluster_ids):
            self.target.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
            for member in self.instances(name):
                self.target.delete_db_instance(DBInstanceIdentifier=member["DBInstanceIdentifier"])
            self.target.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)

    def take_all_away(self, target_id: str) -> None:
        """Delete a target, what runs left beside it, and its snapshots: all stories share the Region's quotas."""
        going = [name for name in self.cluster_ids() if f"{name}-".startswith(f"{target_id}-")]
        self.take_away(going)
        for role in ("copy", "final"):
            for snapshot in self.snapshots(role, target_id):
                name = snapshot["DBClusterSnapshotIdentifier"]
                self.target.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
        wait_for(lambda: not set(going) & set(self.cluster_ids()), f"the end of {going}", seconds=60.0)

    def snapshots(self, role: str, target_id: str, rds: Any = None) -> list[dict[str, Any]]:
        """Describe the snapshots that the pipeline made for a target, oldest first."""
        found = (rds or self.target).describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
        wanted = {"aurora-restore:role": role, "aurora-restore:target-cluster-id": target_id}
        mine = [item for item in found if wanted.items() <= tags_of(item).items()]
        return sorted(mine, key=lambda item: str(item["SnapshotCreateTime"]))

    def is_untouched(self, old: Mapping[str, Any]) -> bool:
        """Whether an old target is as it was: the same cluster, available, with its instances."""
        now = self.cluster(old["DBClusterIdentifier"])
        same = all(now[key] == old[key] for key in ("DbClusterResourceId", "DeletionProtection", "TagList"))
        members = self.instances(old["DBClusterIdentifier"])
        return (
            same
            and now["Status"] == "available"
            and len(members) == len(old["DBClusterMembers"])
            and all(member["DBInstanceStatus"] == "available" for member in members)
        )

    @contextlib.contextmanager
    def login(self, who: Login, cluster: Mapping[str, Any], database: str = DATABASE) -> Iterator[Connection]:
        """Log in over verified TLS; every statement is a transaction of its own."""
        connection = psycopg2.connect(
            host=cluster["Endpoint"], port=cluster["Port"], dbname=database, user=who.username, password=who.password,
            sslmode="verify-full", sslrootcert=str(self.cloud.ca_file), connect_timeout=10,
        )  # fmt: skip
        with contextlib.closing(connection):
            connection.autocommit = True
            yield connection


def tags_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a description as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("TagList", [])}


def target_of(request: object) -> str:
    """Return the target that a request names, if it names one."""
    target = request.get("target") if isinstance(request, Mapping) else None
    name = target.get("cluster_id") if isinstance(target, Mapping) else None
    return name if isinstance(name, str) else ""


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
