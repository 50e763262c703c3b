"""The resources: what RDS keeps about clusters, instances, snapshots and groups."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.aurora.postgres.server import PostgresServer
from local_cloud.aurora.postgres.volume import Volume
from local_cloud.aurora.state.observation import Observation
from local_cloud.aurora.timeline import Task

Tags = dict[str, str]


@dataclass(kw_only=True)
class Resource:
    """What every resource has; `kind` is the ARN's resource type."""

    identifier: str
    arn: str
    tags: Tags = field(default_factory=dict)
    kind: str = ""


@dataclass(kw_only=True)
class Encryption:
    """How storage is encrypted: sse-rds (AWS-owned key, reported as StorageEncrypted=false) or sse-kms."""

    kms_key_arn: str | None = None
    aws_managed_key: bool = False

    @property
    def with_kms(self) -> bool:
        """Whether a KMS key of the account encrypts the storage."""
        return self.kms_key_arn is not None

    def describe(self) -> dict[str, Any]:
        """Return the members StorageEncrypted, StorageEncryptionType and KmsKeyId."""
        return {
            "StorageEncrypted": self.with_kms,
            "StorageEncryptionType": "sse-kms" if self.with_kms else "sse-rds",
            "KmsKeyId": self.kms_key_arn,
        }


@dataclass(kw_only=True)
class MasterSecret:
    """The Secrets Manager secret of an RDS-managed master password."""

    arn: str
    kms_key_arn: str
    status: str = "creating"


@dataclass(kw_only=True)
class AssociatedRole:
    """An IAM role that a cluster may take on for a feature such as s3Import."""

    arn: str
    feature: str
    status: str = "PENDING"


@dataclass(kw_only=True)
class Domain:
    """The directory of Active Directory that a cluster has joined."""

    identifier: str
    role_name: str
    status: str = "joining"


@dataclass(kw_only=True)
class Cluster(Resource):
    """An Aurora cluster; `members` are instance identifiers, the writer first."""

    kind: str = "cluster"
    account_id: str
    region: str
    resource_id: str
    engine_version: str
    create_time: datetime
    master_username: str
    volume: Volume
    server: PostgresServer
    encryption: Encryption
    subnet_group: str
    parameter_group: str
    database_name: str | None = None
    status: str = "creating"
    security_groups: list[str] = field(default_factory=list)
    availability_zones: list[str] = field(default_factory=list)
    backup_retention: int = 1
    backup_window: str
    maintenance_window: str
    iam_auth: bool = False
    log_exports: list[str] = field(default_factory=list)
    deletion_protection: bool = False
    copy_tags: bool = False
    storage_type: str = "aurora"
    serverless_scaling: dict[str, float] | None = None
    lifecycle_support: str = "open-source-rds-extended-support"
    auto_minor_upgrade: bool = True
    backup_tags: Tags = field(default_factory=dict)
    observation: Observation = field(default_factory=Observation)
    roles: list[AssociatedRole] = field(default_factory=list)
    domain: Domain | None = None
    network_type: str = "IPV4"
    http_endpoint: bool = False
    local_write_forwarding: str = "disabled"
    next_iopt_change: datetime | None = None
    activity_stream: dict[str, str] = field(default_factory=lambda: {"ActivityStreamStatus": "stopped"})
    master_secret: MasterSecret | None = None
    new_password: str | None = field(default=None, repr=False)
    clone_group: str = field(default_factory=lambda: str(uuid.uuid4()))
    pending: dict[str, Any] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    changing: bool = False
    task: Task | None = None


@dataclass(kw_only=True)
class Instance(Resource):
    """An instance of a cluster.

    reachable_once: it was available before.
    groups_in_use: the parameter groups (the cluster's, its own) with which it was started.
    """

    kind: str = "db"
    cluster_identifier: str
    instance_class: str
    resource_id: str
    create_time: datetime | None = None
    status: str = "creating"
    availability_zone: str = ""
    promotion_tier: int = 1
    parameter_group: str = ""
    groups_in_use: tuple[str, str] = ("", "")
    maintenance_window: str
    observation: Observation = field(default_factory=Observation)
    publicly_accessible: bool = False
    auto_minor_upgrade: bool = True
    ca_certificate: str = "rds-ca-rsa2048-g1"
    reachable_once: bool = False
    pending: dict[str, Any] = field(default_factory=dict)
    changing: bool = False
    task: Task | None = None


@dataclass(kw_only=True)
class Snapshot(Resource):
    """A cluster snapshot: the cluster's facts at that time and a copy of its data.

    restorable_since: of an automated one, from when on the cluster's WAL leads from it to any later moment.
    """

    kind: str = "cluster-snapshot"
    account_id: str
    region: str
    cluster_identifier: str
    cluster_resource_id: str
    cluster_create_time: datetime
    create_time: datetime
    engine_version: str
    master_username: str
    volume: Volume
    encryption: Encryption
    port: int
    database_name: str | None = None
    snapshot_type: str = "manual"
    status: str = "creating"
    source_arn: str | None = None
    allocated_gib: int = 1
    availability_zones: list[str] = field(default_factory=list)
    iam_auth: bool = False
    backup_retention: int = 1
    backup_window: str = ""
    storage_type: str = "aurora"
    vpc_id: str = ""
    shared_with: set[str] = field(default_factory=set)
    restorable_since: datetime | None = None
    task: Task | None = None


@dataclass(kw_only=True)
class SubnetGroup(Resource):
    """A DB subnet group; subnets as (id, availability zone)."""

    kind: str = "subgrp"
    description: str
    vpc_id: str
    subnets: list[tuple[str, str]]
    network_types: list[str] = field(default_factory=lambda: ["IPV4"])


@dataclass(kw_only=True)
class ParameterGroup(Resource):
    """A DB parameter group (kind pg) or DB cluster parameter group (kind cluster-pg), with what somebody set in it."""

    family: str
    description: str
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Event:
    """An RDS event."""

    source_type: str
    source_identifier: str
    source_arn: str
    message: str
    categories: tuple[str, ...]
    date: datetime
