"""What a single setting holds when it is more than a number, a text or a yes."""

from pydantic import ConfigDict, Field

from utils.strict_model import StrictModel


class ServerlessV2(StrictModel):
    """The capacity range of Serverless v2 instances, in Aurora capacity units (ACU), whatever AWS's limits are."""

    # What a request asks for has limits of its own, and becomes this.
    model_config = ConfigDict(revalidate_instances="subclass-instances")

    min_capacity: float = Field(description="Lowest capacity, ACU.")
    max_capacity: float = Field(description="Highest capacity, ACU.")
    seconds_until_auto_pause: int | None = Field(
        default=None, description="Idle seconds before the instances pause; only with `min_capacity` 0."
    )


class Monitoring(StrictModel):
    """Enhanced Monitoring."""

    interval_seconds: int = Field(description="Seconds between two looks: 1, 5, 10, 15, 30 or 60; 0 switches it off.")
    role_arn: str | None = Field(default=None, description="IAM role with which RDS writes to CloudWatch Logs.")


class Insights(StrictModel):
    """Performance Insights, which Database Insights stand on."""

    enabled: bool = Field(description="Whether Performance Insights are collected.")
    retention_days: int | None = Field(
        default=None,
        description="Days they are kept: 7, a multiple of 31, 731; 465 for Database Insights `advanced`.",
    )
    kms_key_id: str | None = Field(default=None, description="KMS key they are encrypted with; AWS's own if left out.")


class DirectoryDomain(StrictModel):
    """The directory of Kerberos authentication."""

    directory_id: str = Field(description="Id of the AWS Managed Microsoft AD directory.")
    role_name: str | None = Field(default=None, description="Name of the IAM role with which RDS calls the directory.")


class AssociatedRole(StrictModel):
    """An IAM role that the cluster acts as."""

    role_arn: str = Field(description="ARN of the role.")
    feature: str | None = Field(default=None, description="What it is for, such as `s3Import`, `s3Export`, `Lambda`.")


class CustomEndpoint(StrictModel):
    """An endpoint for some of the members."""

    identifier: str = Field(description="Name of the endpoint.")
    kind: str = Field(description="`READER` or `ANY`.")
    static_members: list[str] = Field(default_factory=list, description="Its members, and nobody else.")
    excluded_members: list[str] = Field(default_factory=list, description="Everybody but these.")


class ScalingPolicy(StrictModel):
    """A policy of Application Auto Scaling, as AWS describes its configuration."""

    name: str = Field(description="Name of the policy.")
    kind: str = Field(description="`TargetTrackingScaling` or `StepScaling`.")
    configuration: str = Field(description="Its configuration, JSON as Application Auto Scaling takes it.")


class ScheduledScaling(StrictModel):
    """A scheduled action of Application Auto Scaling."""

    name: str = Field(description="Name of the action.")
    schedule: str = Field(description="`cron(…)`, `rate(…)` or `at(…)`.")
    time_zone: str | None = Field(default=None, description="Time zone of the schedule; UTC if left out.")
    start_time: str | None = Field(default=None, description="When it begins to count, ISO 8601 with its offset.")
    end_time: str | None = Field(default=None, description="When it counts no more, ISO 8601 with its offset.")
    min_readers: int | None = Field(default=None, description="Fewest readers from then on.")
    max_readers: int | None = Field(default=None, description="Most readers from then on.")


class ReaderScaling(StrictModel):
    """What Application Auto Scaling may do with the number of readers."""

    min_readers: int = Field(description="Fewest readers.")
    max_readers: int = Field(description="Most readers.")
    suspended: list[str] = Field(
        default_factory=list, description="What is suspended: `scale_in`, `scale_out`, `scheduled`."
    )
    policies: list[ScalingPolicy] = Field(default_factory=list, description="When it adds and removes readers.")
    scheduled: list[ScheduledScaling] = Field(default_factory=list, description="When its limits change.")


class ProxyTarget(StrictModel):
    """An RDS Proxy that sends its connections to the cluster."""

    proxy: str = Field(description="Name of the proxy.")
    target_group: str = Field(default="default", description="Its target group.")


class EventSubscription(StrictModel):
    """An RDS event subscription that names the cluster or members of it."""

    name: str = Field(description="Name of the subscription.")
    source_ids: list[str] = Field(description="The cluster or the members that it names.")
