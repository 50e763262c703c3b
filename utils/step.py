"""What every step has in common: its event, its answer, its audit rows, and its one failure path."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel, Field, ValidationError, parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ConfigDict

from utils.audit_log import AuditEvent, AuditRow
from utils.errors import AuroraRestoreError, InvalidRequest, OperationClosed
from utils.operation import Operation, OperationStatus, StepName
from utils.operation_store import get_operation
from utils.services import Services, services
from utils.verification import VerifyEvent, verify


class StepStatus(StrEnum):
    """A step's answer to the state machine."""

    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    DRY_RUN = "DRY_RUN"
    SNAPSHOT_READY = "SNAPSHOT_READY"
    CLUSTER_READY = "CLUSTER_READY"


# Execution names allow no '#', which keeps operation ids apart from lock rows.
OperationId = Annotated[str, Field(pattern=r'^[^\s#"%\\^|~`$&,;:/<>{}\[\]?*\x00-\x1f\x7f-\x9f]{1,80}$')]


class StepEvent(BaseModel):
    """Input of every step but the first and the last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation_id: OperationId
    execution_arn: str = ""


class StartEvent(StepEvent):
    """Input of Snapshot Check: the raw request goes along."""

    request: Any


class ClosingEvent(StepEvent):
    """Input of SNS Notification: `error` is the state machine's `$states.errorOutput` of a failed run."""

    error: dict[str, Any] | None = None
    failed_step: str = ""


class StepResult(BaseModel):
    """Output of every step; nothing here is secret, and the operation row holds the rest."""

    model_config = ConfigDict(frozen=True)

    status: StepStatus
    wait_seconds: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)


_Event = TypeVar("_Event", bound=BaseModel)
LambdaHandler: TypeAlias = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


@cache
def logger() -> Logger:
    """Return the structured logger, configured by the POWERTOOLS variables."""
    return Logger()


def step(
    name: StepName, event_model: type[StepEvent] = StepEvent
) -> Callable[[Callable[[Any, Services], StepResult]], LambdaHandler]:
    """Make a step's Lambda handler: parse, audit, log, run, and re-raise what fails."""

    def decorate(run: Callable[[Any, Services], StepResult]) -> LambdaHandler:
        @functools.wraps(run)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            if isinstance(event, dict) and "verify" in event:
                return verify(name, _parse(event, VerifyEvent), services())
            parsed = _parse(event, event_model)
            here = _StepRun(name, parsed, context, services())
            here.record(AuditEvent.ENTERED)
            try:
                result = run(parsed, here.services)
            except Exception as error:
                here.record_failure(error)
                raise
            here.record(AuditEvent.LEFT, result.status, result.details)
            return result.model_dump(mode="json", exclude_none=True)

        return handler

    return decorate


def on_operation(event: StepEvent, services: Services, act: Callable[[Operation, Services], StepResult]) -> StepResult:
    """Let a step act on the operation while it runs; nothing is left to do for one that succeeded.

    Raises `OperationClosed` for one that failed or was only planned: its lock is gone, and so is its right to act.
    """
    operation = get_operation(services.operations, event.operation_id)
    if operation.status is OperationStatus.RUNNING and not operation.request.dry_run:
        return act(operation, services)
    if operation.status is OperationStatus.SUCCEEDED and not operation.request.dry_run:
        return StepResult(status=StepStatus.READY, details={"operation": "SUCCEEDED, nothing is left to do"})
    raise OperationClosed(
        f"operation {operation.operation_id} as {'a dry run' if operation.request.dry_run else operation.status.value}",
        field="operation_id",
        expected="an operation that is RUNNING",
        action="start the state machine with a new execution name; nothing was changed",
    )


def _parse(event: dict[str, Any], model: type[_Event]) -> _Event:
    try:
        return parse(event=event, model=model)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidRequest(
            problem["msg"],
            field=".".join(str(part) for part in problem["loc"]) or "event",
            expected='an event such as {"operation_id": "nightly-2026-11-22"}, as in the function\'s event.json',
            action="start the state machine, or correct the event",
        ) from None


class _StepRun:
    """One invocation of one step, as log and audit see it."""

    def __init__(self, name: StepName, event: StepEvent, context: LambdaContext, used: Services) -> None:
        self.services = used
        self._name = name
        self._operation_id = event.operation_id
        self._actor = event.execution_arn or context.invoked_function_arn
        used.calls.taken()
        logger().append_keys(operation_id=event.operation_id, step=name.value, request_id=context.aws_request_id)

    def record(self, event: AuditEvent, status: str = "", details: dict[str, Any] | None = None) -> None:
        calls = self.services.calls.taken()
        log = logger().error if event is AuditEvent.FAILED else logger().info
        log({"event": event.value, "status": status, "details": details or {}, "api_calls": calls})
        self.services.audit.append(
            AuditRow(
                operation_id=self._operation_id,
                step=self._name.value,
                event=event,
                actor=self._actor,
                at=datetime.now(UTC),
                status=status,
                details=details or {},
                api_calls=calls,
            )
        )

    def record_failure(self, error: Exception) -> None:
        # The text of an error that is not ours was written elsewhere and may hold anything.
        message = str(error) if isinstance(error, AuroraRestoreError) else "an error the pipeline does not know"
        try:
            self.record(AuditEvent.FAILED, type(error).__name__, {"message": message})
        except AuroraRestoreError:
            logger().exception("the audit row of a failure could not be written")
