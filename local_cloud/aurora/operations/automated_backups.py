"""DescribeDBClusterAutomatedBackups."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.operations.paging import page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.state.describe import restorable_times
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.state.tagging import describe_tags
from local_cloud.aurora.state.versions import ENGINE


@operation(
    "DescribeDBClusterAutomatedBackups",
    identifier="DBClusterIdentifier",
    supports="DbClusterResourceId MaxRecords Marker",
)
def describe_db_cluster_automated_backups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterAutomatedBackups: those of clusters that exist; none outlives its cluster."""
    name, resource_id = call.params.get("DBClusterIdentifier"), call.params.get("DbClusterResourceId")
    found = [
        cluster
        for cluster in call.state.clusters.values()
        if (not name or cluster.identifier == name.lower()) and (not resource_id or cluster.resource_id == resource_id)
    ]
    shown, marker = page(found, call.params)
    return {"DBClusterAutomatedBackups": [_describe(call, cluster) for cluster in shown], "Marker": marker}


def _describe(call: Call, cluster: Cluster) -> dict[str, Any]:
    return {
        **cluster.encryption.describe(),
        "Engine": ENGINE,
        "EngineMode": "provisioned",
        "EngineVersion": cluster.engine_version,
        "VpcId": call.state.subnet_groups[cluster.subnet_group].vpc_id,
        "DBClusterIdentifier": cluster.identifier,
        "DBClusterArn": cluster.arn,
        "DbClusterResourceId": cluster.resource_id,
        "Region": cluster.region,
        "Status": "active",
        "RestoreWindow": {
            member.replace("RestorableTime", "Time"): moment
            for member, moment in restorable_times(cluster, call.state, call.now).items()
        },
        "ClusterCreateTime": cluster.create_time,
        "MasterUsername": cluster.master_username,
        "Port": cluster.server.port,
        "LicenseModel": "postgresql-license",
        "IAMDatabaseAuthenticationEnabled": cluster.iam_auth,
        "AllocatedStorage": 1,
        "BackupRetentionPeriod": cluster.backup_retention,
        "PreferredBackupWindow": cluster.backup_window,
        "AvailabilityZones": cluster.availability_zones,
        "StorageType": cluster.storage_type,
        "TagList": describe_tags(cluster.backup_tags),
    }
