"""Undoing a swap: the same exchange of names, back; the old data under the target's name, the new cluster put aside."""

from datetime import UTC, datetime

from utils.aws.rds_models import Cluster
from utils.aws.rds_statuses import RESTORED_CLUSTER
from utils.errors import InvalidRequest, OperationRowConflict
from utils.identifiers import digest_of, suffixed_identifier
from utils.operation.model import ExecutionRecord, Operation, OperationStatus
from utils.operation.planned import Identifiers, SwapNames
from utils.operation.restored_cluster import may_be_restored_by
from utils.operation.retirement import retirement_id
from utils.operation.state_table import row_ttl
from utils.request.parsing import UNDO
from utils.runtime.contract import StartEvent
from utils.runtime.services import Services

_STOPPED = {"stopped", "stopping"}  # as `afterwards` may have it; what else is not at rest comes to rest by itself


def swap_to_undo(operation_id: str, services: Services) -> Operation:
    """Return the swap that is to be undone; raises `InvalidRequest` for anything that is none, or not over."""
    found = services.operations.find(operation_id)
    if found is None or not found.is_swap or found.undoes or found.swap is None or found.swap.finished_at is None:
        raise _refused(
            _what_is_no_swap(found) if found else f"no operation {operation_id!r}",
            "an operation with strategy swap that came to its end",
            _instead(found),
        )
    return found


def _what_is_no_swap(found: Operation) -> str:
    if found.undoes:
        return f"operation {found.operation_id}, which undid {found.undoes}"
    if found.swap is not None and found.swap.has_begun:
        return f"operation {found.operation_id}, whose exchange of names is not over"
    return f"operation {found.operation_id}, which exchanged no names"


def _instead(found: Operation | None) -> str:
    if found is not None and found.undoes and found.identifiers.swap is not None:
        target_id, aside = found.identifiers.target_cluster_id, found.identifiers.swap.aside
        return f"rename {target_id} and {aside} by hand to have the restored data back, or start a new run"
    if found is not None and found.swap is not None and found.swap.has_begun:
        return f"wait for its end, or resume it (./restore.sh resume {found.operation_id}), then undo it"
    return "name the swap: ./restore.sh runs lists what there is"


def undo_operation(event: StartEvent, undone: Operation, services: Services) -> Operation:
    """Plan the way back; raises `InvalidRequest` when there is none."""
    swap, target_id, rds = undone.identifiers.swap, undone.identifiers.target_cluster_id, services.rds()
    if swap is None:
        raise ValueError(f"operation {undone.operation_id} is no swap")
    new, old = rds.find_cluster(target_id), rds.find_cluster(swap.aside)
    new, old = _checked(undone, new, old)
    _check_retirement(undone, _retirement_of(undone, services))
    now, suffix = datetime.now(UTC), f"undone-{digest_of(event.operation_id)}"
    here = {member.identifier for member in rds.instances_of(swap.aside)}
    leaving = [member for member in rds.instances_of(target_id) if not member.is_autoscaled]
    names = SwapNames(
        beside=swap.aside,
        aside=suffixed_identifier(target_id, suffix),
        instances_beside={final: name for final, name in swap.instances_aside.items() if name in here},
        instances_aside={member.identifier: suffixed_identifier(member.identifier, suffix) for member in leaving},
        new_resource_id=old.resource_id,
    )
    settings = undone.old_target.settings if undone.old_target else undone.plan.settings
    plan = {
        "delete_target": False,
        "take_final_snapshot": False,
        "old_target_resource_id": new.resource_id,
        "settings": settings,
        "actions": [f"rename {target_id} to {names.aside}, then {swap.aside} to {target_id}"],
    }
    return Operation(
        operation_id=event.operation_id,
        undoes=undone.operation_id,
        execution_arn=event.execution_arn,
        executions=[
            ExecutionRecord(execution_arn=event.execution_arn, redrive_count=event.redrive_count, started_at=now)
        ],
        request=undone.request,
        plan=undone.plan.model_copy(update=plan),
        identifiers=Identifiers(
            target_cluster_id=target_id,
            instance_ids=sorted(names.instances_beside),
            copy_id=undone.identifiers.copy_id,
            final_snapshot_id=undone.identifiers.final_snapshot_id,
            swap=names,
        ),
        snapshot=undone.snapshot,
        created_at=now,
        updated_at=now,
        ttl=row_ttl(now),
    )


def _checked(undone: Operation, new: Cluster | None, old: Cluster | None) -> tuple[Cluster, Cluster]:
    target_id, swap = undone.identifiers.target_cluster_id, undone.identifiers.swap
    aside = swap.aside if swap else ""
    if new is None or not may_be_restored_by(new, undone):
        raise _refused(
            f"{target_id} as {'another cluster' if new else 'no cluster'} than operation {undone.operation_id} made",
            "the cluster that this swap restored under the name",
            "undo the later run instead, or start a new run if this swap is undone already",
        )
    for cluster in (new, old):
        if cluster is not None and cluster.status in _STOPPED:
            name = cluster.identifier
            raise _refused(
                f"{name} as {cluster.status}",
                "a cluster that runs: RDS renames no stopped one",
                f"start it (aws rds start-db-cluster --db-cluster-identifier {name}), then undo once it is available",
            )
    # A backup or a maintenance is waited for, before anything is renamed.
    is_there = old is not None and old.status not in RESTORED_CLUSTER.failed
    if old is None or not is_there or old.resource_id != undone.plan.old_target_resource_id:
        raise _refused(
            f"the old cluster {aside} as {old.status if old else 'gone'}",
            "the old cluster, available, within the hours that it is kept",
            f"restore its final snapshot {undone.identifiers.final_snapshot_id} in a run of its own: "
            f'{{"source": {{"snapshot": "{undone.identifiers.final_snapshot_id}"}}}} with this Region as source.region',
        )
    return new, old


def hold_retirement(undone: Operation, undo_id: str, services: Services) -> None:
    """Have the retirement wait for the end of the undo, whatever that is; raises `InvalidRequest` once it has begun."""
    row = _retirement_of(undone, services)
    _check_retirement(undone, row)
    if row is None or row.held_by == undo_id:
        return
    row.held_by = undo_id
    try:
        services.operations.save(row)
    except OperationRowConflict as conflict:
        now = services.operations.find(row.operation_id)
        if now is not None and now.held_by == undo_id:
            return  # a call of the same undo that was quicker
        raise _too_late(
            undone, f"the retirement of {row.identifiers.target_cluster_id} beginning just now"
        ) from conflict


def _retirement_of(undone: Operation, services: Services) -> Operation | None:
    """Return the retirement that will delete the old cluster; None if nothing will."""
    row = services.operations.find(retirement_id(undone.operation_id))
    return row if row is not None and row.status is OperationStatus.RUNNING else None


def _check_retirement(undone: Operation, row: Operation | None) -> None:
    if row is not None and row.deletion is not None:
        since = f"{row.deletion.started_at or row.updated_at:%Y-%m-%d %H:%M} UTC"
        raise _too_late(undone, f"the retirement of {row.identifiers.target_cluster_id} at work since {since}")


def _too_late(undone: Operation, found: str) -> InvalidRequest:
    return _refused(
        found,
        "the hours that the old cluster is kept not to be over",
        f"restore its final snapshot {undone.identifiers.final_snapshot_id} once that is available",
    )


def _refused(found: str, expected: str, action: str) -> InvalidRequest:
    return InvalidRequest(found, field=UNDO, expected=expected, action=f"{action}; nothing was changed")
