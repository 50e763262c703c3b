"""What a step is called with and what it answers."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from utils.errors import AuroraRestoreError, ExecutionStopped, ExecutionTimedOut
from utils.identifiers import OPERATION_ID_PATTERN
from utils.json_text import NotJson, read_json
from utils.operation.store import Attempt
from utils.request.parsing import named_in


class StepStatus(StrEnum):
    """A step's answer to the state machine."""

    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    DRY_RUN = "DRY_RUN"
    COPY_AGAIN = "COPY_AGAIN"
    SNAPSHOT_READY = "SNAPSHOT_READY"
    CLUSTER_READY = "CLUSTER_READY"
    SWAP_READY = "SWAP_READY"
    SWAP_AGAIN = "SWAP_AGAIN"
    BROUGHT_BACK = "BROUGHT_BACK"
    UNDO = "UNDO"
    AFTERWARDS_CHANGED = "AFTERWARDS_CHANGED"


OperationId = Annotated[str, Field(pattern=OPERATION_ID_PATTERN)]


class StepEvent(BaseModel):
    """Input of every step but the first and the last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation_id: OperationId
    execution_arn: str = ""
    redrive_count: int = 0

    @property
    def attempt(self) -> Attempt:
        """Who calls the step."""
        return Attempt(execution_arn=self.execution_arn, redrive_count=self.redrive_count)

    @property
    def concerns(self) -> str:
        """The operation under whose id the step is recorded."""
        return self.operation_id

    @property
    def records_only_work(self) -> bool:
        """Whether a call that finds nothing to do leaves no audit row."""
        return False


class StartEvent(StepEvent):
    """Input of Snapshot Check: the raw request goes along, which may name an operation to resume."""

    request: Any

    @property
    def concerns(self) -> str:
        """The operation that the request wants to resume, if it names one."""
        return named_in(self.request) or self.operation_id


class FailedEvent(StepEvent):
    """Input of what is called after a step failed: `error` is the state machine's `$states.errorOutput`."""

    error: dict[str, Any] | None = None
    failed_step: str = ""


class SwapEvent(StepEvent):
    """Input of Swap Clusters, which also takes back what it began."""

    roll_back: bool = False


class PeriodWanted(BaseModel):
    """A period whose restores are to be reported and signed: so many days until then, or until now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[int, Field(ge=1, le=3660)]
    fresh_days: Annotated[int, Field(ge=1, le=3660)]
    until: AwareDatetime | None = None


class EvidenceEvent(StepEvent):
    """Input of Write Evidence: with `period` the report is of all restores in it, and the id is its own."""

    period: PeriodWanted | None = None


class StepResult(BaseModel):
    """Output of every step; nothing here is secret, and the operation row holds the rest."""

    model_config = ConfigDict(frozen=True)

    status: StepStatus
    operation_id: str | None = Field(default=None, description="The operation the execution works on, once known.")
    wait_seconds: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)


_STATUS_CHANGE = "Step Functions Execution Status Change"


_GO_ON = "go on with it as its message and ./restore.sh show {} say"


class Answer(BaseModel):
    """What a person answered, as `./restore.sh approve` and `reject` send it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approved: bool
    approver: Annotated[str, Field(max_length=2048)]
    reason: Annotated[str, Field(max_length=2000)] = ""


class ClosingEvent(FailedEvent):
    """Input of SNS Notification, which ends a run that failed with `error`, or one that succeeded.

    With `task_token` or `answer` it ends nothing: a person is asked for approval of the plan, or has answered.

    EventBridge's "Step Functions Execution Status Change" is taken as well: it comes after the execution's end, so that
    an operation is closed also when no state of the machine could do it.
    """

    task_token: SecretStr | None = Field(default=None, description="A person is to be asked: by this the run goes on.")
    answer: Answer | None = Field(default=None, description="A person has answered.")
    has_ended: bool = False

    @property
    def records_only_work(self) -> bool:
        """EventBridge tells of every end, also of one that the last step has closed."""
        return self.has_ended

    @model_validator(mode="before")
    @classmethod
    def _read_status_change(cls, event: Any) -> Any:
        if not (isinstance(event, dict) and event.get("detail-type") == _STATUS_CHANGE):
            return event
        detail = event.get("detail") or {}
        operation_id = _operation_of(detail)
        return {
            "operation_id": operation_id,
            "execution_arn": detail.get("executionArn", ""),
            "redrive_count": detail.get("redriveCount") or 0,
            "error": _end_of(detail, operation_id),
            "has_ended": True,
        }


def _operation_of(detail: dict[str, Any]) -> Any:
    try:
        asked = read_json(detail.get("input") or "{}")
    except NotJson:
        asked = None
    # What deletes or stops a cluster is told its operation, under whatever name it was started.
    told = asked.get("operation_id") if isinstance(asked, dict) else None
    return named_in(asked) or (told if isinstance(told, str) else None) or detail.get("name")


def _end_of(detail: dict[str, Any], operation_id: Any) -> dict[str, Any] | None:
    if detail.get("status") == "SUCCEEDED":
        return None
    by_its_last_step, what_to_do = "its end by its own last step", _GO_ON.format(operation_id)
    error: AuroraRestoreError
    if detail.get("status") == "ABORTED":
        error = ExecutionStopped("an execution that was stopped", expected=by_its_last_step, action=what_to_do)
    elif detail.get("status") == "TIMED_OUT":
        found = "an execution that took longer than the state machine may"
        error = ExecutionTimedOut(found, expected=by_its_last_step, action=what_to_do)
    else:
        return {"Error": detail.get("error") or "States.Runtime", "Cause": detail.get("cause") or ""}
    return {"Error": type(error).__name__, "Cause": str(error)}
