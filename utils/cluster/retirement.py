"""The retirement of an old cluster: an operation of its own, which deletes it when its hours are over."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from utils.errors import AuroraRestoreError, OperationRowConflict
from utils.operation.model import ExecutionRecord, Operation, OperationStatus, StepName
from utils.operation.planned import Identifiers
from utils.operation.retirement import brought_forward_id, retirement_id
from utils.operation.state_table import row_ttl
from utils.runtime.services import Services
from utils.runtime.step import logger

# What the names of the two state machines end with; they begin alike.
_PIPELINE, _RETIREMENT = "-pipeline", "-retirement"


def begin_retirements(operation: Operation, services: Services) -> list[dict[str, Any]]:
    """Write the row of the old cluster's retirement; return the executions that the state machine is to start.

    What an earlier swap put aside goes at once: one old cluster of a target is enough.
    """
    now = datetime.now(UTC)
    starts = _bring_forward(operation, now, services)
    hours, name = operation.request.keep_old_hours, retirement_id(operation.operation_id)
    if hours is not None and operation.is_swap and operation.undoes is None and operation.execution_arn:
        if services.operations.find(name) is None:
            # An earlier call may have written it meanwhile.
            with suppress(OperationRowConflict):
                services.operations.create(_retirement(operation, name, now))
        starts.append(start_of(name, name, hours))
    return starts


def end_retirement(undone_id: str, services: Services) -> None:
    """End the retirement of a swap that is undone: its cluster has the target's name again."""
    row = services.operations.find(retirement_id(undone_id))
    if row is None or row.status is not OperationStatus.RUNNING:
        return
    end_row(row, services)
    try:
        services.executions.stop(row.execution_arn)
    except AuroraRestoreError:
        # It finds its row ended when its hours are over, and does nothing.
        logger().exception("the retirement of an undone swap could not be stopped")


def end_row(retirement: Operation, services: Services) -> None:
    """End a retirement that has nothing to delete, and of which nobody need be told."""
    now = datetime.now(UTC)
    retirement.status, retirement.finished_at, retirement.notified_at = OperationStatus.SUCCEEDED, now, now
    services.operations.save(retirement)


def undo_that_holds(retirement: Operation, services: Services) -> Operation | None:
    """Return the undo that the retirement waits for, or that took its cluster away; None lets it go on.

    One that failed lets it go on unless it stopped half-way: the old cluster may be whom the name is to be given to.
    """
    undo = services.operations.find(retirement.held_by) if retirement.held_by else None
    if undo is None or undo.status is not OperationStatus.FAILED:
        return undo
    record = undo.swap
    return undo if record is not None and record.has_begun and record.first_answer_at is None else None


def start_of(name: str, operation_id: str, hours: float) -> dict[str, Any]:
    """Return how the state machine starts an execution under `name` that acts after some hours."""
    # The same name with the same input is one execution, however often it is started.
    return {"name": name, "input": {"operation_id": operation_id, "wait_seconds": round(hours * 3600)}}


def _bring_forward(operation: Operation, now: datetime, services: Services) -> list[dict[str, Any]]:
    maker = operation.old_target.made_by if operation.old_target else None
    older = services.operations.find(retirement_id(maker)) if maker else None
    if older is None or older.status is not OperationStatus.RUNNING or older.deletion is not None:
        return []
    name = brought_forward_id(operation.operation_id)
    older.execution_arn = execution_arn(operation, name)
    older.executions.append(ExecutionRecord(execution_arn=older.execution_arn, started_at=now))
    try:
        services.operations.save(older)
    except OperationRowConflict:
        return []  # its own hours are over just now
    return [start_of(name, older.operation_id, 0)]


def execution_arn(operation: Operation, name: str) -> str:
    """Return the ARN that an execution of the other state machine will have."""
    machine = operation.execution_arn.rpartition(":")[0]
    return f"{machine.removesuffix(_PIPELINE).removesuffix(_RETIREMENT)}{_RETIREMENT}:{name}"


def _retirement(operation: Operation, name: str, now: datetime) -> Operation:
    names, swap, old = operation.identifiers, operation.identifiers.swap, operation.old_target
    if swap is None or old is None:
        raise ValueError(f"operation {operation.operation_id} put nothing aside")
    arn = execution_arn(operation, name)
    members = tuple(swap.instances_aside.get(member, member) for member in old.member_ids)
    target = operation.request.target.model_copy(update={"cluster_id": swap.aside})
    plan = {
        "delete_target": True,
        "take_final_snapshot": operation.request.final_snapshot,
        "actions": [f"delete the old cluster {swap.aside} with {', '.join(members)}"],
    }
    return Operation(
        operation_id=name,
        retires=operation.operation_id,
        of_target=names.target_cluster_id,
        execution_arn=arn,
        executions=[ExecutionRecord(execution_arn=arn, started_at=now)],
        current_step=StepName.DELETE_RDS,
        request=operation.request.model_copy(update={"target": target}),
        plan=operation.plan.model_copy(update=plan),
        identifiers=Identifiers(
            target_cluster_id=swap.aside,
            instance_ids=[],
            copy_id=names.copy_id,
            final_snapshot_id=names.final_snapshot_id,
        ),
        snapshot=operation.snapshot,
        old_target=old.model_copy(update={"member_ids": members}),
        created_at=now,
        updated_at=now,
        ttl=row_ttl(now),
    )
