"""Renames of the fake RDS: they take time, a name is free once they are over, and an instance restarts for its own."""

from typing import Any

from tests.fakes.rds_items import Item, aws_error, need
from tests.fakes.rds_region import FakeRegion

_NEW = "new name"


class FakeRenames(FakeRegion):
    """The calls of a swap, beside those of a restore."""

    def rename_cluster(self, params: Item) -> None:
        """Begin what ModifyDBCluster with another name begins."""
        cluster = self._cluster(params["DBClusterIdentifier"])
        need(params["NewDBClusterIdentifier"] not in self.clusters, "DBClusterAlreadyExistsFault")
        need(cluster["Status"] == "available", "InvalidDBClusterStateFault")
        cluster |= {"Status": "renaming", _NEW: params["NewDBClusterIdentifier"]}

    def modify_db_instance(self, **params: Any) -> Item:
        self._enter("modify_db_instance", params)
        instance = self._instance(params["DBInstanceIdentifier"])
        need(params["NewDBInstanceIdentifier"] not in self.instances, "DBInstanceAlreadyExists")
        need(instance["DBInstanceStatus"] == "available", "InvalidDBInstanceState")
        instance |= {"DBInstanceStatus": "renaming", _NEW: params["NewDBInstanceIdentifier"]}
        return {}

    def stop_db_cluster(self, **params: Any) -> Item:
        self._enter("stop_db_cluster", params)
        cluster = self._cluster(params["DBClusterIdentifier"])
        need(cluster["Status"] == "available", "InvalidDBClusterStateFault")
        cluster["Status"] = "stopping"
        return {}

    def settle(self) -> None:
        """Let renames and stops come to their end as well."""
        for old, cluster in list(self.clusters.items()):
            if _NEW in cluster:
                new = cluster.pop(_NEW)
                if new in self.clusters:
                    raise aws_error("DBClusterAlreadyExistsFault", new)
                for member in self._members(old):
                    member["DBClusterIdentifier"] = new
                arn = cluster["DBClusterArn"].rpartition(":")[0]
                cluster |= {"Status": "available", "DBClusterIdentifier": new, "DBClusterArn": f"{arn}:{new}"}
                self.clusters[new] = self.clusters.pop(old)
            elif cluster["Status"] == "stopping":
                cluster["Status"] = "stopped"
        for old, instance in list(self.instances.items()):
            if _NEW in instance:
                new = instance.pop(_NEW)
                instance |= {"DBInstanceStatus": "available", "DBInstanceIdentifier": new}
                self.instances[new] = self.instances.pop(old)
        super().settle()
