"""One local cloud in which many operations run at once, each on a lane of its own: a target that nobody else uses."""

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID
from local_cloud.pipeline import postgres
from local_cloud.pipeline.aurora_clusters import create_cluster, create_snapshot
from local_cloud.pipeline.deployment import Deployment, deploy
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from local_cloud.scram import scram_verifier
from tests.faults.cases import SET_UP, Case, RoundTrip
from tests.faults.situations import AFTERWARDS, PRODUCTION_BESIDE, RETIREMENT
from tests.integration.stage.outcome import ApiCall
from tests.integration.stage.production import LOGINS, MASTER
from tests.integration.stage.world import DATABASE, STATE_TABLE, World
from tests.waiting import wait_for

# An Aurora phase is over almost at once, but the state machine still waits long enough not to look all the time.
SPEED, WAIT_SPEED = 2500.0, 125.0
PRODUCTION = "production"
# Quotas have tests of their own; here they would be in the way of many runs at once.
ROOMY = {"clones": 1000, "clusters": 1000, "instances": 1000, "manual_snapshots": 2000, "copies_in_progress": 200}
RUN_SECONDS = 400.0
WARM_UPS = 2
STACK_PARAMETERS = {
    "SourceClusterId": PRODUCTION,
    "NewSnapshotSources": PRODUCTION,
    "PointInTimeSources": PRODUCTION_BESIDE,
    "RequestDefaults": json.dumps(
        {
            "source": {"max_age_hours": None},
            "budgets": {"copy_hours": 120, "delete_hours": 120, "restore_hours": 120},
        }
    ),
}
BUCKET = f"aurora-restore-lambda-code-{ACCOUNT_ID}-{TARGET_REGION}"
SCRIPT = "UPDATE public.people SET phone = NULL;\nUPDATE public.people SET seen = seen + 1;\n"


Asked = list[tuple[Case, int]]


@dataclass(frozen=True)
class Ended:
    """An execution that has ended."""

    operation_id: str
    status: str
    error: str
    cause: str


class Laboratory:
    """A local cloud with a tiny production, the deployed pipeline, and lanes."""

    def __init__(self, cloud: LocalCloud, deployment: Deployment) -> None:
        self.cloud = cloud
        cloud.aurora_control("POST", "quotas", ROOMY)
        self.world = World(cloud, deployment)
        self.world.client("s3").put_object(Bucket=BUCKET, Key="post-restore-sql/mask.sql", Body=SCRIPT.encode())
        self._operations, self._lanes = itertools.count(1), itertools.count(1)
        self.lock = threading.Lock()
        self._has_production_beside = False
        self.approver: Any = None  # in whose name people answer, once somebody does

    def new_lane(self) -> str:
        """Name a target that nobody uses yet."""
        return f"lane-{next(self._lanes):03}"

    def request(self, lane: str, **wishes: Any) -> dict[str, Any]:
        """Return a request that makes use of everything that a run can do."""
        return {
            "target": {
                "cluster_id": lane,
                "instances": {"count": 2},
                "deletion_protection": True,
                "tags": {"owner": "sweep"},
            },
            "override_deletion_protection": True,
            "keep_copies": 1,
            "keep_final_snapshots": 1,
            "post_restore_sql": [{"s3_uri": f"s3://{BUCKET}/post-restore-sql/mask.sql", "database": DATABASE}],
            "health": {"amcheck": [DATABASE]},
            "checks": [
                {"name": "no phones", "database": DATABASE, "expect": 0,
                 "sql": "SELECT count(*) FROM public.people WHERE phone IS NOT NULL"},
            ],
        } | wishes  # fmt: skip

    def new_name(self) -> str:
        """Name an execution that nobody has started yet."""
        return f"operation-{next(self._operations):05}"

    def run(self, request: dict[str, Any]) -> Ended:
        """Run an operation to its end."""
        name = self.new_name()
        self.world.start(request, name)
        return self.end_of(name)

    def ask_for(self, case: Case, operation_id: str, lane: str) -> Asked:
        """Let the faults of a case wait for their calls; return the number of each."""
        asked = []
        for one in case.faults:
            where = self.cloud.aurora_control if isinstance(one.location, RoundTrip) else self.cloud.hop_control
            asked.append((one, where("POST", "faults", one.fault(operation_id, lane))["id"]))
        return asked

    def unmet(self, asked: Asked, operation_id: str) -> list[Case]:
        """Return what of an operation's faults has not happened so far."""
        waiting = set[int]()
        if any(isinstance(one.location, RoundTrip) for one, _ in asked):
            waiting = {fault["fault_id"] for fault in self.cloud.aurora_control("GET", "faults")}
        hits: dict[int, int] = {}
        for name in {f"{operation_id}{one.location.of}" for one, _ in asked}:
            found = self.cloud.hop_control("GET", "faults", {"operation_id": name})
            hits |= {fault["fault_id"]: fault["hits"] for fault in found}
        return [
            one
            for one, number in asked
            if (number in waiting if isinstance(one.location, RoundTrip) else not hits[number])
        ]

    def forget(self, asked: Asked) -> None:
        """Wait no longer for what may happen on a lane whoever uses it: the faults at databases."""
        ids = [number for one, number in asked if isinstance(one.location, RoundTrip)]
        if ids:
            self.cloud.aurora_control("DELETE", "faults", {"ids": ids})

    def end_of(self, name: str) -> Ended:
        """Wait for the end of an execution."""
        states, arn = self.world.client("stepfunctions"), self.execution_arn(name)

        def ended() -> dict[str, Any] | None:
            answer: dict[str, Any] = states.describe_execution(executionArn=arn)
            return answer if answer["status"] != "RUNNING" else None

        execution = wait_for(ended, f"the end of {name}", seconds=RUN_SECONDS, every=0.4)
        return Ended(name, execution["status"], execution.get("error", ""), execution.get("cause", ""))

    def execution_arn(self, name: str) -> str:
        """Return the ARN of an execution of the pipeline, or of what follows a run."""
        arn = self.world.execution_arn(name)
        return arn.replace("-pipeline:", "-retirement:") if name.endswith((RETIREMENT, AFTERWARDS)) else arn

    def has_begun(self, name: str) -> bool:
        """Tell whether there is such an execution."""
        states = self.world.client("stepfunctions")
        try:
            states.describe_execution(executionArn=self.execution_arn(name))
        except states.exceptions.ExecutionDoesNotExist:
            return False
        return True

    def go_on_with_what_follows(self, name: str, time: int) -> Ended:
        """Start an execution that goes on with what follows a run and failed, as its message says."""
        again, failed = f"again-{time}-{name}", self.execution_arn(name)
        self.world.client("stepfunctions").start_execution(
            stateMachineArn=failed.replace(":execution:", ":stateMachine:").rpartition(":")[0],
            name=again,
            input=json.dumps({"operation_id": name, "wait_seconds": 0}),
        )
        return replace(self.end_of(again), operation_id=name)

    def tidy(self, lane: str) -> None:
        """Leave of a lane what a replaced target leaves: one cluster that runs, one copy, one final snapshot."""
        rds = self.world.target
        self.wake(lane)
        others = [name for name in self.world.cluster_ids() if name.startswith(f"{lane}-")]
        for name in others:
            rds.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
            for member in self.world.instances(name):
                rds.delete_db_instance(DBInstanceIdentifier=member["DBInstanceIdentifier"], SkipFinalSnapshot=True)
            rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
        for role in ("copy", "final"):
            for snapshot in self.world.snapshots(role, lane)[:-1]:
                rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot["DBClusterSnapshotIdentifier"])
        for snapshot in self.world.snapshots("source", lane, self.world.source)[:-1]:
            name = snapshot["DBClusterSnapshotIdentifier"]
            self.world.source.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
        wait_for(lambda: not set(others) & set(self.world.cluster_ids()), f"the end of {others}", seconds=60)

    def wake(self, lane: str) -> None:
        """Start a lane's cluster that was stopped."""
        if self.world.cluster(lane)["Status"] != "stopped":
            return
        self.world.target.start_db_cluster(DBClusterIdentifier=lane)

        def is_awake() -> bool:
            statuses = [item["DBInstanceStatus"] for item in self.world.instances(lane)]
            return {self.world.cluster(lane)["Status"], *statuses} == {"available"}

        wait_for(is_awake, f"the start of {lane}", seconds=60)

    def make_production_beside(self) -> None:
        """Make a production in the target's Region that has a backup, unless it is there."""
        with self.lock:
            if self._has_production_beside:
                return
            self._has_production_beside = True
            _make_production(self.cloud, PRODUCTION_BESIDE, TARGET_REGION)
            arn = {"arn": self.world.cluster(PRODUCTION_BESIDE)["DBClusterArn"]}
            self.cloud.aurora_control("POST", "automated-snapshot", arn)
            wait_for(lambda: "EarliestRestorableTime" in self.world.cluster(PRODUCTION_BESIDE), "the first backup")

    def round_trips(self, lane: str) -> list[dict[str, Any]]:
        """Return the round trips to a lane's databases so far (the journal has the newest only), without our own."""
        found = self.cloud.aurora_control("GET", "sql-journal", {"cluster": lane})
        return [item for item in found if item["application_name"] == SET_UP]

    def changes(self) -> list[ApiCall]:
        """Return every change that a function has made in RDS so far, from the journal's file."""
        lines = (self.cloud.run_dir / "aurora" / "journal.jsonl").read_text().splitlines()
        calls = (ApiCall(**json.loads(line)) for line in lines)
        return [call for call in calls if call.by_function and call.is_change]

    def failed_clusters(self) -> frozenset[str]:
        """Return the resource ids of the new clusters that gave way to the old data, as the operations' rows say."""
        pages = self.world.client("dynamodb").get_paginator("scan").paginate(
            TableName=STATE_TABLE,
            FilterExpression="attribute_exists(bring_back)",
            ProjectionExpression="bring_back.failed_resource_id",
        )  # fmt: skip
        found = (item["bring_back"]["M"]["failed_resource_id"] for page in pages for item in page["Items"])
        return frozenset(value["S"] for value in found if "S" in value)

    def uncopied_operations(self) -> frozenset[str]:
        """Name the operations whose plan needs no copy: the source is in the target's Region."""
        pages = self.world.client("dynamodb").get_paginator("scan").paginate(
            TableName=STATE_TABLE,
            FilterExpression="#plan.copy_needed = :no",
            ProjectionExpression="operation_id",
            ExpressionAttributeNames={"#plan": "plan"},
            ExpressionAttributeValues={":no": {"BOOL": False}},
        )  # fmt: skip
        return frozenset(item["operation_id"]["S"] for page in pages for item in page["Items"])

    def recorded(self, operation_id: str) -> list[dict[str, Any]]:
        """Return the invocations of an operation with their calls."""
        calls: list[dict[str, Any]] = self.cloud.hop_control("GET", "calls", {"operation_id": operation_id})
        return calls


@contextlib.contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Start a local cloud with everything in it."""
    with LocalCloud.start(speed=SPEED, wait_speed=WAIT_SPEED, shortest_wait=0.0, hop=True) as cloud:
        with ThreadPoolExecutor(1) as pool:
            production = pool.submit(_make_production, cloud, PRODUCTION, SOURCE_REGION)
            deployment = deploy(cloud, STACK_PARAMETERS)
            production.result()
        yield Laboratory(cloud, deployment)


def _make_production(cloud: LocalCloud, cluster_id: str, region: str) -> None:
    key = cloud.client("kms", region).create_key(Description=cluster_id)["KeyMetadata"]["Arn"]
    cluster = create_cluster(
        cloud, region, cluster_id, MASTER, database=DATABASE, KmsKeyId=key, DeletionProtection=True
    )
    database = postgres.database_of(cluster, DATABASE, MASTER)
    for name, login in LOGINS.items():
        postgres.query(cloud, database, f"CREATE ROLE {name} LOGIN PASSWORD '{scram_verifier(login.password)}'")
    postgres.query(
        cloud,
        database,
        "CREATE TABLE public.people AS SELECT n AS id, 'phone ' || n AS phone, 0 AS seen FROM generate_series(1, 40) n",
    )
    postgres.query(cloud, database, "GRANT ALL ON public.people TO shop_app")
    create_snapshot(cloud, region, cluster_id, f"{cluster_id}-yesterday")


class Lanes:
    """Lends lanes; each has been restored before, so that there is an old target to delete and a snapshot to prune."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._free: list[str] = []
        self._given_up: set[str] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def lent(self) -> Iterator[str]:
        """Lend a lane."""
        with self._lock:
            lane = self._free.pop() if self._free else ""
        if not lane:
            lane = self._laboratory.new_lane()
            for _ in range(WARM_UPS):
                ended = self._laboratory.run(self._laboratory.request(lane))
                assert ended.status == "SUCCEEDED", ended
        yield lane
        with self._lock:
            if lane not in self._given_up:
                self._free.append(lane)

    def give_up(self, lane: str) -> None:
        """Never lend a lane again: what is on it is not as it should be."""
        with self._lock:
            self._given_up.add(lane)


__all__ = ["SOURCE_REGION", "TARGET_REGION", "Ended", "Laboratory", "Lanes", "laboratory"]
