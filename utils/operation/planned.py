"""What the first step finds and decides, and writes into the row of an operation once and for all."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from utils.aws.rds_models import RestoreSettings


class Identifiers(BaseModel):
    """Every identifier of the operation, computed once by the first step."""

    target_cluster_id: str
    instance_ids: list[str]
    copy_id: str
    final_snapshot_id: str


class SourceSnapshot(BaseModel):
    """The source snapshot as it was picked, which is when the recovery began; storage in GiB."""

    identifier: str
    arn: str
    cluster_id: str
    region: str
    account_id: str
    created_at: datetime
    chosen_at: datetime
    age_hours: float
    engine_version: str
    storage_gib: int
    kms_key_id: str | None
    master_username: str


class OldTarget(BaseModel):
    """The old target as it was when the plan was made."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    arn: str
    resource_id: str
    engine_version: str
    status: str
    member_ids: tuple[str, ...]
    endpoint: str | None
    port: int | None
    subnet_group: str | None
    security_group_ids: tuple[str, ...]
    parameter_group: str | None
    storage_type: str | None
    log_exports: tuple[str, ...]
    iam_authentication: bool
    deletion_protection: bool
    tags: Mapping[str, str]


class Outcome(StrEnum):
    """What a check of the preflight came to."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"


class PreflightCheck(BaseModel):
    """A check before anything is changed: what was found, and unless it passed what was expected and what to do."""

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: Outcome
    found: str
    expected: str = ""
    do: str = ""


class Plan(BaseModel):
    """What the run does, decided before anything is touched."""

    copy_needed: bool
    copy_reason: str
    copy_kms_key_id: str | None
    delete_target: bool
    take_final_snapshot: bool
    old_target_resource_id: str | None
    half_restored_by: str | None = Field(
        default=None, description="The operation that left the old target unproven: no final snapshot is taken of it."
    )
    settings: RestoreSettings
    checks: list[PreflightCheck] = Field(default_factory=list, description="The preflight, when the plan was made.")
    actions: list[str] = Field(description="The same in sentences, in order.")
