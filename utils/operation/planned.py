"""What the first step finds and decides, and writes into the row of an operation once and for all."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.restore_type import RestoreType


class SwapNames(BaseModel):
    """The names of a swap: of the new cluster while it stands beside, and of the old one once it is put aside.

    Instances by their names in the target, which the old ones have and the new ones get.
    """

    beside: str
    aside: str
    instances_beside: dict[str, str]
    instances_aside: dict[str, str]
    new_resource_id: str | None = Field(
        default=None, description="The new cluster, where tags do not tell it: in an undo it is the former old one."
    )


class Identifiers(BaseModel):
    """Every identifier of the operation, computed once by the first step."""

    target_cluster_id: str
    instance_ids: list[str]
    copy_id: str
    final_snapshot_id: str
    swap: SwapNames | None = Field(default=None, description="None: the old target is replaced, or there is none.")
    drill_of: str | None = Field(default=None, description="Of a drill: the target that it is a rehearsal for.")

    @property
    def timed_as(self) -> str:
        """By what name it is kept how long runs take; drills delete no old target."""
        return f"{self.drill_of}/drill" if self.drill_of else self.target_cluster_id


class SourceSnapshot(BaseModel):
    """The source as it was picked, which is when the recovery began: a snapshot, or the cluster; storage in GiB."""

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
    restore_type: RestoreType = RestoreType.SNAPSHOT
    restore_to: datetime | None = Field(default=None, description="The moment that was asked for; None: the latest.")
    resource_id: str | None = Field(default=None, description="Of the source cluster, where it is restored itself.")
    is_new: bool = Field(default=False, description="The run itself takes it.")
    taken_at: datetime | None = Field(default=None, description="Of a new one: when it was seen available.")

    @property
    def is_to_be_taken(self) -> bool:
        """Whether the run has still to take it."""
        return self.is_new and self.taken_at is None

    @property
    def is_of_the_restore(self) -> bool:
        """Whether the data are as old as the call that restores them, not as the plan."""
        return self.restore_type is not RestoreType.SNAPSHOT and self.restore_to is None

    @property
    def in_words(self) -> str:
        """Say what is restored."""
        if self.restore_type is RestoreType.SNAPSHOT:
            return self.arn
        how = "cloned" if self.restore_type is RestoreType.COPY_ON_WRITE else "point in time"
        return f"{self.arn} ({how})"


class OldTarget(BaseModel):
    """The old target as it was when the plan was made."""

    model_config = ConfigDict(frozen=True)

    arn: str
    resource_id: str
    status: str
    member_ids: tuple[str, ...]
    endpoint: str | None
    settings: TargetSettings
    made_by: str | None = Field(default=None, description="The operation that restored it.")


class RejectedSnapshot(BaseModel):
    """A snapshot of the source cluster that is not restored, and why."""

    model_config = ConfigDict(frozen=True)

    identifier: str
    why: str


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


class BringBackPlan(BaseModel):
    """What a failure after the deletion leads to: the old target is restored from its final snapshot."""

    public_access: bool = Field(description="Whether the stack lets instances have a public address, as they had.")
    not_put_back: list[str] = Field(default_factory=list, description="What no restore brings back, a line each.")


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
    bring_back: BringBackPlan | None = Field(default=None, description="None: a failure leaves things as they are.")
    deleted_in_part_by: str | None = Field(
        default=None, description="The operation that had begun to delete the old target: members of it are gone."
    )
    quarantine_group_ids: list[str] = Field(
        default_factory=list, description="Security groups of the restored cluster until everything is proven."
    )
    settings: TargetSettings
    origins: dict[str, Origin] = Field(
        default_factory=dict, description="Where each setting comes from, by its path (`members.staging-1.tags`)."
    )
    inherited_from: Origin | None = Field(default=None, description="None: nothing was there to inherit, or wanted.")
    not_put_back: list[str] = Field(
        default_factory=list, description="What the target has or had and will not have again, a line each."
    )
    checks: list[PreflightCheck] = Field(default_factory=list, description="The preflight, when the plan was made.")
    rejected: list[RejectedSnapshot] = Field(default_factory=list, description="Other snapshots, the newest first.")
    prunes: list[str] = Field(default_factory=list, description="Older snapshots that will be more than are kept.")
    keeps: list[str] = Field(default_factory=list, description="Final snapshots that are there now and stay.")
    expected_seconds: dict[str, int] = Field(default_factory=dict, description="By phase, as earlier runs took.")
    earlier_runs: int = Field(default=0, description="How many runs that expectation is from.")
    actions: list[str] = Field(description="The same in sentences, in order.")

    @property
    def warnings(self) -> list[str]:
        """What the preflight warned of, a line each."""
        return [f"{check.name}: {check.found}: {check.do}" for check in self.checks if check.outcome is Outcome.WARN]
