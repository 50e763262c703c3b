"""Step 1: validate the request, lock the target, pick the snapshot, check the guards, write the plan.

A request that only names an earlier operation resumes it with its own plan instead.
"""

from datetime import UTC, datetime

from utils.cluster.afterwards.beginning import begin_clean_up
from utils.cluster.afterwards.changing import change_afterwards
from utils.errors import (
    OperationClosed,
    OperationNotFound,
    OperationNotResumable,
    OperationRowConflict,
    PermanentError,
)
from utils.operation.model import Operation, OperationStatus
from utils.operation.restored_cluster import may_be_restored_by
from utils.operation.store import UnplannedOperation
from utils.plan import guards
from utils.plan.afterwards.drill import as_drill
from utils.plan.new_operation import new_operation
from utils.plan.source.snapshot_choice import check_age
from utils.plan.undo import hold_retirement, swap_to_undo, undo_operation
from utils.report.changes import NOTHING, changed_so_far, telling
from utils.request.afterwards import parse_afterwards_change
from utils.request.approval import Approval
from utils.request.model import RestoreRequest
from utils.request.parsing import RESUME, parse_request, parse_resume, parse_undo
from utils.request.start_window import check_start_window
from utils.runtime import resumption
from utils.runtime.announcements import announce_start
from utils.runtime.contract import StartEvent, StepResult, StepStatus
from utils.runtime.first_answer import NO_RUN, first_answer
from utils.runtime.services import Services
from utils.runtime.target_lock import take_lock


def snapshot_check(event: StartEvent, services: Services) -> StepResult:
    """Write the operation row with its plan, or reopen that of a failed operation; a second call answers the same.

    The answer's `operation_id` is the operation that the rest of the execution works on.
    """
    change = parse_afterwards_change(event.request)
    if change is not None:
        done = change_afterwards(change, services)
        return StepResult(
            status=StepStatus.AFTERWARDS_CHANGED,
            operation_id=event.operation_id,
            details=NO_RUN | {"afterwards": done},
        )
    resumed, undone = parse_resume(event.request), parse_undo(event.request)
    if undone:
        operation = _undoing(undone, event, services)
    else:
        operation = _resumed(resumed, event, services) if resumed else _started(event, services)
    clean_up = {"clean_up": starts} if (starts := begin_clean_up(operation, services)) else {}
    return StepResult(
        status=_status(operation),
        operation_id=operation.operation_id,
        details=first_answer(operation, services) | clean_up,
    )


def _status(operation: Operation) -> StepStatus:
    if operation.undoes is not None:
        return StepStatus.UNDO
    return StepStatus.DRY_RUN if operation.request.dry_run else StepStatus.READY


def _undoing(undone_id: str, event: StartEvent, services: Services) -> Operation:
    """Write the row of an undo, under the lock of its target; a second call answers the same."""
    undone = swap_to_undo(undone_id, services)
    target_id = undone.identifiers.target_cluster_id
    operation = services.operations.find(event.operation_id)
    try:
        if operation is None:
            take_lock(event.operation_id, event.attempt, target_id, undone.request, services)
            operation = undo_operation(event, undone, services)
            services.operations.create(operation)
        if operation.swap is None:
            # The row comes first: a retirement that finds itself held looks there whether to wait.
            hold_retirement(undone, event.operation_id, services)
    except PermanentError:
        services.operations.release_lock(services.settings.target_region, target_id, event.operation_id)
        raise
    return operation


def _started(event: StartEvent, services: Services) -> Operation:
    operation = services.operations.find(event.operation_id)
    if operation is None:
        guards.check_operation_id(event.operation_id)
        asked = _with_approval(parse_request(event.request, services.settings), services)
        request, drill_of = as_drill(asked, event.operation_id)
        guards.check_target_name(request.target.cluster_id, services.settings.target_cluster_pattern)
        if not request.dry_run:
            check_start_window(request.start_window, datetime.now(UTC))
        try:
            _reserve(event, request, services)
            with telling(lambda: NOTHING):
                operation = (
                    new_operation(event, request, services, drill_of=drill_of)
                    if request.dry_run
                    else _locked(event, request, drill_of, services)
                )
            services.operations.create(operation)
        except OperationRowConflict:
            _check_not_closed(event, request, services)
            raise
        announce_start(operation, services)
        return operation
    if resumption.is_redrive(event.attempt, operation):
        resumption.reopen(operation, event.attempt, services)
    if operation.finished_at is not None:
        raise _over(operation.operation_id, operation.finished_at)
    return operation


def _with_approval(request: RestoreRequest, services: Services) -> RestoreRequest:
    """Ask a person where the stack wants it, whatever the request says; a dry run changes nothing."""
    if request.dry_run:
        return request.model_copy(update={"approval": None})
    if services.settings.require_approval and request.approval is None:
        return request.model_copy(update={"approval": Approval()})
    return request


def _check_not_closed(event: StartEvent, request: RestoreRequest, services: Services) -> None:
    """Leave nothing behind if the execution was stopped, and its end told, before the plan was written."""
    closed = services.operations.find_unplanned(event.operation_id)
    if closed is None or closed.finished_at is None:
        return
    region, target_id = services.settings.target_region, request.target.cluster_id
    services.operations.release_lock(region, target_id, event.operation_id, event.attempt)
    raise _over(closed.operation_id, closed.finished_at)


def _over(operation_id: str, finished_at: datetime) -> OperationClosed:
    # AWS lets an execution name be used again after 90 days; the rows stay for longer.
    return OperationClosed(
        f"operation {operation_id}, which ended {finished_at:%Y-%m-%d %H:%M} UTC",
        field="operation_id",
        expected="the name of a new operation",
        action="start the state machine with a new execution name; nothing was changed",
    )


def _resumed(operation_id: str, event: StartEvent, services: Services) -> Operation:
    operation = services.operations.find(operation_id)
    if operation is None:
        raise _not_resumable(operation_id, services)
    if operation.status is OperationStatus.RUNNING and resumption.attempt_at(operation) == event.attempt:
        resumption.lock_again(operation, event.attempt, services)
        return operation
    resumption.check_resumable(operation, services)
    with telling(lambda: changed_so_far(operation).in_words()):
        if operation.undoes is None:
            _check_what_would_still_be_destroyed(operation, services)
        else:
            hold_retirement(swap_to_undo(operation.undoes, services), operation.operation_id, services)
    resumption.reopen(operation, event.attempt, services)
    announce_start(operation, services)
    return operation


def _not_resumable(operation_id: str, services: Services) -> OperationNotFound | OperationNotResumable:
    unplanned = services.operations.find_unplanned(operation_id)
    if unplanned is None:
        return OperationNotFound(
            f"no operation {operation_id!r}",
            field=RESUME,
            expected="the operation_id of a run that failed, which is the name of its first execution",
            action="correct it (aws stepfunctions list-executions tells the names); nothing was changed",
        )
    why = f"with {unplanned.error.name}" if unplanned.error else "without an answer"
    return OperationNotResumable(
        f"operation {operation_id}, which ended in Snapshot Check {why} and has no plan",
        field=RESUME,
        expected="an operation that failed after Snapshot Check",
        action="start a new run with the corrected request; nothing was changed",
    )


def _check_what_would_still_be_destroyed(operation: Operation, services: Services) -> None:
    """Judge an old target that still stands as if the run began now; what is already being deleted stays deleted."""
    target = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    is_old = target is not None and not may_be_restored_by(target, operation)
    if target is None or not is_old or target.status == "deleting":
        return
    guards.check_target_is_the_planned_one(target, operation.plan.old_target_resource_id)
    mark, is_leftover = services.settings.ownership_mark, operation.plan.half_restored_by is not None
    guards.check_target_may_go(operation.request, target, mark, is_leftover=is_leftover)
    if operation.deletion is None or operation.deletion.destroying_since is None:
        snapshot, most = operation.snapshot, operation.request.source.max_age_hours
        if not (snapshot.is_of_the_restore or snapshot.is_to_be_taken):
            now = services.clock.now()
            check_age(snapshot.identifier, snapshot.created_at, most, now, snapshot.restore_type)


def _reserve(event: StartEvent, request: RestoreRequest, services: Services) -> None:
    """Write down which target may be locked, as the execution may end before it has a plan."""
    services.operations.reserve(
        UnplannedOperation(
            operation_id=event.operation_id,
            execution_arn=event.execution_arn,
            redrive_count=event.redrive_count,
            target_cluster_id=None if request.dry_run else request.target.cluster_id,
            created_at=datetime.now(UTC),
        )
    )


def _locked(event: StartEvent, request: RestoreRequest, drill_of: str | None, services: Services) -> Operation:
    target_id = request.target.cluster_id
    take_lock(event.operation_id, event.attempt, target_id, request, services)
    try:
        return new_operation(event, request, services, drill_of=drill_of)
    except PermanentError:
        # There will be no plan to resume: the next run need not wait for the end of this execution.
        services.operations.release_lock(services.settings.target_region, target_id, event.operation_id)
        raise
