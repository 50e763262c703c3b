"""The part of a request that is about what is built: every setting, of the cluster and of each of its instances."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from utils.cluster_settings.model import ClusterSettings, MemberOptions
from utils.cluster_settings.values import AssociatedRole, CustomEndpoint, Monitoring, ServerlessV2
from utils.request.fields import (
    DailyWindow,
    EngineVersion,
    Identifier,
    InstanceClass,
    LogTypes,
    Port,
    PromotionTier,
    RetentionDays,
    SecurityGroups,
    Tags,
    Text,
    WeeklyWindow,
    Zone,
)

_INTERVALS = (0, 1, 5, 10, 15, 30, 60)


class Capacity(ServerlessV2):
    """The capacity range of Serverless v2 instances, in Aurora capacity units (ACU)."""

    min_capacity: Annotated[float, Field(ge=0, le=256, multiple_of=0.5)] = Field(description="Lowest capacity, ACU.")
    max_capacity: Annotated[float, Field(ge=1, le=256, multiple_of=0.5)] = Field(description="Highest capacity, ACU.")
    seconds_until_auto_pause: Annotated[int, Field(ge=300, le=86_400)] | None = Field(
        default=None, description="Idle seconds before the instances pause; only with `min_capacity` 0."
    )

    @model_validator(mode="after")
    def _rds_accepts_it(self) -> Self:
        if self.min_capacity > self.max_capacity:
            raise ValueError("min_capacity no higher than max_capacity")
        if self.seconds_until_auto_pause is not None and self.min_capacity > 0:
            raise ValueError("seconds_until_auto_pause only with min_capacity 0")
        return self


class InstanceOptions(MemberOptions):
    """What is wanted of an instance; what is left out stays as it was."""

    instance_class: InstanceClass | None = Field(default=None, description="Class, `db.serverless` for Serverless v2.")
    availability_zone: Zone | None = Field(default=None, description="Availability Zone.")
    promotion_tier: PromotionTier | None = Field(default=None, description="Order of failover, 0 first, 15 last.")
    parameter_group: Text | None = Field(default=None, description="DB parameter group.")
    maintenance_window: WeeklyWindow | None = Field(
        default=None, description="Weekly window, UTC: `sun:05:00-sun:05:30`."
    )
    ca_certificate: Text | None = Field(default=None, description="CA that signs the server's certificate.")
    tags: Tags | None = Field(default=None, description="Tags of the instance, instead of the cluster's.")

    @model_validator(mode="after")
    def _rds_takes_the_interval(self) -> Self:
        _check_interval(self.monitoring)
        return self


class Instances(InstanceOptions):
    """The instances of the restored cluster: what holds for all, for one role, or for one of them by its name."""

    count: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None, description="Instances to create, one writer and readers; as many as before, else 1."
    )
    writer: InstanceOptions | None = Field(default=None, description="What holds for the writer only.")
    readers: InstanceOptions | None = Field(default=None, description="What holds for every reader.")
    named: dict[Identifier, InstanceOptions] = Field(
        default_factory=dict, description="What holds for single instances, by their names."
    )

    @field_validator("named", mode="before")
    @classmethod
    def _each_name_once(cls, given: Any) -> Any:
        names = [str(name).lower() for name in given] if isinstance(given, dict) else []
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each instance once: RDS takes capitals for small letters ({', '.join(twice)})")
        return given


class Target(ClusterSettings):
    """What is built, in the Region of the stack."""

    cluster_id: Identifier = Field(description="Target cluster. Stack parameter `TargetClusterId` when left out.")
    inherit_settings: bool = Field(
        default=True, description="Take what is left out here from the old target; `false` takes AWS's defaults."
    )
    engine_version: EngineVersion | None = Field(
        default=None,
        description="Aurora PostgreSQL version, not older than the snapshot's; the snapshot's when left out.",
    )
    instances: Instances = Field(default_factory=Instances, description="Instances.")
    instance_parameter_group: Text | None = Field(
        default=None, description="DB parameter group of every instance that names none itself."
    )
    subnet_group: Text | None = Field(default=None, description="DB subnet group.")
    security_group_ids: SecurityGroups | None = Field(default=None, description="VPC security groups.")
    port: Port | None = Field(default=None, description="Port; the snapshot's without an old target.")
    network_type: Literal["IPV4", "DUAL"] | None = Field(
        default=None, description="`IPV4`, or `DUAL` for IPv6 as well."
    )
    kms_key_id: Text | None = Field(
        default=None,
        description="KMS key (id, ARN or alias) of copy and cluster; the old target's, or the stack's if that cannot "
        "be used.",
    )
    storage_type: Literal["aurora", "aurora-iopt1"] | None = Field(
        default=None, description="`aurora`, or `aurora-iopt1` for I/O-Optimized."
    )
    serverless_v2: Capacity | None = Field(default=None, description="Capacity of Serverless v2 instances.")
    cluster_parameter_group: Text | None = Field(default=None, description="DB cluster parameter group.")
    log_exports: LogTypes | None = Field(default=None, description="Log types exported to CloudWatch Logs.")
    tags: Tags | None = Field(
        default=None, description="Tags of the cluster and its instances, beside the pipeline's own."
    )
    backup_retention_days: RetentionDays | None = Field(
        default=None, description="Days that automated backups are kept."
    )
    backup_window: DailyWindow | None = Field(
        default=None, description="Daily window of the backups, UTC: `03:00-03:30`."
    )
    maintenance_window: WeeklyWindow | None = Field(
        default=None, description="Weekly window, UTC: `sun:05:00-sun:05:30`."
    )
    insights_mode: Literal["standard", "advanced"] | None = Field(
        default=None, description="Database Insights: `standard` or `advanced`."
    )
    associated_roles: Annotated[list[AssociatedRole], Field(max_length=20)] | None = Field(
        default=None, description="IAM roles the cluster acts as."
    )
    custom_endpoints: Annotated[list[CustomEndpoint], Field(max_length=5)] | None = Field(
        default=None, description="Endpoints for some of the members."
    )

    @model_validator(mode="after")
    def _rds_takes_the_interval(self) -> Self:
        _check_interval(self.monitoring)
        return self


def _check_interval(monitoring: Monitoring | None) -> None:
    if monitoring is None:
        return
    if monitoring.interval_seconds not in _INTERVALS:
        raise ValueError(f"monitoring.interval_seconds one of {', '.join(map(str, _INTERVALS))}")
    if monitoring.interval_seconds and not monitoring.role_arn:
        raise ValueError("monitoring.role_arn, the IAM role with which RDS writes to CloudWatch Logs")
