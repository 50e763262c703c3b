"""`RestoreRequest`: the validated input of one operation; docs/request.md is made from this model."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from utils.request.afterwards import DELETE, Afterwards
from utils.request.approval import Approval
from utils.request.fields import Budget, Hours, Kept
from utils.request.health import Health
from utils.request.objectives import Objectives
from utils.request.source import NEW, Source
from utils.request.sql import MOST_CHECKS, MOST_SCRIPTS, Check, PostRestoreSql
from utils.request.start_window import StartWindow
from utils.request.target import Target
from utils.request.users import RoleName, UserLimits
from utils.strict_model import StrictModel

SWAP: Literal["swap"] = "swap"
BRING_BACK: Literal["bring_back"] = "bring_back"


class Budgets(StrictModel):
    """The time each phase may take, in hours; past it the run stops with `PhaseTimedOut`."""

    copy_hours: Budget = Field(default=12.0, description="Hours the snapshot copy may take.")
    delete_hours: Budget = Field(default=2.0, description="Hours the final snapshot and the deletion may take.")
    restore_hours: Budget = Field(default=12.0, description="Hours the restore may take.")


class RestoreRequest(StrictModel):
    """One operation, as asked for."""

    source: Source
    target: Target
    strategy: Literal["replace", "swap"] = Field(
        default="replace",
        description="`replace` deletes the old target, then restores. `swap` restores beside it, proves the new "
        "cluster, then exchanges their names; the old one stays, put aside under another name.",
    )
    keep_old_hours: Hours | None = Field(
        default=24.0,
        description="Hours after a swap that the old cluster is kept; then it is deleted with a final snapshot. 0 "
        "deletes it at once, `null` never.",
    )
    afterwards: Afterwards | None = Field(
        default=None,
        description="Stop or delete the restored cluster when it has been there for some hours; `null` leaves it.",
    )
    final_snapshot: bool = Field(
        default=True, description="Snapshot the old target before it is deleted; `false` deletes it for good."
    )
    on_failure: Literal["stop", "bring_back"] = Field(
        default="stop",
        description="After a failure for good once the old target is deleted: `stop` leaves things as they are, "
        "`bring_back` restores its final snapshot under its name with all of its settings; the run still ends as "
        "failed. A swap needs neither: its old target serves on.",
    )
    override_deletion_protection: bool = Field(
        default=False, description="Switch off the old target's deletion protection instead of refusing."
    )
    keep_copies: Kept = Field(default=3, description="Snapshot copies of this target to keep, this run's included.")
    keep_new_snapshots: Kept = Field(
        default=1, description="Snapshots that runs took for this target (`new`) to keep, this run's included."
    )
    keep_final_snapshots: Kept = Field(
        default=3,
        description="Final snapshots of this target to keep. That of a swap's old cluster comes after its hours: until "
        "the next run of the target there may be one more.",
    )
    manage_master_user_password: bool | None = Field(
        default=None,
        description="Let RDS make the master password and keep it in a secret of its own; `false` takes that of "
        "`master-credentials`; as on the old target when left out.",
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
    objectives: Objectives = Field(
        default_factory=Objectives, description="What recovery time and point are measured by, in the evidence."
    )
    approval: Approval | None = Field(
        default=None,
        description="Wait for a person who approves the plan, before anything is changed; the stack parameter "
        "`RequireApproval` asks for it in every run.",
    )
    start_window: StartWindow | None = Field(
        default=None,
        description="Hours within which a run may start, else it is refused; `null` starts at any time, whatever the "
        "stack's default is.",
    )
    dry_run: bool = Field(default=False, description="Check everything, write the plan, change nothing.")

    @property
    def is_drill(self) -> bool:
        """Whether nothing but the evidence is to stay."""
        return self.afterwards is not None and self.afterwards.is_drill

    @field_validator("afterwards")
    @classmethod
    def _leaves_nothing_behind(cls, value: Afterwards | None, info: ValidationInfo) -> Afterwards | None:
        if value is None or value.action != DELETE:
            return value
        if value.is_drill and (source := info.data.get("source")) is not None and source.snapshot == NEW:
            raise ValueError(
                'a source.snapshot other than "new" for a drill: it leaves nothing, and proves snapshots that are there'
            )
        if not value.is_drill and info.data.get("strategy") == SWAP:
            raise ValueError("strategy replace, or action stop: deleting a swap's new cluster leaves the old one aside")
        return value

    @field_validator("on_failure")
    @classmethod
    def _has_something_to_bring_back(cls, value: str, info: ValidationInfo) -> str:
        if value == BRING_BACK and info.data.get("final_snapshot") is False:
            raise ValueError("stop, as final_snapshot is false: without one nothing can be brought back")
        return value
