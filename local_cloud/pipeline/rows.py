"""The row of an operation in the state table, and how far RDS is with what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from local_cloud.regions import TARGET_REGION

TABLE = "aurora-restore-state"
_COPYING = ("Copy Snapshot", "Wait for Copy", "Check Copy Status")
_DELETING = ("Delete RDS", "Wait for Delete", "Check Delete Status")
_RESTORING = ("Restore Snapshot", "Wait for Restore", "Check Restore Status")


def find_row(cloud: LocalCloud, operation_id: str) -> dict[str, Any] | None:
    """Return the row of an operation, None before its plan is made."""
    answer = cloud.client("dynamodb").get_item(TableName=TABLE, Key={"operation_id": {"S": operation_id}})
    item = answer.get("Item")
    return {key: TypeDeserializer().deserialize(value) for key, value in item.items()} if item else None


def how_far(cloud: LocalCloud, row: Mapping[str, Any] | None, state: str) -> str:
    """Return what RDS tells about the phase that a state belongs to, such as `62 %`; empty if it tells nothing."""
    if row is None:
        return ""
    if state in _COPYING:
        return f"{int(row['copy']['percent'])} %" if row.get("copy") else ""
    if state in _DELETING:
        return _final_snapshot(cloud, row) or _target(cloud, row)
    return _target(cloud, row) if state in _RESTORING else ""


def _final_snapshot(cloud: LocalCloud, row: Mapping[str, Any]) -> str:
    """Return how far the final snapshot is, empty once it is there."""
    rds, name = cloud.client("rds", TARGET_REGION), str(row["identifiers"]["final_snapshot_id"])
    try:
        [snapshot] = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"]
    except ClientError:  # not asked for yet, or not wanted
        return ""
    return "" if snapshot["Status"] == "available" else f"final snapshot {snapshot['PercentProgress']} %"


def _target(cloud: LocalCloud, row: Mapping[str, Any]) -> str:
    rds, name = cloud.client("rds", TARGET_REGION), str(row["identifiers"]["target_cluster_id"])
    filters = [{"Name": "db-cluster-id", "Values": [name]}]
    clusters = rds.describe_db_clusters(Filters=filters)["DBClusters"]
    if not clusters:
        return f"{name} is gone"
    instances = rds.describe_db_instances(Filters=filters)["DBInstances"]
    ready = sum(instance["DBInstanceStatus"] == "available" for instance in instances)
    of_all = f", {ready} of {len(instances)} instances available" if instances else ""
    return f"{name} {clusters[0]['Status']}{of_all}"
