"""What every step has in common: its event, its answer, its audit rows, and its one failure path."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from utils.errors import AuroraRestoreError, InvalidRequest, OperationClosed, PermanentError
from utils.operation.audit_log import AuditEvent, AuditRow
from utils.operation.model import Helper, Operation, OperationStatus, StepName
from utils.operation.store import get_operation
from utils.report.changes import changed_so_far, telling
from utils.report.metrics import measure_step
from utils.runtime import resumption
from utils.runtime.contract import StepEvent, StepResult, StepStatus
from utils.runtime.services import Services, services
from utils.runtime.verification import VerifyEvent, verify

_Event = TypeVar("_Event", bound=BaseModel)
Act: TypeAlias = Callable[[Operation, Services], StepResult]
LambdaHandler: TypeAlias = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


@cache
def logger() -> Logger:
    """Return the structured logger, configured by the POWERTOOLS variables."""
    return Logger()


def step(
    name: StepName | Helper, event_model: type[StepEvent] = StepEvent
) -> Callable[[Callable[[Any, Services], StepResult]], LambdaHandler]:
    """Make a function's Lambda handler: parse, audit, log, run, and re-raise what fails."""

    def decorate(run: Callable[[Any, Services], StepResult]) -> LambdaHandler:
        @functools.wraps(run)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            if isinstance(event, dict) and "verify" in event:
                return verify(name, _parse(event, VerifyEvent), services())
            parsed = _parse(event, event_model)
            here = _StepRun(name, parsed, context, services())
            if not parsed.records_only_work:
                here.enter()
            try:
                result = run(parsed, here.services)
            except Exception as error:
                here.record_failure(error)
                raise
            if result.details or not parsed.records_only_work:
                here.record(AuditEvent.LEFT, result.status, result.details)
            return result.model_dump(mode="json", exclude_none=True)

        return handler

    return decorate


def operation_step(name: StepName) -> Callable[[Act], LambdaHandler]:
    """Make the Lambda handler of a step that acts on an operation."""

    def decorate(act: Act) -> LambdaHandler:
        @functools.wraps(act)
        def run(event: StepEvent, services: Services) -> StepResult:
            return on_operation(name, event, services, act)

        return step(name)(run)

    return decorate


def on_operation(name: StepName, event: StepEvent, services: Services, act: Act) -> StepResult:
    """Let a step act on the operation while it runs; nothing is left to do for one that succeeded.

    A redrive of its execution opens a failed operation again, and so does a new execution of what deletes or stops a
    cluster. Raises `OperationClosed` when the operation failed, was only planned, or is worked on by another execution
    by now, as this one has lost its lock. Raises `OperationInProgress` when another operation has locked the target
    since.
    """
    operation = get_operation(services.operations, event.operation_id)
    if operation.request.dry_run:
        raise _closed(operation, "a dry run")
    if operation.status is OperationStatus.SUCCEEDED:
        return StepResult(status=StepStatus.READY, details={"operation": "SUCCEEDED, nothing is left to do"})
    if resumption.is_redrive(event.attempt, operation) or resumption.is_started_again(event.attempt, operation):
        resumption.reopen(operation, event.attempt, services, may_take_over=False)
    resumption.check_worked_on_by(event.attempt, operation)
    if operation.status is OperationStatus.FAILED:
        raise _closed(operation, "FAILED")
    result = act_on(name, operation, services, act)
    measure_step(operation, is_waiting=result.status is StepStatus.IN_PROGRESS)
    return result


def act_on(name: StepName, operation: Operation, services: Services, act: Act) -> StepResult:
    """Let the step `name` act; its error says what the operation has changed so far, and the row keeps that."""
    before = operation.begun.model_copy(deep=True)
    operation.current_step = name
    try:
        with telling(lambda: changed_so_far(operation).in_words()):
            return act(operation, services)
    except PermanentError:
        if operation.begun != before:
            _keep(operation, services)
        raise


def _keep(operation: Operation, services: Services) -> None:
    # Nothing else of what the step had in hand is kept: it did not come to its end.
    row = get_operation(services.operations, operation.operation_id)
    row.begun = operation.begun
    try:
        services.operations.save(row)
    except AuroraRestoreError:
        logger().exception("what was begun could not be kept in the row")


def _closed(operation: Operation, found: str) -> OperationClosed:
    return OperationClosed(
        f"operation {operation.operation_id} as {found}",
        field="operation_id",
        expected="an operation that is RUNNING",
        action=f'start the state machine with {{"resume": "{operation.operation_id}"}} to resume one that failed, '
        "or with a new request; this call changed nothing",
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

    def __init__(self, name: StepName | Helper, event: StepEvent, context: LambdaContext, used: Services) -> None:
        self.services = used
        self._name = name
        self._operation_id = event.concerns
        self._actor = event.execution_arn or context.invoked_function_arn
        self._began, self._is_entered = datetime.now(UTC), False
        used.calls.taken()
        logger().append_keys(operation_id=event.concerns, step=name.value, request_id=context.aws_request_id)

    def enter(self) -> None:
        """Record the entry as of when the step began; every further call does nothing."""
        if not self._is_entered:
            self._is_entered = True
            self._record(AuditEvent.ENTERED, "", {}, self._began, [])

    def record(self, event: AuditEvent, status: str = "", details: dict[str, Any] | None = None) -> None:
        """Record how the step ended, its entry first."""
        self.enter()
        self._record(event, status, details or {}, datetime.now(UTC), self.services.calls.taken())

    def _record(self, event: AuditEvent, status: str, details: dict[str, Any], at: datetime, calls: list[str]) -> None:
        log = logger().error if event is AuditEvent.FAILED else logger().info
        log({"event": event.value, "status": status, "details": details, "api_calls": calls})
        if isinstance(self._name, Helper):
            return  # the step that called it has the row
        self.services.audit.append(
            AuditRow(
                operation_id=self._operation_id,
                step=self._name.value,
                event=event,
                actor=self._actor,
                at=at,
                status=status,
                details=details,
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
