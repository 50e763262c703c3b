"""What RDS says, as typed values; no boto3 dictionary goes past `rds_reader`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from utils.aws.calls import answer_of
from utils.aws.target.from_api import (
    cluster_settings_from_api,
    failed_domains,
    invalid_roles,
    member_from_api,
    tags_from_api,
)
from utils.aws.target.not_put_back import not_put_back, not_put_back_of_member
from utils.cluster_settings.model import ClusterSettings, Member
from utils.cluster_settings.values import AssociatedRole
from utils.restore_type import RestoreType

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import (
        DBClusterSnapshotTypeDef,
        DBClusterTypeDef,
        DBInstanceTypeDef,
    )

AUTOSCALED = "application-autoscaling-"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A DB cluster snapshot, or a cluster as of a moment; storage in GiB."""

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
    restore_type: RestoreType = RestoreType.SNAPSHOT


@dataclass(frozen=True, kw_only=True)
class MasterSecret:
    """The secret in which RDS keeps the master user's password."""

    arn: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A DB cluster: what it is and how it is, its settings, and what no restore of it would bring back."""

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
    master_secret: MasterSecret | None
    tags: Mapping[str, str]
    writer_id: str | None
    settings: ClusterSettings
    invalid_roles: Sequence[AssociatedRole]
    failed_domains: Sequence[str]
    not_put_back: Sequence[str]
    earliest_restorable: datetime | None
    latest_restorable: datetime | None
    clone_group_id: str | None


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A DB instance that is a member of a cluster."""

    identifier: str
    cluster_id: str | None
    status: str
    pending_changes: Sequence[str]
    tags: Mapping[str, str]
    endpoint: str | None
    settings: Member
    not_put_back: Sequence[str]

    @property
    def is_autoscaled(self) -> bool:
        """Whether Application Auto Scaling made it, which names it so and gives it none of the cluster's tags."""
        return self.identifier.startswith(AUTOSCALED)


@answer_of("rds:DescribeDBClusterSnapshots")
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
        tags=tags_from_api(raw.get("TagList", [])),
    )


@answer_of("rds:DescribeDBClusters")
def cluster_from_api(raw: "DBClusterTypeDef") -> Cluster:
    """Read an element of DescribeDBClusters."""
    secret = raw.get("MasterUserSecret")
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
        master_secret=MasterSecret(arn=secret["SecretArn"], status=secret.get("SecretStatus", ""))
        if secret and "SecretArn" in secret
        else None,
        tags=tags_from_api(raw.get("TagList", [])),
        writer_id=next(
            (
                member["DBInstanceIdentifier"]
                for member in raw.get("DBClusterMembers", [])
                if member.get("IsClusterWriter")
            ),
            None,
        ),
        settings=cluster_settings_from_api(raw),
        invalid_roles=invalid_roles(raw),
        failed_domains=failed_domains(raw),
        not_put_back=tuple(not_put_back(raw)),
        earliest_restorable=raw.get("EarliestRestorableTime"),
        latest_restorable=raw.get("LatestRestorableTime"),
        clone_group_id=raw.get("CloneGroupId"),
    )


@answer_of("rds:DescribeDBInstances")
def instance_from_api(raw: "DBInstanceTypeDef") -> Instance:
    """Read an element of DescribeDBInstances."""
    return Instance(
        identifier=raw["DBInstanceIdentifier"],
        cluster_id=raw.get("DBClusterIdentifier"),
        status=raw["DBInstanceStatus"],
        pending_changes=tuple(raw.get("PendingModifiedValues") or {}),
        tags=tags_from_api(raw.get("TagList", [])),
        endpoint=raw.get("Endpoint", {}).get("Address"),
        settings=member_from_api(raw),
        not_put_back=tuple(not_put_back_of_member(raw)),
    )


def _percent(raw: str | None) -> int:
    return int(raw) if raw and raw.isdigit() else 0
