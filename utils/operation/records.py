"""What the phases of an operation write down: copy, deletion, restore, archive, and what was begun in passing."""

from datetime import datetime
from math import ceil

from pydantic import BaseModel, Field

from utils.operation.after_restore import SettingsRecord

# RDS's answers are dated in whole seconds.
_CLOCK_SECONDS = 1.0


class CopyRecord(BaseModel):
    """The snapshot copy."""

    started_at: datetime
    finished_at: datetime | None = None
    arn: str | None = None
    percent: int = 0
    waits_for_room: bool = False
    refused_for_no_reason: bool = Field(default=False, description="The last time, by a quota that is not reached.")
    missing_since: datetime | None = Field(default=None, description="RDS did not show it from here on.")


class Begun(BaseModel):
    """What was begun and no other record keeps for good; names of snapshots, instances and clusters."""

    new_snapshot_requested: bool = False
    copy_requested: bool = False
    restore_requested: bool = False
    restored_resource_id: str | None = Field(default=None, description="Of the cluster restored last; None: not seen.")
    left_resource_id: str | None = Field(default=None, description="Of the one before, once another is asked for.")
    final_snapshot_requested: bool = False
    final_snapshot_lost: bool = False
    old_target_started: bool = False
    pruned: list[str] = Field(default_factory=list, description="Older snapshots, deleted to make room.")
    half_restored: list[str] = Field(default_factory=list, description="Deleted again to be restored once more.")
    not_brought_back: str = Field(default="", description="Why the old data was not brought back, though asked for.")


class DeletionRecord(BaseModel):
    """The old target's end."""

    started_at: datetime | None = Field(default=None, description="None until the first look after a resumption.")
    finished_at: datetime | None = None
    final_snapshot_arn: str | None = None
    final_snapshot_is_fresh: bool = Field(default=False, description="It is of the attempt that is to delete.")
    destroying_since: datetime | None = Field(default=None, description="Before this moment nothing was taken away.")
    deleted_members: list[str] = []
    protection_switched_off: bool = False
    protection_given_back: bool = False
    cluster_stays: bool = Field(default=False, description="RDS refused to delete the cluster or a member of it.")
    refused_since: datetime | None = None
    waits_for_room: bool = False
    refused_for_no_reason: bool = Field(default=False, description="The last time, by a quota that is not reached.")
    missing_since: datetime | None = Field(default=None, description="RDS did not show its snapshot from here on.")


class RestoreRecord(BaseModel):
    """The restored cluster."""

    started_at: datetime
    finished_at: datetime | None = None
    cluster_arn: str | None = None
    resource_id: str | None = None
    endpoint: str | None = None
    port: int | None = None
    engine_version: str | None = None
    instance_ids: list[str] = []
    notes: list[str] = Field(default_factory=list, description="What others did to it meanwhile, and stays as it is.")
    waits_for_capacity: bool = False
    settings: SettingsRecord = Field(default_factory=SettingsRecord)
    missing_since: datetime | None = Field(default=None, description="RDS did not show the cluster from here on.")


class OutageRecord(BaseModel):
    """How long a name did not answer, as far as looks can tell; times by RDS's clock."""

    answered_at: datetime | None = Field(default=None, description="Whoever had the name answered under it last.")
    silent_since: datetime | None = Field(default=None, description="The first look since then without an answer.")
    silent_until: datetime | None = Field(default=None, description="The latest such look.")
    unseen_seconds: float | None = Field(default=None, description="Between two answers at most, in an unseen restart.")
    least_seconds: float = Field(default=0.0, description="Of what is over, at least.")
    most_seconds: float = Field(default=0.0, description="Of what is over, at most.")

    @property
    def seconds(self) -> int:
        """How long the name did not answer: the middle of what is possible."""
        return round((self.least_seconds + self.most_seconds) / 2)

    @property
    def uncertainty_seconds(self) -> int:
        """How much longer or shorter it may have been in truth."""
        return ceil((self.most_seconds - self.least_seconds) / 2)

    def note_silence(self, looked_at: datetime, now: datetime) -> None:
        """Keep that a look which began at `looked_at` and is over now met nobody under the name."""
        self.silent_since, self.silent_until = self.silent_since or now, looked_at

    def note_answer(self, looked_at: datetime, now: datetime) -> None:
        """Keep that a look which began at `looked_at` and is over now was answered, and add up what that ended."""
        if self.answered_at is not None:
            self._add_up((now - self.answered_at).total_seconds())
        self.answered_at, self.silent_since, self.silent_until = looked_at, None, None

    def note_restart(self, now: datetime) -> None:
        """Keep that what answers now is about to be restarted."""
        self.note_answer(now, now)
        self.unseen_seconds = 0.0

    def end_restart(self) -> None:
        """Count a restart that no look has met as one that may have taken all the time between two answers."""
        if self.unseen_seconds is not None:
            self.most_seconds += self.unseen_seconds + _CLOCK_SECONDS
        self.unseen_seconds = None

    def _add_up(self, seconds: float) -> None:
        if self.silent_since is not None and self.silent_until is not None:
            silent = (self.silent_until - self.silent_since).total_seconds()
            self.least_seconds += max(silent - _CLOCK_SECONDS, 0.0)
            self.most_seconds += seconds + _CLOCK_SECONDS
            self.unseen_seconds = None
        elif self.unseen_seconds is not None:
            self.unseen_seconds = max(self.unseen_seconds, seconds)


class SwapRecord(BaseModel):
    """The exchange of names; times by RDS's clock."""

    started_at: datetime | None = Field(default=None, description="None until the first look after a resumption.")
    begun_at: datetime | None = Field(default=None, description="Before this moment nothing was renamed.")
    outage: OutageRecord = Field(default_factory=OutageRecord, description="How long nobody answered under the name.")
    switched_at: datetime | None = Field(default=None, description="The new cluster was seen under the name.")
    first_answer_at: datetime | None = Field(default=None, description="It was proven under the name.")
    writer_renamed_at: datetime | None = Field(default=None, description="The new writer was told its name: a restart.")
    writer_answered_at: datetime | None = Field(default=None, description="It was proven under the name again.")
    restart: str = Field(default="", description="How far a restart for the certificate is: stop, start.")
    restarted_at: datetime | None = None
    rolling_back_since: datetime | None = None
    rolled_back_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the proven new cluster may have either name: RDS alone knows, and nothing is restored any more."""
        return self.begun_at is not None and self.rolled_back_at is None

    @property
    def latest_move_at(self) -> datetime | None:
        """When something last began that may take the name away, or the swap itself."""
        moves = (self.started_at, self.begun_at, self.switched_at, self.restarted_at, self.writer_renamed_at)
        return max((at for at in (*moves, self.rolling_back_since) if at is not None), default=None)

    @property
    def outage_seconds(self) -> int | None:
        """The seconds in which the name did not answer; None while it does not."""
        return self.outage.seconds if self.first_answer_at or self.rolled_back_at else None

    @property
    def outage_uncertainty_seconds(self) -> int | None:
        """The seconds by which the outage may have been longer or shorter, as looks are some seconds apart."""
        return self.outage.uncertainty_seconds if self.first_answer_at or self.rolled_back_at else None


class ExposureRecord(BaseModel):
    """When production's passwords could have opened the copy; in quarantine they never could."""

    closed_at: datetime | None = Field(default=None, description="The last look at which no instance answered yet.")
    since: datetime | None = Field(default=None, description="From here on an instance may have answered.")
    ended_at: datetime | None = Field(default=None, description="Production's logins were shut out.")
    network_opened_at: datetime | None = Field(
        default=None, description="The target's security groups were in force in place of the quarantine's."
    )

    @property
    def seconds(self) -> int | None:
        """How long it lasted; None while it goes on."""
        if self.since is None:
            return 0
        return round((self.ended_at - self.since).total_seconds()) if self.ended_at is not None else None


class ApprovalRecord(BaseModel):
    """The question to a person, and the answer."""

    asked_at: datetime
    expires_at: datetime
    approved: bool | None = Field(default=None, description="None while nobody has answered.")
    answered_at: datetime | None = None
    approver: str | None = Field(default=None, description="ARN of the caller, as the command tells it.")
    reason: str | None = None


class EvidenceRecord(BaseModel):
    """Where the evidence of the operation is, or why there is none."""

    folder: str | None = Field(default=None, description="`s3://…/`, in which the files are.")
    sha256: dict[str, str] = Field(default_factory=dict, description="Digest of each file.")
    signed_by: str | None = Field(default=None, description="ARN of the key.")
    error: str | None = Field(default=None, description="Name of the error by which it was not written.")


class OperationError(BaseModel):
    """Why an operation failed."""

    name: str
    message: str
    step: str


class BringBackRecord(BaseModel):
    """The old target's data, restored under its name from the final snapshot; times by RDS's clock."""

    begun_at: datetime
    because: OperationError = Field(description="Why the new cluster failed for good.")
    failed_resource_id: str | None = Field(default=None, description="The new cluster, which gives way; None: none.")
    cleared_at: datetime | None = Field(default=None, description="Since then what has the name is the old data.")
    finished_at: datetime | None = Field(default=None, description="It was available with its settings and answered.")
    master_managed_at: datetime | None = Field(default=None, description="RDS was told to keep the master's password.")
    logins: list[str] = Field(default_factory=list, description="Users of the secrets that logged in.")
    refused: list[str] = Field(default_factory=list, description="Those whose passwords the old data does not know.")
    error: OperationError | None = Field(default=None, description="Why the old data is not back.")


class ArchiveRecord(BaseModel):
    """What was kept and what was pruned."""

    archived: str | None = None
    pruned_copies: list[str] = []
    pruned_final_snapshots: list[str] = []
    pruned_new_snapshots: list[str] = []

    @property
    def pruned(self) -> list[str]:
        """All of them."""
        return [*self.pruned_copies, *self.pruned_final_snapshots, *self.pruned_new_snapshots]
