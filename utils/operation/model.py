"""One operation as its row in the state table holds it: the truth that every step reads and writes."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from utils.operation.after_restore import AfterwardsRecord
from utils.operation.planned import Identifiers, OldTarget, Plan, SourceSnapshot
from utils.operation.records import (
    ApprovalRecord,
    ArchiveRecord,
    Begun,
    BringBackRecord,
    CopyRecord,
    DeletionRecord,
    EvidenceRecord,
    ExposureRecord,
    OperationError,
    RestoreRecord,
    SwapRecord,
)
from utils.request.model import RestoreRequest


class StepName(StrEnum):
    """The ten steps, and the two of a swap; each value is the state's name in the state machine."""

    SNAPSHOT_CHECK = "Snapshot Check"
    COPY_SNAPSHOT = "Copy Snapshot"
    CHECK_COPY_STATUS = "Check Copy Status"
    DELETE_RDS = "Delete RDS"
    CHECK_DELETE_STATUS = "Check Delete Status"
    RESTORE_SNAPSHOT = "Restore Snapshot"
    CHECK_RESTORE_STATUS = "Check Restore Status"
    SETUP_DB_USERS = "Setup DB Users"
    SWAP_CLUSTERS = "Swap Clusters"
    CHECK_SWAP_STATUS = "Check Swap Status"
    ARCHIVE_SNAPSHOT = "Archive Snapshot"
    SNS_NOTIFICATION = "SNS Notification"


class Helper(StrEnum):
    """Functions that a step calls: no state of the state machine waits for them."""

    WRITE_EVIDENCE = "Write Evidence"


class OperationStatus(StrEnum):
    """Where an operation stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class ScriptRecord(BaseModel):
    """A script of `post_restore_sql` that was run and committed; `user` is who it ran as."""

    s3_uri: str
    version_id: str | None
    sha256: str
    database: str
    user: str
    as_master: bool = Field(default=False, description="It, and whatever it touched, ran with the master's rights.")
    statements: int
    seconds: float


class CheckRecord(BaseModel):
    """A check that was asked, with what was found; a text that does not fit is not repeated."""

    name: str
    database: str
    expected: str
    found: str
    holds: bool


class Verdict(StrEnum):
    """What became of something that a copy brings along."""

    MENDED = "mended"
    CLOSED = "closed"
    HARMLESS = "harmless"
    FOR_A_PERSON = "for a person"


class HealthRecord(BaseModel):
    """A kind of thing that the copy brings along, with its number and the first of its names."""

    verdict: Verdict
    what: str
    names: list[str]
    count: int
    database: str | None = Field(default=None, description="None for what belongs to the cluster.")

    def __str__(self) -> str:
        """Say it in one line."""
        more = f" and {self.count - len(self.names)} more" if self.count > len(self.names) else ""
        where = f"{self.database}: " if self.database is not None else ""
        return f"{self.verdict.value}: {where}{self.what}: {', '.join(self.names)}{more}"


class UsersRecord(BaseModel):
    """The database users; names and proofs only, never a password."""

    master_reset_at: datetime | None = None
    finished_at: datetime | None = None
    databases: list[str] = []
    proofs: dict[str, list[str]] = Field(default_factory=dict, description="User name to what was proven.")
    shut_out: list[str] = Field(default_factory=list, description="Logins that came with the snapshot.")
    kept: list[str] = Field(default_factory=list, description="Those of `keep_logins`, which can still log in.")
    unknown_logins: list[str] = Field(default_factory=list, description="Those of `keep_logins` that do not exist.")
    left_to_aws: list[str] = Field(default_factory=list, description="AWS's own logins.")
    disarmed: list[str] = Field(default_factory=list, description="What would have run with the master's rights.")
    outbound: list[str] = Field(default_factory=list, description="What called out of the copy, without its options.")
    outbound_closed: bool | None = None
    scripts: list[ScriptRecord] = Field(default_factory=list, description="Those of `post_restore_sql` that ran.")
    checks: list[CheckRecord] = []
    health: list[HealthRecord] = Field(default_factory=list, description="What the copy brings along.")


class ExecutionRecord(BaseModel):
    """An execution that works or worked on the operation; each redrive of one is a record of its own."""

    execution_arn: str
    redrive_count: int = 0
    started_at: datetime
    finished_at: datetime | None = None
    error: OperationError | None = None


class Operation(BaseModel):
    """The row of one operation, written when its plan is made."""

    model_config = ConfigDict(populate_by_name=True)

    operation_id: str
    execution_arn: str = Field(description="The execution that works on it now, or did last.")
    executions: list[ExecutionRecord] = Field(default_factory=list, description="All that worked on it, in order.")
    retires: str | None = Field(default=None, description="The operation whose cluster it deletes or stops; no more.")
    afterwards: AfterwardsRecord | None = Field(default=None, description="Of what it does with a restored cluster.")
    undoes: str | None = Field(default=None, description="The swap whose names it exchanges back; it restores nothing.")
    held_by: str | None = Field(default=None, description="Of a retirement: the undo whose end it waits for.")
    of_target: str | None = Field(default=None, description="Of a retirement: the target that its cluster was.")
    version: int = 0
    status: OperationStatus = OperationStatus.RUNNING
    current_step: StepName = StepName.SNAPSHOT_CHECK
    request: RestoreRequest
    plan: Plan
    identifiers: Identifiers
    snapshot: SourceSnapshot
    old_target: OldTarget | None = None
    copied: CopyRecord | None = Field(default=None, alias="copy")
    deletion: DeletionRecord | None = None
    restore: RestoreRecord | None = None
    exposure: ExposureRecord = Field(default_factory=ExposureRecord)
    users: UsersRecord | None = None
    swap: SwapRecord | None = None
    bring_back: BringBackRecord | None = None
    archive: ArchiveRecord | None = None
    approval: ApprovalRecord | None = None
    evidence: EvidenceRecord | None = None
    begun: Begun = Field(default_factory=Begun)
    first_seen: dict[str, datetime] = Field(default_factory=dict, description="What is an error only once it lasts.")
    error: OperationError | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    notified_at: datetime | None = None
    ttl: int = Field(description="Seconds since 1970 after which DynamoDB may remove the row.")

    @property
    def redrive_count(self) -> int:
        """How often the execution that works on it had been redriven."""
        return self.executions[-1].redrive_count if self.executions else 0

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier execution ended too early, and this one goes on."""
        return len(self.executions) > 1

    @property
    def awaits_approval(self) -> bool:
        """Whether a person must approve the plan before anything is changed, and has not yet."""
        return self.request.approval is not None and not (self.approval is not None and self.approval.approved)

    @property
    def restored_from(self) -> str:
        """Identifier or ARN of what is restored: the copy, the source snapshot, or the old target's final snapshot."""
        if self.bring_back is not None:
            return self.identifiers.final_snapshot_id
        return self.identifiers.copy_id if self.plan.copy_needed else self.snapshot.arn

    @property
    def is_swap(self) -> bool:
        """Whether the new cluster is restored beside the old one, and their names are exchanged."""
        return self.identifiers.swap is not None

    @property
    def is_switched(self) -> bool:
        """Whether the new cluster has the target's name."""
        return not self.is_swap or (self.swap is not None and self.swap.switched_at is not None)

    @property
    def restored_cluster_id(self) -> str:
        """What the restored cluster is called now."""
        names = self.identifiers
        return names.swap.beside if names.swap and not self.is_switched else names.target_cluster_id

    @property
    def restored_instance_ids(self) -> list[str]:
        """What the instances are called as long as the restored cluster is made."""
        if self.bring_back is not None and self.old_target is not None:
            return [member.identifier for member in self.old_target.settings.members]
        beside = self.identifiers.swap.instances_beside if self.identifiers.swap else {}
        return [beside.get(name, name) for name in self.identifiers.instance_ids]

    def swap_record(self, now: datetime) -> SwapRecord:
        """Return the record of the swap, which begins now if there is none."""
        self.swap = self.swap or SwapRecord()
        self.swap.started_at = self.swap.started_at or now
        return self.swap

    def copy_record(self, now: datetime) -> CopyRecord:
        """Return the record of the snapshot copy, which begins now if there is none."""
        self.copied = self.copied or CopyRecord(started_at=now)
        return self.copied

    def deletion_record(self) -> DeletionRecord:
        """Return the record of the old target's end, an empty one if there is none."""
        self.deletion = self.deletion or DeletionRecord()
        return self.deletion

    def restore_record(self, now: datetime) -> RestoreRecord:
        """Return the record of the restore, which begins now if there is none."""
        self.restore = self.restore or RestoreRecord(started_at=now)
        return self.restore

    def users_record(self) -> UsersRecord:
        """Return the record of the database users, an empty one if there is none."""
        self.users = self.users or UsersRecord()
        return self.users

    def archive_record(self) -> ArchiveRecord:
        """Return the record of what was archived and pruned, an empty one if there is none."""
        self.archive = self.archive or ArchiveRecord()
        return self.archive
