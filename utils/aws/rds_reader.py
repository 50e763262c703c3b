"""What RDS in one Region says, without changing anything."""

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import SecretStr

from utils.aws.calls import aws_call, error_code
from utils.aws.rds_models import (
    Cluster,
    Instance,
    Snapshot,
    cluster_from_api,
    instance_from_api,
    snapshot_from_api,
)
from utils.tags import Ownership

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient
    from mypy_boto3_rds.type_defs import DBClusterSnapshotTypeDef, DBClusterTypeDef, DBInstanceTypeDef

ENGINE = "aurora-postgresql"


class RdsReader:
    """The describing calls of RDS in one Region; every method raises the errors of `utils.errors` only."""

    def __init__(self, client: "RDSClient", ownership: Ownership | None = None) -> None:
        self._client = client
        self._ownership = ownership or Ownership()

    def _cluster(self, raw: "DBClusterTypeDef") -> Cluster:
        found = cluster_from_api(raw)
        return replace(found, tags=self._ownership.read(found.tags))

    def _instance(self, raw: "DBInstanceTypeDef") -> Instance:
        found = instance_from_api(raw)
        return replace(found, tags=self._ownership.read(found.tags))

    def _snapshot(self, raw: "DBClusterSnapshotTypeDef") -> Snapshot:
        found = snapshot_from_api(raw)
        return replace(found, tags=self._ownership.read(found.tags))

    def find_cluster(self, cluster_id: str) -> Cluster | None:
        """Describe a cluster; None when there is none."""
        with aws_call("rds:DescribeDBClusters"):
            try:
                answer = self._client.describe_db_clusters(DBClusterIdentifier=cluster_id)
            except ClientError as error:
                if error_code(error) == "DBClusterNotFoundFault":
                    return None
                raise
        found = [self._cluster(raw) for raw in answer["DBClusters"]]
        # Right after a rename or delete RDS may answer with another cluster than the one asked for.
        return next((cluster for cluster in found if cluster.identifier == cluster_id), None)

    def clone_group(self, group_id: str | None) -> list[str]:
        """Name the clusters that share their storage as clones of each other; nobody shares without a group."""
        if group_id is None:
            return []
        with aws_call("rds:DescribeDBClusters"):
            pages = self._client.get_paginator("describe_db_clusters").paginate(
                Filters=[{"Name": "clone-group-id", "Values": [group_id]}]
            )
            return [raw["DBClusterIdentifier"] for page in pages for raw in page["DBClusters"]]

    def clusters(self) -> list[Cluster]:
        """Describe every cluster of Aurora PostgreSQL of this account and Region."""
        with aws_call("rds:DescribeDBClusters"):
            pages = self._client.get_paginator("describe_db_clusters").paginate()
            return [self._cluster(raw) for page in pages for raw in page["DBClusters"] if raw["Engine"] == ENGINE]

    def find_instance(self, instance_id: str) -> Instance | None:
        """Describe an instance; None when there is none."""
        with aws_call("rds:DescribeDBInstances"):
            try:
                answer = self._client.describe_db_instances(DBInstanceIdentifier=instance_id)
            except ClientError as error:
                if error_code(error) == "DBInstanceNotFound":
                    return None
                raise
        found = [self._instance(raw) for raw in answer["DBInstances"]]
        return next((instance for instance in found if instance.identifier == instance_id), None)

    def instances_of(self, cluster_id: str) -> list[Instance]:
        """Describe every instance that is a member of the cluster."""
        with aws_call("rds:DescribeDBInstances"):
            pages = self._client.get_paginator("describe_db_instances").paginate(
                Filters=[{"Name": "db-cluster-id", "Values": [cluster_id]}]
            )
            try:
                return [self._instance(raw) for page in pages for raw in page["DBInstances"]]
            except ClientError as error:
                # The filter refuses a cluster that does not exist (any more).
                if error_code(error) == "DBClusterNotFoundFault":
                    return []
                raise

    def find_snapshot(self, identifier: str) -> Snapshot | None:
        """Describe a snapshot by identifier or ARN; None when there is none."""
        automated = identifier.rsplit("cluster-snapshot:", 1)[-1].startswith("rds:")
        with aws_call("rds:DescribeDBClusterSnapshots"):
            try:
                # RDS finds an automated snapshot by name only when its type is given too.
                answer = (
                    self._client.describe_db_cluster_snapshots(
                        DBClusterSnapshotIdentifier=identifier, SnapshotType="automated"
                    )
                    if automated
                    else self._client.describe_db_cluster_snapshots(
                        DBClusterSnapshotIdentifier=identifier, IncludeShared=True
                    )
                )
            except ClientError as error:
                if error_code(error) == "DBClusterSnapshotNotFoundFault":
                    return None
                raise
        return next((self._snapshot(raw) for raw in answer["DBClusterSnapshots"]), None)

    def snapshots_of(self, cluster_id: str) -> list[Snapshot]:
        """Describe the automated and manual snapshots of a cluster of this account."""
        with aws_call("rds:DescribeDBClusterSnapshots"):
            pages = self._client.get_paginator("describe_db_cluster_snapshots").paginate(DBClusterIdentifier=cluster_id)
            return [self._snapshot(raw) for page in pages for raw in page["DBClusterSnapshots"]]

    def shared_snapshots(self) -> list[Snapshot]:
        """Describe the snapshots that other accounts share with this one (RDS cannot filter these by cluster)."""
        return self._snapshots_of_type("shared")

    def manual_snapshots(self) -> list[Snapshot]:
        """Describe every manual snapshot of this account and Region."""
        return self._snapshots_of_type("manual")

    def _snapshots_of_type(self, snapshot_type: str) -> list[Snapshot]:
        with aws_call("rds:DescribeDBClusterSnapshots"):
            pages = self._client.get_paginator("describe_db_cluster_snapshots").paginate(SnapshotType=snapshot_type)
            return [self._snapshot(raw) for page in pages for raw in page["DBClusterSnapshots"]]

    def login_token(self, host: str, port: int, user: str) -> SecretStr:
        """Sign a token with which a user of IAM database authentication logs in; no call, good for 15 minutes."""
        with aws_call("rds:GenerateDbAuthToken"):
            return SecretStr(self._client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user))
