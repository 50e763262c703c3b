"""The clusters and snapshots of a run, made when the first question needs them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.conformance.stated import NotAsStated

if TYPE_CHECKING:
    from tests.conformance.bench import Bench

ENGINE = "aurora-postgresql"
SMALLEST = {"MinCapacity": 0.5, "MaxCapacity": 1.0}
MASTER, PASSWORD = "conformance", "not-a-secret-of-anything"
_GONE = ("DBClusterNotFoundFault", "DBInstanceNotFound", "DBClusterSnapshotNotFoundFault")


class Aurora:
    """Makes clusters and snapshots in the default VPC."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @property
    def rds(self) -> Any:
        """The client."""
        return self._bench.client("rds")

    @cached_property
    def version(self) -> str:
        """The Region's default version of Aurora PostgreSQL."""
        found = self.rds.describe_db_engine_versions(Engine=ENGINE, DefaultOnly=True)["DBEngineVersions"]
        return str(found[0]["EngineVersion"])

    @cached_property
    def cluster(self) -> str:
        """A cluster with one instance of Serverless v2, both available, that no question changes for good."""
        name = self.new_cluster()
        self.add_instance(name)
        return name

    @cached_property
    def writer(self) -> str:
        """The instance of `cluster`."""
        return str(self.described(self.cluster)["DBClusterMembers"][0]["DBInstanceIdentifier"])

    @cached_property
    def snapshot(self) -> str:
        """A manual snapshot of `cluster`, available."""
        name = self._bench.name("snapshot")
        self.rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier=self.cluster, Tags=self._bench.tags
        )
        self.remove_snapshot_at_the_end(name)
        self.snapshot_available(name)
        return name

    @cached_property
    def restored(self) -> str:
        """A cluster restored from `snapshot` with nothing but what a restore must be told, available."""
        return self.restore(self._bench.name("restored"), EngineVersion=self.described(self.cluster)["EngineVersion"])

    def new_cluster(self, **settings: Any) -> str:
        """Make a cluster without instances, and wait until it is available."""
        name = self._bench.name("cluster")
        wanted = {
            "Engine": ENGINE,
            "EngineVersion": self.version,
            "MasterUsername": MASTER,
            "MasterUserPassword": PASSWORD,
            "ServerlessV2ScalingConfiguration": SMALLEST,
            "BackupRetentionPeriod": 1,
        }
        self.rds.create_db_cluster(DBClusterIdentifier=name, Tags=self._bench.tags, **(wanted | settings))
        self.remove_cluster_at_the_end(name)
        self.available(name)
        return name

    def restore(self, name: str, **settings: Any) -> str:
        """Restore `snapshot` as a cluster of a name, and wait until it is available."""
        self.rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name,
            SnapshotIdentifier=self.snapshot,
            Engine=ENGINE,
            Tags=self._bench.tags,
            **settings,
        )
        self.remove_cluster_at_the_end(name)
        self.available(name)
        return name

    def add_instance(self, cluster: str) -> str:
        """Add an instance of Serverless v2, and wait until it and its cluster are available."""
        name = self._bench.name("instance")
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=cluster,
            DBInstanceClass="db.serverless",
            Engine=ENGINE,
            Tags=self._bench.tags,
        )
        self.instance_available(name)
        self.available(cluster)
        return name

    def described(self, cluster: str) -> dict[str, Any]:
        """Return a cluster as RDS describes it."""
        answer: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
        return answer

    def described_instance(self, instance: str) -> dict[str, Any]:
        """Return an instance as RDS describes it."""
        answer: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
        return answer

    def described_snapshot(self, snapshot: str) -> dict[str, Any]:
        """Return a snapshot as RDS describes it."""
        found = self.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=snapshot)
        answer: dict[str, Any] = found["DBClusterSnapshots"][0]
        return answer

    def available(self, cluster: str, *, minutes: float = 45) -> None:
        """Wait until a cluster is available and has nothing pending."""

        def look() -> bool:
            found = self.described(cluster)
            return found["Status"] == "available" and not found.get("PendingModifiedValues")

        self._bench.until(look, f"{cluster} to be available", minutes=minutes)

    def instance_available(self, instance: str) -> None:
        """Wait until an instance is available."""
        self._bench.until(
            lambda: self.described_instance(instance)["DBInstanceStatus"] == "available",
            f"{instance} to be available",
            minutes=30,
        )

    def snapshot_available(self, snapshot: str) -> None:
        """Wait until a snapshot is available."""
        self._bench.until(
            lambda: self.described_snapshot(snapshot)["Status"] == "available",
            f"{snapshot} to be available",
            minutes=30,
        )

    def status(self, cluster: str) -> str:
        """Return a cluster's status, `gone` if there is none of the name."""
        try:
            return str(self.described(cluster)["Status"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return "gone"

    def remove_cluster_at_the_end(self, name: str) -> None:
        """Note that a cluster, and its instances of that time, are to be deleted."""
        self._bench.remove_at_the_end(f"cluster {name}", lambda: self.remove_cluster(name))

    def remove_snapshot_at_the_end(self, name: str) -> None:
        """Note that a snapshot is to be deleted."""
        self._bench.remove_at_the_end(f"snapshot {name}", lambda: self.remove_snapshot(name))

    def remove_cluster(self, name: str) -> None:
        """Delete a cluster of this run and its instances without a final snapshot, in whatever state it is left."""
        if (status := self._bench.until(lambda: self._settled(name), f"{name} to settle", minutes=45)) == "gone":
            return
        if status == "stopped":
            self.rds.start_db_cluster(DBClusterIdentifier=name)
            self.available(name)
        found = self.described(name)
        if found.get("DeletionProtection"):
            self.rds.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
        for member in found["DBClusterMembers"]:
            self._unless_gone(
                self.rds.delete_db_instance,
                DBInstanceIdentifier=member["DBInstanceIdentifier"],
                SkipFinalSnapshot=True,
            )
        self._unless_gone(self.rds.delete_db_cluster, DBClusterIdentifier=name, SkipFinalSnapshot=True)

    def remove_snapshot(self, name: str) -> None:
        """Delete a snapshot of this run."""
        self._unless_gone(self.rds.delete_db_cluster_snapshot, DBClusterSnapshotIdentifier=name)

    def gone(self, cluster: str) -> None:
        """Wait until there is no cluster of a name."""
        self._bench.until(lambda: self.status(cluster) == "gone", f"{cluster} to be gone", minutes=30)

    def _settled(self, name: str) -> str:
        status = self.status(name)
        if status.startswith(("inaccessible", "incompatible")) or "fail" in status:
            raise NotAsStated(f"{name} is {status}: delete it in the console")
        return status if status in ("available", "stopped", "gone") else ""

    @staticmethod
    def _unless_gone(call: Any, **request: object) -> None:
        try:
            call(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
