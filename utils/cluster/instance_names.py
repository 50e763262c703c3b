"""The instances' names after the clusters': the old ones are put aside, the new ones get those of the target."""

from utils.aws.rds_models import Instance
from utils.cluster.switch import AVAILABLE, Places
from utils.operation.model import Operation
from utils.operation.records import SwapRecord
from utils.runtime.services import Services


def rename_next_instances(operation: Operation, where: Places, record: SwapRecord, services: Services) -> str:
    """Rename those whose turn it is and say what to wait for: the old ones, the new readers, last the new writer."""
    old, new = _members(where, services)
    aside = where.names.instances_aside
    for member in old:
        if member.identifier in aside and member.status == AVAILABLE:
            services.rds_writer.rename_instance(member.identifier, aside[member.identifier])
    taken = {member.identifier for member in old}
    beside = {name: final for final, name in where.names.instances_beside.items()}
    waiting = [member for member in new if member.identifier in beside]
    writer_id = where.new.writer_id if where.new else None
    readers = [member for member in waiting if member.identifier != writer_id]
    changing = [member for member in new if member.status != AVAILABLE]
    # RDS restarts what it renames: readers come back before the writer goes.
    turn = readers or ([] if changing else waiting)
    for member in turn:
        if member.status != AVAILABLE or beside[member.identifier] in taken:
            continue
        if member.identifier == writer_id:
            # In the row before the call: what may have begun counts as begun. Under its old name it has not restarted.
            record.writer_renamed_at = record.writer_renamed_at or services.clock.now()
            record.outage.note_restart(services.clock.now())
            services.operations.save(operation)
        services.rds_writer.rename_instance(member.identifier, beside[member.identifier])
    return f"the names of {', '.join(sorted({member.identifier for member in (*changing, *waiting)})) or 'instances'}"


def unfinished_instances(where: Places, services: Services) -> list[str]:
    """Name what of both clusters' instances has another name than it shall have, or is not available."""
    old, new = _members(where, services)
    aside, beside = set(where.names.instances_aside), set(where.names.instances_beside.values())
    unfinished = [member for member in old if member.identifier in aside or member.status != AVAILABLE]
    unfinished += [member for member in new if member.identifier in beside or member.status != AVAILABLE]
    return [f"{member.identifier} ({member.status})" for member in unfinished]


def _members(where: Places, services: Services) -> tuple[list[Instance], list[Instance]]:
    rds = services.rds()
    old = rds.instances_of(where.old.identifier) if where.old else []
    return old, rds.instances_of(where.new.identifier) if where.new else []
