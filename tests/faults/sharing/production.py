"""Production in an account of its own, with what infrastructure/source-account.yaml makes beside it, and its nights."""

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID, OTHER_ACCOUNT_ID
from local_cloud.pipeline.aurora_clusters import ENGINE
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.outcome import ApiCall
from tests.waiting import wait_for
from tooling.environments import REPOSITORY

# A copy takes half a second, and a day half a minute: no night meets the next one's backup. Tries come again at once.
SPEED, WAIT_SPEED, SHORTEST_WAIT = 2_500.0, 5_000.0, 0.25
CLUSTER, STACK = "production", "aurora-restore-source"
SHARED = "aurora-restore-shared-"
# A person's: one shared by hand under our prefix, one with a name of its own; neither bears our tags.
BY_HAND, OF_A_PERSON = f"{SHARED}{CLUSTER}", f"{CLUSTER}-before-the-release"
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


@dataclass(frozen=True, kw_only=True)
class Night:
    """How an execution of the sharing state machine ended, and the calls of RDS that it made."""

    status: str
    error: str
    cause: str
    output: dict[str, Any]
    calls: Sequence[ApiCall]


class Production:
    """The account that owns production: its cluster, its snapshots, its sharing state machine."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.rds, self.states = self._client("rds"), self._client("stepfunctions")
        self._numbers = itertools.count(1)
        key = self._client("kms").create_key(Description=CLUSTER)["KeyMetadata"]["Arn"]
        self.outputs = self._deploy({"SourceClusterId": CLUSTER, "SourceKeyArn": key, "KeepShared": "1"})
        self.rds.create_db_cluster(
            DBClusterIdentifier=CLUSTER, Engine=ENGINE, MasterUsername="shop_master", MasterUserPassword="not-asked-4",
            StorageEncrypted=True, KmsKeyId=key, DeletionProtection=True,
        )  # fmt: skip
        wait_for(lambda: self.cluster["Status"] == "available", CLUSTER)
        for name in (BY_HAND, OF_A_PERSON):
            self.rds.create_db_cluster_snapshot(DBClusterIdentifier=CLUSTER, DBClusterSnapshotIdentifier=name)
            wait_for(partial(self._is_available, name), name)
        self.cloud.aurora_control("POST", "nightly-backups", {"arn": self.cluster["DBClusterArn"]})

    def _client(self, service: str) -> Any:
        return self.cloud.client(service, SOURCE_REGION, OTHER_ACCOUNT_ID)

    @property
    def cluster(self) -> dict[str, Any]:
        """Describe the cluster."""
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
        return found

    def back_up(self) -> str:
        """Let the rest of the day go by until RDS has taken its automated snapshot; return its ARN."""
        before, window = set(self._statuses("automated")), self.cluster["PreferredBackupWindow"]
        now = datetime.fromisoformat(self.cloud.aurora_control("GET", "clock")["now"])
        hour, minute = map(int, window.partition("-")[0].split(":"))
        rest = now.replace(hour=hour, minute=minute, second=0, microsecond=0) - now
        self.cloud.aurora_control("POST", "clock", {"skip": rest.total_seconds() % timedelta(days=1).total_seconds()})
        taken = wait_for(
            lambda: [
                name for name, status in self._statuses("automated").items()
                if name not in before and status == "available"
            ],
            "tonight's automated snapshot",
            every=0.1,
        )  # fmt: skip
        return f"arn:aws:rds:{SOURCE_REGION}:{OTHER_ACCOUNT_ID}:cluster-snapshot:{max(taken)}"

    def start(self) -> str:
        """Start the state machine as its schedule does; return the execution's ARN."""
        name = f"night-{next(self._numbers):04}"
        machine = self.outputs["SharingStateMachineArn"]
        return str(self.states.start_execution(stateMachineArn=machine, name=name)["executionArn"])

    def stop(self, execution_arn: str) -> None:
        """Stop an execution, as a person may."""
        self.states.stop_execution(executionArn=execution_arn, cause="enough")

    def night(self, execution_arn: str = "", since: int | None = None) -> Night:
        """Wait for the end of an execution, of a new one if none is named."""
        since = self.calls_so_far() if since is None else since
        arn = execution_arn or self.start()

        def ended() -> dict[str, Any] | None:
            answer: dict[str, Any] = self.states.describe_execution(executionArn=arn)
            return answer if answer["status"] in ENDED else None

        found = wait_for(ended, f"the end of {arn}", every=0.1)
        return Night(
            status=found["status"],
            error=found.get("error", ""),
            cause=found.get("cause", ""),
            output=json.loads(found.get("output", "{}")),
            calls=self.calls(since),
        )

    def calls_so_far(self) -> int:
        """Count the calls of RDS so far, anybody's."""
        return len(self.cloud.aurora_control("GET", "journal"))

    def calls(self, since: int) -> list[ApiCall]:
        """Return the sharing state machine's calls of RDS after the first so many of anybody."""
        found = self.cloud.aurora_control("GET", "journal", {"since": since})
        return [ApiCall(**item) for item in found if f"/aurora-restore-sharing-{SOURCE_REGION}/" in item["caller"]]

    @contextlib.contextmanager
    def fault(self, fault: dict[str, Any]) -> Iterator[None]:
        """Let a fault wait for its call, or meet all of them, while the context lasts."""
        self.cloud.aurora_control("POST", "faults", fault)
        try:
            yield
        finally:
            self.cloud.aurora_control("DELETE", "faults")
            self.cloud.aurora_control("POST", "release", {})

    def snapshots(self) -> dict[str, list[str]]:
        """Return the manual snapshots with the accounts that may restore each."""
        return {name: self._may_restore(name) for name in sorted(self._statuses("manual"))}

    def _is_available(self, name: str) -> bool:
        return self._statuses("manual").get(name) == "available"

    def _statuses(self, kind: str) -> dict[str, str]:
        found = self.rds.describe_db_cluster_snapshots(DBClusterIdentifier=CLUSTER, SnapshotType=kind)
        return {item["DBClusterSnapshotIdentifier"]: item["Status"] for item in found["DBClusterSnapshots"]}

    def _may_restore(self, name: str) -> list[str]:
        answer = self.rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
        attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
        return [value for attribute in attributes for value in attribute["AttributeValues"]]

    def _deploy(self, given: dict[str, str]) -> dict[str, str]:
        parameters = {
            "TargetAccountId": ACCOUNT_ID,
            "TargetRegion": TARGET_REGION,
            "ScheduleState": "DISABLED",
            **given,
        }
        stacks = self._client("cloudformation")
        stacks.create_stack(
            StackName=STACK,
            TemplateBody=(REPOSITORY / "infrastructure/source-account.yaml").read_text(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

        def stack() -> dict[str, Any]:
            found: dict[str, Any] = stacks.describe_stacks(StackName=STACK)["Stacks"][0]
            return found

        wait_for(lambda: stack()["StackStatus"] != "CREATE_IN_PROGRESS", STACK)
        assert stack()["StackStatus"] == "CREATE_COMPLETE", stack()
        return {output["OutputKey"]: output["OutputValue"] for output in stack()["Outputs"]}


@contextlib.contextmanager
def production() -> Iterator[Production]:
    """Start a local cloud with production's account alone in it."""
    with LocalCloud.start(speed=SPEED, wait_speed=WAIT_SPEED, shortest_wait=SHORTEST_WAIT) as cloud:
        yield Production(cloud)
