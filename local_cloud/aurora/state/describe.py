"""Clusters and instances as the answers show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local_cloud.aurora.state.describe_groups import describe_subnet_group
from local_cloud.aurora.state.resources import AssociatedRole, Cluster, Instance
from local_cloud.aurora.state.store import RegionState
from local_cloud.aurora.state.tagging import describe_tags
from local_cloud.aurora.state.versions import ENGINE, major_of

ENDPOINT = "127.0.0.1"
HOSTED_ZONE = "Z2R2ITUGPM61AM"


def describe_cluster(cluster: Cluster, state: RegionState, now: datetime) -> dict[str, Any]:
    """Return a DBCluster; writer and reader endpoint are the same server, told apart from others by the port."""
    return {
        **cluster.encryption.describe(),
        **cluster.observation.describe(),
        "AllocatedStorage": 1,
        "AvailabilityZones": cluster.availability_zones,
        "BackupRetentionPeriod": cluster.backup_retention,
        "DatabaseName": cluster.database_name,
        "DBClusterIdentifier": cluster.identifier,
        "DBClusterParameterGroup": cluster.parameter_group,
        "DBSubnetGroup": cluster.subnet_group,
        "Status": cluster.status,
        **restorable_times(cluster, state, now),
        "CloneGroupId": cluster.clone_group,
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
        "AssociatedRoles": [_role(role) for role in cluster.roles],
        "IAMDatabaseAuthenticationEnabled": cluster.iam_auth,
        "ClusterCreateTime": cluster.create_time,
        "EnabledCloudwatchLogsExports": cluster.log_exports or None,
        "PendingModifiedValues": _pending(cluster),
        "IOOptimizedNextAllowedModificationTime": cluster.next_iopt_change,
        "LocalWriteForwardingStatus": cluster.local_write_forwarding,
        "StorageType": None if cluster.storage_type == "aurora" else cluster.storage_type,
        "AutoMinorVersionUpgrade": cluster.auto_minor_upgrade,
        "DeletionProtection": cluster.deletion_protection,
        "HttpEndpointEnabled": cluster.http_endpoint,
        **cluster.activity_stream,
        "CustomEndpoints": [
            ENDPOINT for item in state.custom_endpoints.values() if item.cluster_resource_id == cluster.resource_id
        ],
        "CopyTagsToSnapshot": cluster.copy_tags,
        "CrossAccountClone": False,
        "DomainMemberships": _domains(cluster),
        "TagList": describe_tags(cluster.tags),
        "NetworkType": cluster.network_type,
        "ServerlessV2ScalingConfiguration": cluster.serverless_scaling,
        "MasterUserSecret": _master_secret(cluster),
        "EngineLifecycleSupport": cluster.lifecycle_support,
    }


def restorable_times(cluster: Cluster, state: RegionState, now: datetime) -> dict[str, Any]:
    """Return from when and until when it can be restored to a point in time: since its first automated snapshot."""
    since = [
        item.restorable_since
        for item in state.snapshots.values()
        if item.cluster_resource_id == cluster.resource_id and item.restorable_since is not None
    ]
    return {"EarliestRestorableTime": min(since), "LatestRestorableTime": now} if since else {}


def _members(cluster: Cluster, state: RegionState) -> list[dict[str, Any]]:
    return [
        {
            "DBInstanceIdentifier": instance.identifier,
            "IsClusterWriter": position == 0,
            "DBClusterParameterGroupStatus": _applied(instance.groups_in_use[0] == cluster.parameter_group),
            "PromotionTier": instance.promotion_tier,
        }
        for position, instance in enumerate(state.members_of(cluster))
    ]


def _applied(in_use: bool) -> str:
    return "in-sync" if in_use else "pending-reboot"


def _role(role: AssociatedRole) -> dict[str, str | None]:
    status = "PENDING" if role.status == "REMOVING" else role.status
    return {"RoleArn": role.arn, "FeatureName": role.feature or None, "Status": status}


def _domains(cluster: Cluster) -> list[dict[str, str]]:
    domain = cluster.domain
    if domain is None:
        return []
    return [
        {
            "Domain": domain.identifier,
            "Status": domain.status,
            "FQDN": f"{domain.identifier}.corp.example.com",
            "IAMRoleName": domain.role_name,
        }
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
        **instance.observation.describe(),
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
        "DBParameterGroups": [
            {
                "DBParameterGroupName": instance.parameter_group,
                "ParameterApplyStatus": _applied(instance.groups_in_use[1] == instance.parameter_group),
            }
        ],
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
        "CertificateDetails": {"CAIdentifier": instance.ca_certificate},
        "DomainMemberships": _domains(cluster),
        "CopyTagsToSnapshot": cluster.copy_tags,
        "EnhancedMonitoringResourceArn": _metrics_stream(instance, state),
        "PromotionTier": instance.promotion_tier,
        "DBInstanceArn": instance.arn,
        "IAMDatabaseAuthenticationEnabled": cluster.iam_auth,
        "DeletionProtection": cluster.deletion_protection,
        "AssociatedRoles": [],
        "TagList": describe_tags(instance.tags),
        "NetworkType": cluster.network_type,
        "EngineLifecycleSupport": cluster.lifecycle_support,
    }


def _metrics_stream(instance: Instance, state: RegionState) -> str | None:
    if not instance.observation.monitoring_interval:
        return None
    group = f"arn:aws:logs:{state.region}:{state.account_id}:log-group:RDSOSMetrics"
    return f"{group}:log-stream:{instance.resource_id}"
