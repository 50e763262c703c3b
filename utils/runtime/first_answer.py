"""The details of Snapshot Check's answer, of which the state machine goes on."""

from typing import Any

from utils.operation.model import Operation
from utils.runtime.services import Services

# Of a request that starts no run: the state machine reads these of every answer.
NO_RUN: dict[str, Any] = {"approval_seconds": 0, "verify_network_of": "", "verify_key": ""}


def first_answer(operation: Operation, services: Services) -> dict[str, Any]:
    """Return what the state machine and people read of Snapshot Check's answer."""
    return {
        "snapshot": operation.snapshot.arn,
        "snapshot_age_hours": operation.snapshot.age_hours,
        "target_cluster_id": operation.identifiers.target_cluster_id,
        "actions": operation.plan.actions,
        "warnings": operation.plan.warnings,
        "approval_seconds": _approval_seconds(operation),
        "verify_network_of": _network_stays_that_of(operation, services),
        "verify_key": operation.plan.settings.kms_key_id or "",
    }


def _approval_seconds(operation: Operation) -> int:
    """Return how long a person may take to approve; 0 where nobody is to be asked, or was."""
    approval = operation.request.approval
    return approval.seconds if approval is not None and operation.awaits_approval else 0


def _network_stays_that_of(operation: Operation, services: Services) -> str:
    """Name the old target if who reaches it will reach the new one: not once it goes, nor if it cannot answer."""
    old, settings, target_id = operation.old_target, operation.plan.settings, operation.identifiers.target_cluster_id
    if operation.plan.quarantine_group_ids:
        return ""
    if old is None or (operation.deletion is not None and operation.deletion.destroying_since is not None):
        return ""
    network = (settings.subnet_group, sorted(settings.security_group_ids or []))
    if (old.settings.subnet_group, sorted(old.settings.security_group_ids or [])) != network:
        return ""
    answers = any(instance.status == "available" for instance in services.rds().instances_of(target_id))
    return target_id if answers else ""
