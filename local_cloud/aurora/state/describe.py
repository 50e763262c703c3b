"""Resources as the answers show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local_cloud.aurora.state.resources import Cluster, Instance, ParameterGroup, Snapshot, SubnetGroup
from local_cloud.aurora.state.store import RegionState
from local_cloud.aurora.state.tagging import describe_tags
from local_cloud.aurora.state.versions import ENGINE, family_of, major_of

ENDPOINT = "127.0.0.1"
HOSTED_ZONE = "Z2R2ITUGPM61AM"


def describe_cluster(cluster: Cluster, state: RegionState, now: datetime) -> dict[str, Any]:
    """Return a DBCluster; writer and reader endpoint are the same server, told apart from others by the port."""
    return {
        **cluster.encryption.describe(),
        "AllocatedStorage": 1,
        "AvailabilityZones": cluster.availability_zones,
        "BackupRetentionPeriod": cluster.backup_retention,
        "DatabaseName": cluster.database_name,
        "DBClusterIdentifier": cluster.identifier,
        "DBClusterParameterGroup": cluster.parameter_group,
        "DBSubnetGroup": cluster.subnet_group,
        "Status": cluster.status,
        "EarliestRestorableTime": cluster.create_time,
        "LatestRestorableTime": now,
        "Endpoint": ENDPOINT,
        "ReaderEndpoint": ENDPOINT,
        "MultiAZ": len(cluster.members) > 1,
        "Engine": ENGINE,
        "EngineVersion": cluster.engine_version,
        "EngineMode": "provisioned",
        "Port": cluster.server.port,
        "MasterUsername": cluster.master_username,
        "PreferredBackupWindow": cluster.backup_window,
        "PreferredMaintenanceWindow": cluster.maintenance_window,
        "ReadReplicaIdentifiers": [],
        "DBClusterMembers": _members(cluster, state),
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"} for group in cluster.security_groups],
        "HostedZoneId": HOSTED_ZONE,
        "DbClusterResourceId": cluster.resource_id,
        "DBClusterArn": cluster.arn,
        "AssociatedRoles": [],
        "IAMDatabaseAuthenticationEnabled": cluster.iam_auth,
        "ClusterCreateTime": cluster.create_time,
        "EnabledCloudwatchLogsExports": cluster.log_exports or None,
        "PendingModifiedValues": _pending(cluster),
        "StorageType": None if cluster.storage_type == "aurora" else cluster.storage_type,
        "AutoMinorVersionUpgrade": cluster.auto_minor_upgrade,
        "DeletionProtection": cluster.deletion_protection,
        "HttpEndpointEnabled": False,
        "ActivityStreamStatus": "stopped",
        "CopyTagsToSnapshot": cluster.copy_tags,
        "CrossAccountClone": False,
        "DomainMemberships": [],
        "TagList": describe_tags(cluster.tags),
        "NetworkType": "IPV4",
        "ServerlessV2ScalingConfiguration": cluster.serverless_scaling,
        "MasterUserSecret": _master_secret(cluster),
        "EngineLifecycleSupport": cluster.lifecycle_support,
    }


def _members(cluster: Cluster, state: RegionState) -> list[dict[str, Any]]:
    return [
        {
            "DBInstanceIdentifier": instance.identifier,
            "IsClusterWriter": position == 0,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": instance.promotion_tier,
        }
        for position, instance in enumerate(state.members_of(cluster))
    ]


def _pending(cluster: Cluster) -> dict[str, Any] | None:
    pending = dict(cluster.pending)
    if cluster.new_password is not None:
        pending["MasterUserPassword"] = "****"
    return pending or None


def _master_secret(cluster: Cluster) -> dict[str, Any] | None:
    secret = cluster.master_secret
    if secret is None:
        return None
    return {"SecretArn": secret.arn, "SecretStatus": secret.status, "KmsKeyId": secret.kms_key_arn}


def describe_instance(instance: Instance, cluster: Cluster, state: RegionState) -> dict[str, Any]:
    """Return a DBInstance; the endpoint appears once the instance was available."""
    return {
        **cluster.encryption.describe(),
        "DBInstanceIdentifier": instance.identifier,
        "DBInstanceClass": instance.instance_class,
        "Engine": ENGINE,
        "EngineVersion": cluster.engine_version,
        "DBInstanceStatus": instance.status,
        "MasterUsername": cluster.master_username,
        "DBName": cluster.database_name,
        "Endpoint": {"Address": ENDPOINT, "Port": cluster.server.port, "HostedZoneId": HOSTED_ZONE}
        if instance.reachable_once
        else None,
        "AllocatedStorage": 1,
        "InstanceCreateTime": instance.create_time,
        "PreferredBackupWindow": cluster.backup_window,
        "BackupRetentionPeriod": cluster.backup_retention,
        "DBSecurityGroups": [],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"} for group in cluster.security_groups],
        "DBParameterGroups": [{"DBParameterGroupName": instance.parameter_group, "ParameterApplyStatus": "in-sync"}],
        "AvailabilityZone": instance.availability_zone,
        "DBSubnetGroup": describe_subnet_group(state.subnet_groups[cluster.subnet_group]),
        "PreferredMaintenanceWindow": instance.maintenance_window,
        "PendingModifiedValues": instance.pending,
        "MultiAZ": False,
        "AutoMinorVersionUpgrade": instance.auto_minor_upgrade,
        "ReadReplicaDBInstanceIdentifiers": [],
        "LicenseModel": "postgresql-license",
        "OptionGroupMemberships": [
            {
                "OptionGroupName": f"default:{ENGINE}-{major_of(cluster.engine_version)}",
                "Status": "in-sync",
            }
        ],
        "PubliclyAccessible": instance.publicly_accessible,
        "StorageType": cluster.storage_type,
        "DbInstancePort": 0,
        "DBClusterIdentifier": cluster.identifier,
        "DbiResourceId": instance.resource_id,
        "CACertificateIdentifier": instance.ca_certificate,
        "DomainMemberships": [],
        "CopyTagsToSnapshot": cluster.copy_tags,
        "MonitoringInterval": 0,
        "PromotionTier": instance.promotion_tier,
        "DBInstanceArn": instance.arn,
        "IAMDatabaseAuthenticationEnabled": cluster.iam_auth,
        "PerformanceInsightsEnabled": False,
        "DeletionProtection": cluster.deletion_protection,
        "AssociatedRoles": [],
        "TagList": describe_tags(instance.tags),
        "NetworkType": "IPV4",
        "EngineLifecycleSupport": cluster.lifecycle_support,
    }


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


def describe_subnet_group(group: SubnetGroup) -> dict[str, Any]:
    """Return a DBSubnetGroup."""
    return {
        "DBSubnetGroupName": group.identifier,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet,
                "SubnetAvailabilityZone": {"Name": zone},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet, zone in group.subnets
        ],
        "DBSubnetGroupArn": group.arn,
        "SupportedNetworkTypes": ["IPV4"],
    }


def describe_parameter_group(group: ParameterGroup) -> dict[str, Any]:
    """Return a DBParameterGroup or DBClusterParameterGroup."""
    prefix = "DBClusterParameterGroup" if group.kind == "cluster-pg" else "DBParameterGroup"
    return {
        f"{prefix}Name": group.identifier,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        f"{prefix}Arn": group.arn,
    }


def default_parameter_group(engine_version: str) -> str:
    """Return the name of the default (cluster) parameter group of an engine version."""
    return f"default.{family_of(engine_version)}"
