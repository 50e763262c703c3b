"""Exchange the names of old and new cluster, one rename at a time, or take back what was begun."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from utils.cluster.instance_names import rename_next_instances
from utils.cluster.switch import Places, at_rest, note_switch, places
from utils.errors import ResourceBusy
from utils.operation.model import Operation, StepName
from utils.operation.records import SwapRecord
from utils.plan import guards
from utils.runtime.contract import StepResult, StepStatus, SwapEvent
from utils.runtime.services import Services
from utils.runtime.step import on_operation
from utils.runtime.waiting import restore_phase, swap_wait


def swap_clusters(event: SwapEvent, services: Services) -> StepResult:
    """Make the next move towards the new cluster under the target's name, or with `roll_back` towards the old one."""
    act = roll_back if event.roll_back else _swap
    return on_operation(StepName.SWAP_CLUSTERS, event, services, act)


def _swap(operation: Operation, services: Services) -> StepResult:
    if operation.swap is not None and operation.swap.rolled_back_at is not None:
        operation.swap = None
    # The time is that of RDS's latest answer: before the look it would be that of an earlier call.
    where = places(operation, services)
    record = operation.swap_record(services.clock.now())
    record.rolling_back_since = None
    if record.finished_at is not None:
        return StepResult(status=StepStatus.IN_PROGRESS, wait_seconds=1)
    move = partial(_next_move, operation, where, record, services)
    return _moved(operation, record, move, record.started_at, services)


def _moved(
    operation: Operation, record: SwapRecord, move: Callable[[], str], since: datetime | None, services: Services
) -> StepResult:
    """Make a move and say what it waits for, within the time of a restore that began at `since`."""
    try:
        waiting_for = move()
    except ResourceBusy as busy:
        # Not the state machine's to try again: it would wait for longer than the name should be gone.
        waiting_for = str(busy.found)
    waiting = restore_phase(operation, services.clock.now(), since=since).wait(waiting_for)
    services.operations.save(operation)
    return swap_wait(waiting, services.clock.now(), record.latest_move_at)


def _next_move(operation: Operation, where: Places, record: SwapRecord, services: Services) -> str:
    if where.has_new:
        note_switch(operation, record, services)
        if record.restart:
            return _restart(operation, where, record, services)
        if record.first_answer_at is not None:
            return rename_next_instances(operation, where, record, services)
        return f"a login to {where.target_id}"
    if where.changing:
        return ", ".join(where.changing)
    if where.has_old:
        _check_again(where, services)
        record.begun_at = record.begun_at or services.clock.now()
        record.outage.note_answer(services.clock.now(), services.clock.now())
        # In the row before the call: what may have begun counts as begun.
        services.operations.save(operation)
        services.rds_writer.rename_cluster(where.target_id, where.names.aside)
        return f"{where.target_id} to be put aside as {where.names.aside}"
    record.outage.note_silence(services.clock.now(), services.clock.now())
    services.rds_writer.rename_cluster(where.names.beside, where.target_id)
    return f"{where.names.beside} to be named {where.target_id}"


def _check_again(where: Places, services: Services) -> None:
    """Judge both clusters as if the run began now: IAM would refuse the second rename when the name is gone already."""
    for cluster in (where.old, where.new):
        if cluster is not None:
            guards.check_is_replaceable(cluster, services.settings.ownership_mark)
            guards.check_stands_alone(cluster)
            members = services.rds().instances_of(cluster.identifier)
            guards.check_members_may_go(members, services.settings.ownership_mark)


def _restart(operation: Operation, where: Places, record: SwapRecord, services: Services) -> str:
    """Stop and start the new cluster: AWS renews the certificate of one that was renamed at no other time."""
    cluster = where.new
    if cluster is None:
        return "the new cluster to be shown"
    if record.restart == "stop" and at_rest(cluster):
        record.restart, record.restarted_at = "start", services.clock.now()
        services.operations.save(operation)
        services.rds_writer.stop_cluster(cluster.identifier)
    elif record.restart == "start" and cluster.status == "stopped":
        services.rds_writer.start_cluster(cluster.identifier)
    return f"the restart of {cluster.identifier} ({cluster.status}) for its certificate"


def roll_back(operation: Operation, services: Services) -> StepResult:
    """Give the old cluster its name back, unless nothing was begun or the new one is proven under it already."""
    record = operation.swap
    if record is None or record.begun_at is None or record.first_answer_at is not None:
        return StepResult(status=StepStatus.READY)
    where = places(operation, services)
    since = record.rolling_back_since = record.rolling_back_since or services.clock.now()
    if where.has_old and where.old is not None and at_rest(where.old):
        record.rolled_back_at = services.clock.now()
        record.outage.note_answer(record.rolled_back_at, record.rolled_back_at)
        services.operations.save(operation)
        return StepResult(status=StepStatus.READY, details={"serves_again": where.target_id})
    back = partial(_next_move_back, operation, where, record, services)
    return _moved(operation, record, back, since, services)


def _next_move_back(operation: Operation, where: Places, record: SwapRecord, services: Services) -> str:
    record.switched_at = None
    services.operations.save(operation)
    new, old = where.new, where.old
    if where.has_new and new is not None:
        if new.status == "stopped":
            services.rds_writer.start_cluster(new.identifier)
        elif at_rest(new):
            services.rds_writer.rename_cluster(where.target_id, where.names.beside)
        return f"{where.target_id} ({new.status}) to be named {where.names.beside} again"
    if old is not None and not where.has_old and at_rest(old):
        record.outage.note_silence(services.clock.now(), services.clock.now())
        services.rds_writer.rename_cluster(where.names.aside, where.target_id)
    return f"{where.names.aside} to be named {where.target_id} again"
