"""The row of what becomes of a restored cluster, and the execution that works on it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from utils.cluster.retirement import end_row, execution_arn, start_of
from utils.errors import AuroraRestoreError, IdentifierTaken, OperationRowConflict
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import ExecutionRecord, Operation, OperationStatus, StepName
from utils.operation.planned import Identifiers
from utils.operation.restored_cluster import known_resource_id
from utils.operation.retirement import afterwards_id, final_snapshot_of_afterwards, restores
from utils.operation.state_table import row_ttl
from utils.request.afterwards import DELETE, Afterwards
from utils.request.model import RestoreRequest
from utils.runtime.services import Services
from utils.runtime.step import logger

_NEVER_BEGAN = "the run ended before this was started"
_LONGEST_DELETE_HOURS = 120.0


def begin_clean_up(operation: Operation, services: Services) -> list[dict[str, Any]]:
    """Write the row of a drill's clean-up before anything is made; return the execution that is to wait for its end."""
    wanted = operation.request.afterwards
    if wanted is None or not wanted.is_drill or operation.request.dry_run or not operation.execution_arn:
        return []
    return [_begun(operation, wanted, None, services)]


def begin_afterwards(operation: Operation, services: Services) -> list[dict[str, Any]]:
    """Write the row of what becomes of a cluster that is proven; return the execution that waits so many hours."""
    wanted = operation.request.afterwards
    if wanted is None or wanted.is_drill or not restores(operation) or not operation.execution_arn:
        return []
    due_at = services.clock.now() + timedelta(hours=wanted.after_hours)
    return [_begun(operation, wanted, due_at, services)]


def end_what_never_began(operation: Operation, services: Services) -> None:
    """End the row of what was to come after a run that failed before it was started, or could not start it."""
    row = services.operations.find(afterwards_id(operation.operation_id))
    is_its_own = row is not None and row.retires == operation.operation_id
    if row is None or row.afterwards is None or not is_its_own or row.status is not OperationStatus.RUNNING:
        return
    try:
        has_begun = services.executions.has_begun(row.execution_arn)
    except AuroraRestoreError:
        logger().exception("whether %s has begun cannot be told", row.execution_arn)
        return
    if not has_begun:
        row.afterwards.ended = _NEVER_BEGAN
        end_row(row, services)


def _begun(operation: Operation, wanted: Afterwards, due_at: datetime | None, services: Services) -> dict[str, Any]:
    name = afterwards_id(operation.operation_id)
    found = services.operations.find(name)
    if found is None:
        try:
            services.operations.create(_row(operation, wanted, name, due_at))
            return start_of(name, name, wanted.after_hours)
        except OperationRowConflict:
            # An earlier call may have written it meanwhile.
            found = services.operations.find(name)
    if found is not None and found.afterwards is not None and found.afterwards.ended == _NEVER_BEGAN:
        _begin_again(found, found.afterwards, due_at, services)
    if found is None or found.retires != operation.operation_id:
        # Nothing would become of the cluster, without a word.
        raise IdentifierTaken(
            f"operation {name}, which is a run of its own",
            field="operation_id",
            expected=f"no operation of the name by which the cluster of {operation.operation_id} is stopped or deleted",
            action="stop or delete the cluster by hand if it is there, and start the next run under another name",
        )
    return start_of(name, name, wanted.after_hours)


def _begin_again(row: Operation, record: AfterwardsRecord, due_at: datetime | None, services: Services) -> None:
    """Take up the row of a run that was resumed, whose execution was never started."""
    record.ended, record.due_at = "", due_at
    row.status, row.finished_at, row.notified_at = OperationStatus.RUNNING, None, None
    services.operations.save(row)


def _row(operation: Operation, wanted: Afterwards, name: str, due_at: datetime | None) -> Operation:
    now, names, arn = datetime.now(UTC), operation.identifiers, execution_arn(operation, name)
    final_snapshot = wanted.action == DELETE and not wanted.is_drill and operation.request.final_snapshot
    plan = {
        "delete_target": wanted.action == DELETE,
        "take_final_snapshot": final_snapshot,
        # Known once it was seen: nothing with another one is ever touched.
        "old_target_resource_id": known_resource_id(operation),
        "half_restored_by": None,
        "deleted_in_part_by": None,
        "bring_back": None,
        "actions": [f"{wanted.action} {names.target_cluster_id}, which operation {operation.operation_id} restored"],
    }
    return Operation(
        operation_id=name,
        retires=operation.operation_id,
        afterwards=AfterwardsRecord(action=wanted.action, is_drill=wanted.is_drill, due_at=due_at),
        execution_arn=arn,
        executions=[ExecutionRecord(execution_arn=arn, started_at=now)],
        current_step=StepName.DELETE_RDS,
        request=_request(operation, wanted),
        plan=operation.plan.model_copy(update=plan),
        identifiers=Identifiers(
            target_cluster_id=names.target_cluster_id,
            instance_ids=names.instance_ids,
            copy_id=names.copy_id,
            final_snapshot_id=final_snapshot_of_afterwards(names.target_cluster_id, operation.operation_id),
            drill_of=names.drill_of,
        ),
        snapshot=operation.snapshot,
        created_at=now,
        updated_at=now,
        ttl=row_ttl(now),
    )


def _request(operation: Operation, wanted: Afterwards) -> RestoreRequest:
    """Return what the deletion goes by: a clean-up may have to wait for whatever its drill had begun."""
    request, is_protected = operation.request, operation.plan.settings.deletion_protection is True
    # What may be overridden is the protection that the run itself gave: another one is somebody's who wants to keep it.
    changes: dict[str, Any] = {"override_deletion_protection": request.override_deletion_protection and is_protected}
    if wanted.is_drill:
        budgets = request.budgets
        hours = min(budgets.copy_hours + budgets.delete_hours + budgets.restore_hours, _LONGEST_DELETE_HOURS)
        changes["budgets"] = budgets.model_copy(update={"delete_hours": hours})
    return request.model_copy(update=changes)
