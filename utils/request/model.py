"""`RestoreRequest`: the validated input of one operation; the README's table of fields equals this model."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from utils import identifiers, tags
from utils.request.health import Health
from utils.request.sql import MOST_CHECKS, MOST_SCRIPTS, Check, PostRestoreSql
from utils.request.start_window import StartWindow
from utils.request.strict_model import StrictModel
from utils.request.users import RoleName, UserLimits

LATEST = "latest"
RESERVED_TAG_PREFIXES = ("aws:", "rds:", "aurora-restore:")


def _identifier(value: str) -> str:
    if not re.fullmatch(identifiers.CLUSTER_ID_PATTERN, value):
        raise ValueError(
            "1 to 63 letters, digits or hyphens, a letter first, no hyphen at the end, no two hyphens in a row"
        )
    return value.lower()


def _snapshot(value: str) -> str:
    patterns = (identifiers.SNAPSHOT_ARN_PATTERN, identifiers.SNAPSHOT_ID_PATTERN)
    if not any(re.fullmatch(pattern, value) for pattern in patterns):
        raise ValueError("'latest', the identifier of a DB cluster snapshot, or its ARN")
    return value


def _region(value: str) -> str:
    if not re.fullmatch(identifiers.REGION_PATTERN, value):
        raise ValueError("an AWS Region such as us-east-1")
    return value


def _account(value: str) -> str:
    if not re.fullmatch(identifiers.ACCOUNT_PATTERN, value):
        raise ValueError("an AWS account id of 12 digits, as a string")
    return value


def _engine_version(value: str) -> str:
    if not re.fullmatch(r"\d{2}\.\d{1,2}", value):
        raise ValueError("an Aurora PostgreSQL version such as 17.4")
    return value


def _instance_class(value: str) -> str:
    if not re.fullmatch(r"db\.[a-z0-9-]+(\.[a-z0-9-]+)?", value):
        raise ValueError("a DB instance class such as db.r8g.large or db.serverless")
    return value


def _tags(value: dict[str, str]) -> dict[str, str]:
    if len(value) > tags.MOST_OF_A_REQUEST:
        raise ValueError(f"at most {tags.MOST_OF_A_REQUEST} tags, which leaves room for the pipeline's own")
    for key, text in value.items():
        if key.lower().startswith(RESERVED_TAG_PREFIXES) or not 1 <= len(key) <= 128 or len(text) > 256:
            raise ValueError(
                "keys of 1 to 128 characters that do not start with 'aws:', 'rds:' or 'aurora-restore:', "
                "values of at most 256 characters"
            )
        if not (tags.is_tag_text(key) and tags.is_tag_text(text)):
            raise ValueError("keys and values of letters, digits, spaces and _ . : / = + - @, as RDS takes them")
    return value


def _groups(value: list[str]) -> list[str]:
    if not value:
        raise ValueError("at least one security group; left out, the old target's are taken")
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]
# A lower bound because DynamoDB cannot hold every float: 1e-300 would fail when the row is written.
Budget = Annotated[float, Field(ge=0.001, le=120)]
Kept = Annotated[int, Field(ge=1, le=90)]
Text = Annotated[str, Field(min_length=1, max_length=2048)]


class Source(StrictModel):
    """What is restored."""

    cluster_id: Identifier = Field(description="Source cluster. Stack parameter `SourceClusterId` when left out.")
    region: Annotated[str, AfterValidator(_region)] = Field(
        description="Region of the source snapshot. Stack parameter `SourceRegion` when left out."
    )
    account_id: Annotated[str, AfterValidator(_account)] | None = Field(
        default=None,
        description="Account that owns the source snapshot, when it is shared from another account.",
    )
    snapshot: Annotated[str, AfterValidator(_snapshot)] = Field(
        default=LATEST, description="`latest` (newest available), a snapshot identifier, or a snapshot ARN."
    )
    max_age_hours: Annotated[float, Field(ge=0.001, le=1_000_000)] | None = Field(
        default=48.0, description="Refuse a snapshot older than this many hours; `null` takes any age."
    )


class Instances(StrictModel):
    """The instances of the restored cluster."""

    count: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None, description="Instances to create, one writer and readers; as many as before, else 1."
    )
    instance_class: Annotated[str, AfterValidator(_instance_class)] | None = Field(
        default=None,
        description="Class of every instance, `db.serverless` for Serverless v2; as before, else `db.r8g.large`.",
    )


class ServerlessV2(StrictModel):
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


class Target(StrictModel):
    """What is built, in the Region of the stack."""

    cluster_id: Identifier = Field(description="Target cluster. Stack parameter `TargetClusterId` when left out.")
    instances: Instances = Field(default_factory=Instances, description="Instances.")
    serverless_v2: ServerlessV2 | None = Field(
        default=None, description="Serverless v2 capacity; like the old target's when left out."
    )
    subnet_group: Text | None = Field(
        default=None, description="DB subnet group; the old target's when left out, else AWS's default."
    )
    security_group_ids: Annotated[list[Text], AfterValidator(_groups)] | None = Field(
        default=None,
        description="VPC security groups; the old target's when left out, else the VPC's default.",
    )
    cluster_parameter_group: Text | None = Field(
        default=None,
        description="DB cluster parameter group; the old target's when left out, else AWS's default.",
    )
    instance_parameter_group: Text | None = Field(
        default=None, description="DB parameter group of the instances; the old target's when left out."
    )
    engine_version: Annotated[str, AfterValidator(_engine_version)] | None = Field(
        default=None,
        description="Aurora PostgreSQL version, not older than the snapshot's; the snapshot's when left out.",
    )
    port: Annotated[int, Field(ge=1150, le=65_535)] | None = Field(
        default=None, description="Port; the old target's when left out, else the snapshot's."
    )
    storage_type: Literal["aurora", "aurora-iopt1"] | None = Field(
        default=None, description="`aurora` or `aurora-iopt1`; the old target's when left out."
    )
    log_exports: list[Literal["postgresql", "instance", "iam-db-auth-error"]] | None = Field(
        default=None, description="Log types exported to CloudWatch Logs; the old target's when left out."
    )
    iam_authentication: bool | None = Field(
        default=None, description="IAM database authentication; as on the old target when left out."
    )
    deletion_protection: bool = Field(
        default=False,
        description="Deletion protection of the restored cluster. The next run needs an override then.",
    )
    tags: Annotated[dict[str, str], AfterValidator(_tags)] = Field(
        default_factory=dict,
        description="Tags of the restored cluster and instances, beside the pipeline's own.",
    )
    kms_key_id: Text | None = Field(
        default=None,
        description="KMS key (id, ARN or alias) of copy and cluster; the stack's key when left out.",
    )


class Budgets(StrictModel):
    """The time each phase may take, in hours; past it the run stops with `PhaseTimedOut`."""

    copy_hours: Budget = Field(default=12.0, description="Hours the snapshot copy may take.")
    delete_hours: Budget = Field(default=2.0, description="Hours the final snapshot and the deletion may take.")
    restore_hours: Budget = Field(default=12.0, description="Hours the restore may take.")


class RestoreRequest(StrictModel):
    """One operation, as asked for."""

    source: Source
    target: Target
    final_snapshot: bool = Field(
        default=True, description="Snapshot the old target before it is deleted; `false` deletes it for good."
    )
    override_deletion_protection: bool = Field(
        default=False, description="Switch off the old target's deletion protection instead of refusing."
    )
    keep_copies: Kept = Field(default=3, description="Snapshot copies of this target to keep, this run's included.")
    keep_final_snapshots: Kept = Field(default=3, description="Final snapshots of this target to keep.")
    manage_master_user_password: bool = Field(
        default=False,
        description="Let RDS make the master password and keep it in a secret of its own; `false` takes that of "
        "`master-credentials`.",
    )
    keep_logins: Annotated[list[RoleName], Field(max_length=100)] = Field(
        default_factory=list,
        description="Logins of the snapshot that stay as they are, with password and rights; every other is shut out.",
    )
    close_outbound: bool = Field(
        default=True,
        description="End what calls out of the copy: subscriptions, user mappings of foreign servers, `dblink`, cron "
        "jobs and the like; `false` only reports them.",
    )
    user_limits: UserLimits = Field(default_factory=UserLimits, description="Limits of the users that are set up.")
    post_restore_sql: Annotated[list[PostRestoreSql], Field(max_length=MOST_SCRIPTS)] = Field(
        default_factory=list,
        description="SQL scripts to run in this order, to mask personal data for example; users open only after all.",
    )
    checks: Annotated[list[Check], Field(max_length=MOST_CHECKS)] = Field(
        default_factory=list, description="Queries whose answers must fit, after the scripts, before users are opened."
    )
    health: Health = Field(default_factory=Health, description="What is looked at in the copy beyond its catalog.")
    budgets: Budgets = Field(default_factory=Budgets, description="Time limits of the phases.")
    start_window: StartWindow | None = Field(
        default=None,
        description="Hours within which a run may start, else it is refused; `null` starts at any time, whatever the "
        "stack's default is.",
    )
    dry_run: bool = Field(default=False, description="Check everything, write the plan, change nothing.")
