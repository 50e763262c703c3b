"""Clusters and snapshots that are there for a while, in the RDS of one Region."""

from typing import Any, Protocol

from botocore.exceptions import ClientError

from deployment.account import error_code
from deployment.throwaway.waiting import NotReached

ENGINE = "aurora-postgresql"
SERVERLESS = "db.serverless"
SMALLEST = {"MinCapacity": 0.5, "MaxCapacity": 1.0}
_GONE = ("DBClusterNotFoundFault", "DBInstanceNotFound", "DBClusterSnapshotNotFoundFault")
_BUSY = ("InvalidDBInstanceState", "InvalidDBClusterSnapshotStateFault")


class Until(Protocol):
    """Waits, as `deployment.throwaway.waiting.until` does."""

    def __call__(self, look: Any, what: str, *, minutes: float) -> Any: ...  # noqa: D102


class Clusters:
    """Looks at clusters and snapshots, waits for them, and removes them in whatever state they are."""

    def __init__(self, rds: Any, until: Until) -> None:
        self.rds, self.until = rds, until

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

        self.until(look, f"{cluster} to be available", minutes=minutes)

    def instance_available(self, instance: str) -> None:
        """Wait until an instance is available."""
        self.until(
            lambda: self.described_instance(instance)["DBInstanceStatus"] == "available",
            f"{instance} to be available",
            minutes=30,
        )

    def snapshot_available(self, snapshot: str) -> None:
        """Wait until a snapshot is available."""
        self.until(
            lambda: self.described_snapshot(snapshot)["Status"] == "available",
            f"{snapshot} to be available",
            minutes=30,
        )

    def status(self, cluster: str) -> str:
        """Return a cluster's status, `gone` if there is none of the name."""
        try:
            return str(self.described(cluster)["Status"])
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return "gone"

    def remove_cluster(self, name: str) -> None:
        """Delete a cluster and its instances without a final snapshot, in whatever state it is left."""
        if (status := self.until(lambda: self._settled(name), f"{name} to settle", minutes=45)) == "gone":
            return
        if status == "stopped":
            self.rds.start_db_cluster(DBClusterIdentifier=name)
            self.available(name)
        found = self.described(name)
        if found.get("DeletionProtection"):
            self.rds.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
        for member in found["DBClusterMembers"]:
            self._remove_when_made(
                self.rds.delete_db_instance,
                DBInstanceIdentifier=member["DBInstanceIdentifier"],
                SkipFinalSnapshot=True,
            )
        self._unless_gone(self.rds.delete_db_cluster, DBClusterIdentifier=name, SkipFinalSnapshot=True)

    def remove_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        self._remove_when_made(self.rds.delete_db_cluster_snapshot, DBClusterSnapshotIdentifier=name)

    def gone(self, cluster: str) -> None:
        """Wait until there is no cluster of a name."""
        self.until(lambda: self.status(cluster) == "gone", f"{cluster} to be gone", minutes=30)

    def _settled(self, name: str) -> str:
        status = self.status(name)
        if status.startswith(("inaccessible", "incompatible")) or "fail" in status:
            raise NotReached(f"{name} is {status}: delete it in the console")
        return status if status in ("available", "stopped", "gone") else ""

    def _remove_when_made(self, call: Any, **request: object) -> None:
        """Delete what may still be in the making, as after Ctrl-C, which RDS refuses until it is made."""

        def asked() -> bool:
            try:
                self._unless_gone(call, **request)
            except ClientError as error:
                if error_code(error) not in _BUSY:
                    raise
                return False
            return True

        self.until(asked, f"RDS to take the deletion of {next(iter(request.values()))}", minutes=30)

    @staticmethod
    def _unless_gone(call: Any, **request: object) -> None:
        try:
            call(**request)
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
