"""The clusters and snapshots of a run, made when the first question needs them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from deployment.throwaway.clusters import ENGINE, SERVERLESS, SMALLEST, Clusters

if TYPE_CHECKING:
    from tests.conformance.bench import Bench

MASTER, PASSWORD = "conformance", "not-a-secret-of-anything"


class Aurora(Clusters):
    """Makes clusters and snapshots in the default VPC."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.client("rds"), bench.until)
        self._bench = bench

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
            DBInstanceClass=SERVERLESS,
            Engine=ENGINE,
            Tags=self._bench.tags,
        )
        self.instance_available(name)
        self.available(cluster)
        return name

    def remove_cluster_at_the_end(self, name: str) -> None:
        """Note that a cluster, and its instances of that time, are to be deleted."""
        self._bench.remove_at_the_end(f"cluster {name}", lambda: self.remove_cluster(name))

    def remove_snapshot_at_the_end(self, name: str) -> None:
        """Note that a snapshot is to be deleted."""
        self._bench.remove_at_the_end(f"snapshot {name}", lambda: self.remove_snapshot(name))
