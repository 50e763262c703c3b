"""The state of the fake RDS: clusters, instances and snapshots of one Region in memory, and a clock that tests set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.fakes.rds_items import (
    OTHER_ACCOUNT,
    Item,
    arn_of,
    aws_error,
    need,
    new_cluster,
    new_instance,
    new_snapshot,
    tag_list,
)

CLASSES = ("db.r8g.large", "db.r8g.xlarge", "db.t4g.medium", "db.serverless")
CHANGES = ("copy", "create", "delete", "restore", "modify", "add", "start", "enable", "register")
_DESTROYING = {"delete_db_instance", "delete_db_cluster", "modify_db_cluster"}


class FakeClock:
    """RDS's clock; a `ServiceClock` for the steps."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)

    def record(self, **_: Any) -> None:
        """Take botocore's event, and ignore it: tests set this clock."""


class FakeRegion:
    """What is in one Region, and what a test says and asks about it.

    `calls` lists the calls that were made, `taken` the changes among them that RDS took; `fail` makes the next one
    fail, `refuse` every one; `forgets` names fields that no change changes. Whatever takes time stays `creating` or
    `deleting` until a test says `settle`.
    """

    def __init__(self, region: str, clock: FakeClock) -> None:
        self._region = region
        self._clock = clock
        self._failures: dict[str, ClientError] = {}
        self.refusals: dict[str, ClientError] = {}
        self.forgets: set[str] = set()
        self._made = 0
        self.calls: list[tuple[str, Item]] = []
        self.taken: list[tuple[str, Item]] = []
        self.clusters: dict[str, Item] = {}
        self.instances: dict[str, Item] = {}
        self.snapshots: dict[str, Item] = {}
        self.engine_versions = {"16.6", "17.4", "17.5"}
        self.integrations: list[Item] = []
        self.blue_green_deployments: list[Item] = []
        self.ends_of_support = {"16": datetime(2029, 2, 28, tzinfo=UTC), "17": datetime(2030, 2, 28, tzinfo=UTC)}
        self.withdrawn_versions: set[str] = set()
        self.upgrades: dict[str, list[str]] = {}
        self.subnet_groups = {"default": ["a", "b", "c"]}
        families = {f"default.aurora-postgresql{major}": f"aurora-postgresql{major}" for major in (16, 17)}
        self.cluster_parameter_groups, self.parameter_groups = dict(families), dict(families)
        self.parameters: dict[str, dict[str, str]] = {}
        self.classes = {name: ["a", "b", "c"] for name in CLASSES}
        self.storage_types, self.network_types = ["aurora", "aurora-iopt1"], ["IPV4", "DUAL"]
        # What a version and a class take, as AWS describes it.
        self.version_takes: Item = {
            "ExportableLogTypes": ["postgresql", "instance", "iam-db-auth-error"],
            "SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"],
            "SupportedFeatureNames": ["s3Import", "s3Export", "Lambda"],
            "SupportsLocalWriteForwarding": True,
            "ServerlessV2FeaturesSupport": {"MinCapacity": 0.0, "MaxCapacity": 256.0},
        }
        self.class_takes: Item = {
            "SupportsPerformanceInsights": True,
            "SupportsEnhancedMonitoring": True,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsKerberosAuthentication": True,
            "SupportedNetworkTypes": ["IPV4", "DUAL"],
        }
        self.quotas = {"DBClusters": 40, "DBInstances": 40, "ManualClusterSnapshots": 100}
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))

    @property
    def changes(self) -> list[str]:
        """The changing calls so far, by name."""
        return [name for name, _ in self.calls if name.startswith(CHANGES)]

    @property
    def destroyed(self) -> list[str]:
        """The calls so far that take something away from a cluster."""
        return [name for name in self.changes if name in _DESTROYING]

    def asked(self, operation: str) -> list[Item]:
        """The parameters of every call of one operation."""
        return [params for name, params in self.calls if name == operation]

    def fail(self, operation: str, code: str, message: str = "planned by the test") -> None:
        """Let the next call of `operation` fail."""
        self._failures[operation] = aws_error(code, message)

    def refuse(self, operation: str, code: str, message: str) -> None:
        """Let every call of `operation` fail."""
        self.refusals[operation] = aws_error(code, message)

    def hide(self, kind: dict[str, Item], identifier: str) -> Callable[[], None]:
        """Let RDS not show what is there, as it may right after a change; call the answer to show it again."""
        hidden = kind.pop(identifier)
        return lambda: kind.update({identifier: hidden})

    def settle(self) -> None:
        """Let everything that takes time come to its end."""
        for kind, status in (
            (self.clusters, "Status"),
            (self.instances, "DBInstanceStatus"),
            (self.snapshots, "Status"),
        ):
            for identifier, item in list(kind.items()):
                if item[status] == "deleting":
                    del kind[identifier]
                elif item[status] in {"creating", "copying", "starting", "resetting-master-credentials"}:
                    item[status] = "available"
                if "MasterUserSecret" in item and item[status] == "available":
                    item["MasterUserSecret"]["SecretStatus"] = "active"
        self._publish_endpoints()

    def has_cluster(
        self, identifier: str, *, members: int = 1, tags: dict[str, str] | None = None, **other: Any
    ) -> Item:
        """Let a cluster be there, with instances, all available."""
        cluster = self._new_cluster(identifier) | {"Status": "available", "TagList": tag_list(tags or {})} | other
        self.clusters[identifier] = cluster
        for number in range(1, members + 1):
            self.has_instance(f"{identifier}-{number}", identifier, tags=tags)
        return cluster

    def has_instance(
        self, identifier: str, cluster_id: str, *, tags: dict[str, str] | None = None, **other: Any
    ) -> Item:
        """Let an instance be there, available."""
        self.instances[identifier] = new_instance(identifier, cluster_id) | {"TagList": tag_list(tags or {})} | other
        self._publish_endpoints()
        return self.instances[identifier]

    def has_snapshot(
        self,
        identifier: str,
        of: str = "prod",
        *,
        hours_old: float = 1,
        tags: dict[str, str] | None = None,
        **other: Any,
    ) -> Item:
        """Let a snapshot be there, available."""
        created_at = self._clock.now() - timedelta(hours=hours_old)
        snapshot = new_snapshot(self._region, identifier, of, created_at) | {"TagList": tag_list(tags or {})}
        if of in self.clusters:
            snapshot["DbClusterResourceId"] = self.clusters[of]["DbClusterResourceId"]
        snapshot |= other
        self.snapshots[identifier] = snapshot
        return snapshot

    def _enter(self, operation: str, params: Item) -> None:
        self.calls.append((operation, params))
        failure = self._failures.pop(operation, None) or self.refusals.get(operation)
        if failure is not None:
            raise failure

    def _new_cluster(self, identifier: str) -> Item:
        self._made += 1
        return new_cluster(self._region, identifier, self._made)

    def _publish_endpoints(self) -> None:
        for identifier, cluster in self.clusters.items():
            members = self._members(identifier)
            names = [member["DBInstanceIdentifier"] for member in members]
            was = [
                item["DBInstanceIdentifier"]
                for item in cluster.get("DBClusterMembers", [])
                if item.get("IsClusterWriter")
            ]
            # The first instance of a cluster is its writer until it goes.
            writer = next((name for name in [*was, *names] if name in names), None)
            cluster["DBClusterMembers"] = [
                {"DBInstanceIdentifier": name, "IsClusterWriter": name == writer} for name in names
            ]
            if any(member["DBInstanceStatus"] == "available" for member in members):
                cluster["Endpoint"] = f"{identifier}.cluster-x.{self._region}.rds.amazonaws.com"

    def _cluster(self, identifier: str) -> Item:
        need(identifier in self.clusters, "DBClusterNotFoundFault")
        return self.clusters[identifier]

    def _instance(self, identifier: str) -> Item:
        need(identifier in self.instances, "DBInstanceNotFound")
        return self.instances[identifier]

    def _members(self, cluster_id: str) -> list[Item]:
        return [found for found in self.instances.values() if found["DBClusterIdentifier"] == cluster_id]

    def _snapshot(self, wanted: str, snapshot_type: str | None) -> Item:
        for identifier, snapshot in self.snapshots.items():
            # AWS finds an automated snapshot by name only when its type is given.
            visible = snapshot["SnapshotType"] != "automated" or snapshot_type == "automated"
            if wanted in {identifier, arn_of(snapshot)} and visible:
                return snapshot
        raise aws_error("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot not found: {wanted}")

    @staticmethod
    def _is_listed(snapshot: Item, params: Item) -> bool:
        shared = f":{OTHER_ACCOUNT}:" in arn_of(snapshot)
        if params.get("SnapshotType") == "shared":
            return shared
        kinds = {params["SnapshotType"]} if "SnapshotType" in params else {"automated", "manual"}
        cluster_id = params.get("DBClusterIdentifier", snapshot["DBClusterIdentifier"])
        return not shared and snapshot["SnapshotType"] in kinds and snapshot["DBClusterIdentifier"] == cluster_id
