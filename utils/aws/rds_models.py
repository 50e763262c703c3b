"""What RDS says, as typed values; no boto3 dictionary goes past `rds_reader`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import (
        DBClusterSnapshotTypeDef,
        DBClusterTypeDef,
        DBInstanceTypeDef,
        TagTypeDef,
    )


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A DB cluster snapshot; storage in GiB."""

    identifier: str
    arn: str
    source_arn: str | None
    cluster_id: str
    cluster_resource_id: str | None
    created_at: datetime | None
    engine: str
    engine_version: str
    status: str
    percent: int
    snapshot_type: str
    kms_key_id: str | None
    storage_gib: int
    port: int | None
    master_username: str
    tags: Mapping[str, str]


class ServerlessCapacity(BaseModel):
    """Capacity range in Aurora capacity units."""

    model_config = ConfigDict(frozen=True)

    min_capacity: float
    max_capacity: float
    seconds_until_auto_pause: int | None = None


@dataclass(frozen=True, kw_only=True)
class MasterSecret:
    """The secret in which RDS keeps the master user's password."""

    arn: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A DB cluster and the settings that a restore does not carry over by itself."""

    identifier: str
    arn: str
    resource_id: str
    status: str
    percent: int
    engine: str
    engine_mode: str
    engine_version: str
    endpoint: str | None
    port: int | None
    master_username: str
    member_ids: Sequence[str]
    deletion_protection: bool
    in_global_cluster: bool
    replicas: Sequence[str]
    replicates: str | None
    pending_changes: Sequence[str]
    subnet_group: str | None
    security_group_ids: Sequence[str]
    parameter_group: str | None
    storage_type: str | None
    log_exports: Sequence[str]
    iam_authentication: bool
    serverless_v2: ServerlessCapacity | None
    master_secret: MasterSecret | None
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A DB instance that is a member of a cluster."""

    identifier: str
    cluster_id: str | None
    status: str
    instance_class: str
    parameter_group: str | None
    pending_changes: Sequence[str]
    tags: Mapping[str, str]


def snapshot_from_api(raw: "DBClusterSnapshotTypeDef") -> Snapshot:
    """Read an element of DescribeDBClusterSnapshots."""
    return Snapshot(
        identifier=raw["DBClusterSnapshotIdentifier"],
        arn=raw["DBClusterSnapshotArn"],
        source_arn=raw.get("SourceDBClusterSnapshotArn") or None,
        cluster_id=raw["DBClusterIdentifier"],
        cluster_resource_id=raw.get("DbClusterResourceId"),
        created_at=raw.get("SnapshotCreateTime"),
        engine=raw["Engine"],
        engine_version=raw.get("EngineVersion", ""),
        status=raw["Status"],
        percent=raw.get("PercentProgress", 0),
        snapshot_type=raw.get("SnapshotType", ""),
        kms_key_id=raw.get("KmsKeyId"),
        storage_gib=raw.get("AllocatedStorage", 0),
        port=raw.get("Port") or None,
        master_username=raw.get("MasterUsername", ""),
        tags=_tags(raw.get("TagList", [])),
    )


def cluster_from_api(raw: "DBClusterTypeDef") -> Cluster:
    """Read an element of DescribeDBClusters."""
    capacity, secret = raw.get("ServerlessV2ScalingConfiguration"), raw.get("MasterUserSecret")
    return Cluster(
        identifier=raw["DBClusterIdentifier"],
        arn=raw["DBClusterArn"],
        resource_id=raw["DbClusterResourceId"],
        status=raw["Status"],
        percent=_percent(raw.get("PercentProgress")),
        engine=raw["Engine"],
        engine_mode=raw.get("EngineMode", "provisioned"),
        engine_version=raw.get("EngineVersion", ""),
        endpoint=raw.get("Endpoint"),
        port=raw.get("Port"),
        master_username=raw.get("MasterUsername", ""),
        member_ids=tuple(member["DBInstanceIdentifier"] for member in raw.get("DBClusterMembers", [])),
        deletion_protection=raw.get("DeletionProtection", False),
        in_global_cluster=bool(raw.get("GlobalClusterIdentifier"))
        or raw.get("GlobalWriteForwardingStatus", "unknown") != "unknown",
        replicas=tuple(raw.get("ReadReplicaIdentifiers", [])),
        replicates=raw.get("ReplicationSourceIdentifier") or None,
        pending_changes=tuple(raw.get("PendingModifiedValues") or {}),
        subnet_group=raw.get("DBSubnetGroup"),
        security_group_ids=tuple(group["VpcSecurityGroupId"] for group in raw.get("VpcSecurityGroups", [])),
        parameter_group=raw.get("DBClusterParameterGroup"),
        storage_type=raw.get("StorageType"),
        log_exports=tuple(raw.get("EnabledCloudwatchLogsExports", [])),
        iam_authentication=raw.get("IAMDatabaseAuthenticationEnabled", False),
        serverless_v2=ServerlessCapacity(
            min_capacity=capacity.get("MinCapacity", 0.5),
            max_capacity=capacity.get("MaxCapacity", 1.0),
            seconds_until_auto_pause=capacity.get("SecondsUntilAutoPause"),
        )
        if capacity
        else None,
        master_secret=MasterSecret(arn=secret["SecretArn"], status=secret.get("SecretStatus", ""))
        if secret and "SecretArn" in secret
        else None,
        tags=_tags(raw.get("TagList", [])),
    )


def instance_from_api(raw: "DBInstanceTypeDef") -> Instance:
    """Read an element of DescribeDBInstances."""
    groups = raw.get("DBParameterGroups", [])
    return Instance(
        identifier=raw["DBInstanceIdentifier"],
        cluster_id=raw.get("DBClusterIdentifier"),
        status=raw["DBInstanceStatus"],
        instance_class=raw["DBInstanceClass"],
        parameter_group=groups[0]["DBParameterGroupName"] if groups else None,
        pending_changes=tuple(raw.get("PendingModifiedValues") or {}),
        tags=_tags(raw.get("TagList", [])),
    )


def _tags(raw: "Sequence[TagTypeDef]") -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in raw}


def _percent(raw: str | None) -> int:
    return int(raw) if raw and raw.isdigit() else 0


class RestoreSettings(BaseModel):
    """Everything RestoreDBClusterFromSnapshot and CreateDBInstance are told; None leaves it to AWS's default."""

    model_config = ConfigDict(frozen=True)

    engine_version: str
    kms_key_id: str
    instance_class: str
    instance_count: int
    port: int | None = None
    subnet_group: str | None = None
    security_group_ids: list[str] = []
    cluster_parameter_group: str | None = None
    instance_parameter_group: str | None = None
    storage_type: str | None = None
    log_exports: list[str] = []
    iam_authentication: bool = False
    deletion_protection: bool = False
    serverless_v2: ServerlessCapacity | None = None
    tags: dict[str, str] = {}
