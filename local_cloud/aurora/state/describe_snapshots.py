"""Cluster snapshots as the answers show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local_cloud.aurora.state.resources import Snapshot
from local_cloud.aurora.state.tagging import describe_tags
from local_cloud.aurora.state.versions import ENGINE


def describe_snapshot(snapshot: Snapshot, now: datetime, *, shared: bool = False) -> dict[str, Any]:
    """Return a DBClusterSnapshot; a shared one is named by its ARN."""
    progress = 100 if snapshot.task is None or snapshot.status == "available" else snapshot.task.percent(now)
    return {
        **snapshot.encryption.describe(),
        "AvailabilityZones": snapshot.availability_zones,
        "DBClusterSnapshotIdentifier": snapshot.arn if shared else snapshot.identifier,
        "DBClusterIdentifier": snapshot.cluster_identifier,
        "SnapshotCreateTime": snapshot.create_time,
        "Engine": ENGINE,
        "EngineMode": "provisioned",
        "AllocatedStorage": snapshot.allocated_gib,
        "Status": snapshot.status,
        "Port": snapshot.port,
        "VpcId": snapshot.vpc_id,
        "ClusterCreateTime": snapshot.cluster_create_time,
        "MasterUsername": snapshot.master_username,
        "EngineVersion": snapshot.engine_version,
        "LicenseModel": "postgresql-license",
        "SnapshotType": "shared" if shared else snapshot.snapshot_type,
        "PercentProgress": progress,
        "BackupRetentionPeriod": snapshot.backup_retention,
        "PreferredBackupWindow": snapshot.backup_window,
        "DBClusterSnapshotArn": snapshot.arn,
        "SourceDBClusterSnapshotArn": snapshot.source_arn,
        "IAMDatabaseAuthenticationEnabled": snapshot.iam_auth,
        "TagList": [] if shared else describe_tags(snapshot.tags),
        "StorageType": snapshot.storage_type,
        "DbClusterResourceId": snapshot.cluster_resource_id,
    }
