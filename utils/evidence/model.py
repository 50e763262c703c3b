"""`report.json`: one operation as evidence. docs/evidence.schema.json is made from this model.

Names, counts and results; no row, no value and no secret of the database.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from utils.operation.model import CheckRecord, HealthRecord, OperationStatus, ScriptRecord
from utils.operation.planned import PreflightCheck
from utils.operation.records import OperationError
from utils.report.settings_diff import SettingChange
from utils.restore_type import RestoreType


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Result(StrEnum):
    """What the evidence is evidence of."""

    RESTORED = "restored"
    FAILED = "failed"
    PLANNED = "planned"
    UNDONE = "undone"


class Verdict(_Part):
    """How the operation ended."""

    result: Result = Field(description="`planned` is a dry run that made its plan, `undone` an undo of a swap.")
    status: OperationStatus = Field(description="Status of the operation's row.")
    sentence: str = Field(description="The same in words.")
    error: OperationError | None = Field(description="Why it failed, and at which step.")
    changes: list[str] = Field(description="Everything that the operation changed.")


class SourceEvidence(_Part):
    """What was restored."""

    cluster_id: str
    restore_type: RestoreType = Field(
        default=RestoreType.SNAPSHOT, description="A snapshot, or the cluster itself, in one of RDS's two ways."
    )
    snapshot_arn: str = Field(description="ARN of the snapshot, or of the cluster.")
    snapshot_id: str
    region: str
    account_id: str
    created_at: datetime = Field(description="When the data was as it is in the copy.")
    age_hours: float = Field(description="Its age when the run picked it, or asked for the restore.")
    storage_gib: int
    engine_version: str
    kms_key_id: str | None = Field(description="Key of the snapshot; null without one, or where AWS names none.")
    rejected: dict[str, str] = Field(description="Other snapshots of the source, and why they were not taken.")


class TargetEvidence(_Part):
    """What was built."""

    cluster_id: str
    region: str
    account_id: str
    endpoint: str | None
    port: int | None
    engine_version: str | None
    instance_ids: list[str]
    snapshot_copy_arn: str | None
    final_snapshot_arn: str | None = Field(description="Final snapshot of the old target.")
    deleted: list[str] = Field(description="Cluster and instances of the old target that are gone.")
    pruned: list[str] = Field(description="Older snapshots of the pipeline's own that were deleted.")


class Objective(_Part):
    """An objective and what was measured, in seconds; `met` is null where one of them is missing."""

    target_seconds: int | None
    measured_seconds: int | None
    met: bool | None
    measured: str = Field(description="From where to where it was measured.")


class Phase(_Part):
    """A part of the timeline; a phase that was come back to, after a failure, is there again."""

    name: str
    started_at: datetime
    finished_at: datetime
    work_seconds: float = Field(description="While a function was at work.")
    waiting_seconds: float = Field(description="While AWS was, or nobody was.")
    approval_seconds: float = Field(description="While a person was asked.")


class Execution(_Part):
    """An execution that worked on the operation; each redrive is one of its own."""

    execution_arn: str
    redrive_count: int
    started_at: datetime
    finished_at: datetime | None
    error: str | None


class Hands(_Part):
    """In whose name a step was run, how often, and what it called."""

    step: str
    actors: list[str] = Field(description="Executions, or functions that somebody called by hand.")
    runs: int
    calls: dict[str, int] = Field(description="Calls to AWS by name, with their number.")


class UserEvidence(_Part):
    """A user of the copy, and what was proven by logging in."""

    name: str
    proofs: list[str]


class Access(_Part):
    """Who can get into the copy, and what can get out of it."""

    users: list[UserEvidence]
    shut_out: list[str] = Field(description="Production's logins, shut out.")
    kept: list[str] = Field(description="Production's logins that the request keeps.")
    left_to_aws: list[str] = Field(description="AWS's own logins.")
    disarmed: list[str] = Field(description="What would have run with the master's rights.")
    outbound: list[str] = Field(description="What called out of the copy.")
    outbound_closed: bool | None
    exposure_seconds: float | None = Field(
        default=None, description="Seconds in which production's passwords could have opened the copy; null: unknown."
    )
    outage_seconds: float | None = Field(
        default=None, description="Seconds in which the target's name did not answer; null: unknown."
    )
    outage_uncertainty_seconds: float | None = Field(
        default=None, description="How much longer or shorter the outage may have been: looks are seconds apart."
    )


class SwapEvidence(_Part):
    """The exchange of names: who serves, how long nobody did, and the way back."""

    serving: str = Field(description="Which cluster has the target's name.")
    put_aside: str | None = Field(description="Name of the other one; null while nothing is renamed.")
    outage_seconds: float | None = Field(description="Seconds in which the name did not answer; null: not measured.")
    outage_uncertainty_seconds: float | None = Field(
        default=None, description="How much longer or shorter it may have been: looks are seconds apart."
    )
    undo: str | None = Field(description="Command that gives the name back to the old cluster; null: there is none.")
    undo_until: datetime | None = Field(description="Then the old cluster is deleted; null: nobody deletes it.")


class BringBackEvidence(_Part):
    """The old data, restored from its final snapshot after the new cluster had failed."""

    finished_at: datetime | None = Field(description="When it answered again; null: it is not back.")
    final_snapshot: str
    because: OperationError = Field(description="Why the new cluster failed for good.")
    logins: list[str] = Field(description="Users of the secrets that can log in.")
    refused: list[str] = Field(description="Those whose passwords the old data does not know.")
    error: OperationError | None = Field(description="Why it is not back.")


class Settings(_Part):
    """Every setting of the target, as it was and as it was planned, and what came out otherwise."""

    comparison: str | None = Field(description="The comparison in a line; null before there was one.")
    changes: list[SettingChange]
    deviations: list[str]
    not_put_back: list[str]


class ApprovalEvidence(_Part):
    """Who was asked before anything was changed, and what the answer was."""

    asked_at: datetime
    expires_at: datetime
    approved: bool | None = Field(description="Null if nobody answered.")
    answered_at: datetime | None
    approver: str | None = Field(description="ARN of the caller, as the command told it.")
    reason: str | None
    proof: str = Field(description="What proves who it was.")


class Standing(_Part):
    """A thing that stands after the operation and is paid for."""

    what: str
    amount: str = Field(description="How much of it, at which price; or why that is not known.")
    monthly_usd: float | None = Field(default=None, description="USD a month; null where it is not known.")


class Costs(_Part):
    """What stands after the operation, and an estimate of what it costs."""

    basis: str = Field(description="Which prices, and what they leave out.")
    standing: list[Standing]
    monthly_usd: float = Field(description="Sum of what is known, USD a month.")


class NextSteps(_Part):
    """What a person types to go on, go back, or do the same again."""

    resume: str | None
    bring_back: list[str] = Field(description="Commands that restore the old target beside the new one.")
    reproduce: dict[str, Any] = Field(description="The request with every default filled in.")


class Evidence(_Part):
    """One operation, for somebody who was not there."""

    version: Literal["1"] = Field(default="1", description="Grows when a field changes its meaning or goes away.")
    made_by: str = Field(description="The pipeline and its version.")
    made_at: datetime
    operation_id: str
    verdict: Verdict
    started_at: datetime
    finished_at: datetime | None
    source: SourceEvidence
    target: TargetEvidence
    rto: Objective = Field(description="Recovery time.")
    rpo: Objective = Field(description="Recovery point.")
    timeline: list[Phase]
    executions: list[Execution]
    hands: list[Hands]
    caller: str = Field(description="What is known of who started it.")
    approval: ApprovalEvidence | None = Field(default=None, description="Null for a run that nobody had to approve.")
    plan: list[str] = Field(description="What the run was going to do.")
    preflight: list[PreflightCheck]
    settings: Settings
    access: Access
    swap: SwapEvidence | None = Field(default=None, description="Null for a run that exchanged no names.")
    brought_back: BringBackEvidence | None = Field(default=None, description="Null where that was not tried.")
    databases: list[str] = Field(description="Databases that were arranged.")
    scripts: list[ScriptRecord] = Field(description="Scripts that ran, with their versions and digests.")
    checks: list[CheckRecord] = Field(description="Checks of the request, expected and found.")
    health: list[HealthRecord] = Field(description="What the copy brings along.")
    not_tested: list[str] = Field(description="What this operation says nothing about.")
    deviations: list[str] = Field(description="What did not come out as meant, or needs a person.")
    costs: Costs | None = Field(default=None, description="What stands now; null in reports from before there was one.")
    next: NextSteps

    def as_text(self) -> str:
        """Return `report.json`."""
        return self.model_dump_json(indent=2) + "\n"
