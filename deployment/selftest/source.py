"""The throwaway source: a cluster of its own in the source Region, filled through the Data API."""

from typing import Any

from deployment.selftest.content import DATABASE, MASTER, after_the_snapshot, statements
from deployment.selftest.setting import Setting
from deployment.throwaway.clusters import ENGINE, SERVERLESS, SMALLEST, Clusters
from deployment.throwaway.removals import Removals
from deployment.throwaway.waiting import until


class Source:
    """Makes the source; what it makes is noted to be removed before it is made."""

    def __init__(self, setting: Setting, removals: Removals) -> None:
        self._setting, self._removals = setting, removals
        self.clusters = Clusters(setting.source.client("rds"), until)

    def make(self) -> str:
        """Make the cluster with one instance; return what was made, in words."""
        name, subnets = self._setting.cluster, self._setting.subnet_group
        self._removals.note(f"cluster {name} and its secret", self._remove)
        self.clusters.rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine=ENGINE,
            EngineVersion=self._setting.engine_version,
            DatabaseName=DATABASE,
            MasterUsername=MASTER,
            ManageMasterUserPassword=True,
            EnableHttpEndpoint=True,
            ServerlessV2ScalingConfiguration=SMALLEST,
            StorageEncrypted=True,
            BackupRetentionPeriod=1,
            Tags=self._setting.tags,
            **({"DBSubnetGroupName": subnets} if subnets else {}),
        )
        self.clusters.available(name)
        instance = f"{name}-1"
        self.clusters.rds.create_db_instance(
            DBInstanceIdentifier=instance,
            DBClusterIdentifier=name,
            DBInstanceClass=SERVERLESS,
            Engine=ENGINE,
            PubliclyAccessible=False,
            Tags=self._setting.tags,
        )
        self.clusters.instance_available(instance)
        self.clusters.available(name)
        return f"{name} in {self._setting.source.region}, Aurora PostgreSQL {self._setting.engine_version}"

    def fill(self) -> str:
        """Write data and logins; return what was written, in words."""
        found = until(self._ready, "the master's secret and the Data API", minutes=15)
        for statement in statements():
            self._execute(found, statement)
        return f"{len(statements())} statements through the Data API"

    def take_snapshot(self) -> str:
        """Take the snapshot, and write a row that is not in it; return its name."""
        name = self._setting.snapshot
        self._removals.note(f"snapshot {name}", lambda: self.clusters.remove_snapshot(name))
        self.clusters.rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier=self._setting.cluster, Tags=self._setting.tags
        )
        self.clusters.snapshot_available(name)
        self._execute(self._ready(), after_the_snapshot())
        return name

    def _ready(self) -> dict[str, Any] | None:
        found = self.clusters.described(self._setting.cluster)
        secret = found.get("MasterUserSecret", {})
        return found if found["HttpEndpointEnabled"] and secret.get("SecretStatus") == "active" else None

    def _execute(self, cluster: dict[str, Any] | None, sql: str) -> None:
        found = cluster or self.clusters.described(self._setting.cluster)
        self._setting.source.client("rds-data").execute_statement(
            resourceArn=found["DBClusterArn"],
            secretArn=found["MasterUserSecret"]["SecretArn"],
            database=DATABASE,
            sql=sql,
        )

    def _remove(self) -> None:
        self.clusters.remove_cluster(self._setting.cluster)
        self.clusters.gone(self._setting.cluster)
