"""The one model of settings: read from a cluster, kept in rows, laid over each other, and told to AWS.

None means that nothing is known or wanted: AWS's default holds. `members_filed` says which member of RDS's operations
becomes which setting.
"""

from pydantic import Field

from utils.cluster_settings.values import (
    AssociatedRole,
    CustomEndpoint,
    DirectoryDomain,
    EventSubscription,
    Insights,
    Monitoring,
    ProxyTarget,
    ReaderScaling,
    ServerlessV2,
)
from utils.strict_model import StrictModel


class MemberOptions(StrictModel):
    """What each instance of a cluster has by itself."""

    instance_class: str | None = Field(default=None, description="Class, `db.serverless` for Serverless v2.")
    availability_zone: str | None = Field(default=None, description="Availability Zone.")
    promotion_tier: int | None = Field(default=None, description="Order of failover, 0 first, 15 last.")
    parameter_group: str | None = Field(default=None, description="DB parameter group.")
    maintenance_window: str | None = Field(default=None, description="Weekly window, UTC: `sun:05:00-sun:05:30`.")
    auto_minor_version_upgrade: bool | None = Field(default=None, description="Whether RDS upgrades minor versions.")
    monitoring: Monitoring | None = Field(default=None, description="Enhanced Monitoring.")
    insights: Insights | None = Field(default=None, description="Performance Insights.")
    ca_certificate: str | None = Field(default=None, description="CA that signs the server's certificate.")
    publicly_accessible: bool | None = Field(
        default=None,
        description="Whether it has a public address: never taken over, and only with the stack's `AllowPublicAccess`.",
    )
    tags: dict[str, str] | None = Field(default=None, description="Tags of the instance, beside the cluster's.")


class Member(MemberOptions):
    """An instance of the cluster, under its name."""

    identifier: str = Field(description="Name of the instance.")


class ClusterSettings(StrictModel):
    """What a cluster has beside its version, its members and its data."""

    subnet_group: str | None = Field(default=None, description="DB subnet group.")
    security_group_ids: list[str] | None = Field(default=None, description="VPC security groups.")
    availability_zones: list[str] | None = Field(
        default=None, description="Availability Zones for instances to be in; RDS adds others for its storage."
    )
    port: int | None = Field(default=None, description="Port.")
    network_type: str | None = Field(default=None, description="`IPV4`, or `DUAL` for IPv6 as well.")
    kms_key_id: str | None = Field(default=None, description="KMS key (id, ARN or alias) of copy and cluster.")
    storage_type: str | None = Field(default=None, description="`aurora`, or `aurora-iopt1` for I/O-Optimized.")
    serverless_v2: ServerlessV2 | None = Field(default=None, description="Capacity of Serverless v2 instances.")
    cluster_parameter_group: str | None = Field(default=None, description="DB cluster parameter group.")
    log_exports: list[str] | None = Field(default=None, description="Log types exported to CloudWatch Logs.")
    iam_authentication: bool | None = Field(default=None, description="IAM database authentication.")
    deletion_protection: bool | None = Field(
        default=None, description="Deletion protection; the next run needs `override_deletion_protection` then."
    )
    tags: dict[str, str] | None = Field(default=None, description="Tags of the cluster, and of new instances.")
    backup_retention_days: int | None = Field(default=None, description="Days that automated backups are kept.")
    backup_window: str | None = Field(default=None, description="Daily window of the backups, UTC: `03:00-03:30`.")
    maintenance_window: str | None = Field(default=None, description="Weekly window, UTC: `sun:05:00-sun:05:30`.")
    auto_minor_version_upgrade: bool | None = Field(default=None, description="Whether RDS upgrades minor versions.")
    copy_tags_to_snapshot: bool | None = Field(default=None, description="Whether snapshots get the cluster's tags.")
    extended_support: bool | None = Field(
        default=None, description="Whether RDS Extended Support, which is paid, begins when standard support ends."
    )
    data_api: bool | None = Field(default=None, description="Whether the RDS Data API is switched on.")
    local_write_forwarding: bool | None = Field(default=None, description="Whether readers forward writes.")
    associated_roles: list[AssociatedRole] | None = Field(default=None, description="IAM roles the cluster acts as.")
    domain: DirectoryDomain | None = Field(default=None, description="Directory of Kerberos authentication.")
    monitoring: Monitoring | None = Field(default=None, description="Enhanced Monitoring of the whole cluster.")
    insights: Insights | None = Field(default=None, description="Performance Insights of the whole cluster.")
    insights_mode: str | None = Field(default=None, description="Database Insights: `standard` or `advanced`.")
    custom_endpoints: list[CustomEndpoint] | None = Field(default=None, description="Endpoints for some members.")
    reader_scaling: ReaderScaling | None = Field(default=None, description="Application Auto Scaling of readers.")
    proxies: list[ProxyTarget] | None = Field(default=None, description="RDS Proxies that lead to the cluster.")
    event_subscriptions: list[EventSubscription] | None = Field(
        default=None, description="RDS event subscriptions that name the cluster or its members."
    )


class TargetSettings(ClusterSettings):
    """The settings of a whole target: as they are, as they were, or as they will be. The first member is the writer."""

    engine_version: str = Field(description="Version of Aurora PostgreSQL.")
    manage_master_user_password: bool = Field(
        default=False, description="Whether RDS keeps the master user's password in a secret of its own."
    )
    tls_parameters: dict[str, str] | None = Field(
        default=None, description="What the cluster's parameter group forces on connections, by parameter."
    )
    members: list[Member] = Field(default_factory=list, description="The fixed instances, the writer first.")

    @property
    def classes(self) -> dict[str, int]:
        """How many instances there are of each class."""
        found = [member.instance_class or "" for member in self.members]
        return {name: found.count(name) for name in dict.fromkeys(found)}


class TargetFound(StrictModel):
    """What is known of a target at one moment: its settings, and what no restore puts back."""

    settings: TargetSettings
    not_put_back: list[str] = Field(default_factory=list, description="What a restore cannot bring back, a line each.")
