"""What a run would do, for programs and for people: the plan of an operation, put in order."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from utils.operation.model import Operation
from utils.operation.planned import PreflightCheck, RejectedSnapshot
from utils.report.settings_diff import SettingChange, settings_diff


class Preview(BaseModel):
    """A plan, by what a person asks of it; `expected_minutes` by phase, from `earlier_runs` over the same target."""

    model_config = ConfigDict(frozen=True)

    target_cluster_id: str
    source_cluster_id: str
    snapshot: str
    snapshot_age_hours: float
    rejected: Sequence[RejectedSnapshot]
    settings: Sequence[SettingChange]
    checks: Sequence[PreflightCheck]
    protects: Sequence[str]
    copies: Sequence[str]
    makes: Sequence[str]
    deletes: Sequence[str]
    renames: Mapping[str, str]
    prunes: Sequence[str]
    keeps: Sequence[str]
    not_put_back: Sequence[str]
    expected_minutes: Mapping[str, float]
    earlier_runs: int
    actions: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return self.model_dump(mode="json")


def preview_of(operation: Operation) -> Preview:
    """Read from the row what a run of this operation would do."""
    plan, names, old = operation.plan, operation.identifiers, operation.old_target
    return Preview(
        target_cluster_id=names.target_cluster_id,
        source_cluster_id=operation.snapshot.cluster_id,
        snapshot=operation.snapshot.arn,
        snapshot_age_hours=operation.snapshot.age_hours,
        rejected=plan.rejected,
        settings=settings_diff(operation),
        checks=plan.checks,
        protects=_protection(operation),
        copies=[f"{operation.snapshot.identifier} as {names.copy_id}: {plan.copy_reason}"] if plan.copy_needed else [],
        makes=_made(operation),
        deletes=[names.target_cluster_id, *old.member_ids] if old and not names.swap else [],
        renames=_renamed(operation),
        prunes=plan.prunes,
        keeps=plan.keeps,
        not_put_back=plan.not_put_back,
        expected_minutes={phase: round(seconds / 60, 1) for phase, seconds in plan.expected_seconds.items()},
        earlier_runs=plan.earlier_runs,
        actions=plan.actions,
    )


def _made(operation: Operation) -> list[str]:
    plan, names = operation.plan, operation.identifiers
    return [
        *([operation.snapshot.identifier] if operation.snapshot.is_new else []),
        *([names.copy_id] if plan.copy_needed else []),
        *([names.final_snapshot_id] if plan.take_final_snapshot else []),
        operation.restored_cluster_id,
        *operation.restored_instance_ids,
    ]


def _renamed(operation: Operation) -> dict[str, str]:
    names = operation.identifiers
    if names.swap is None:
        return {}
    beside = {name: final for final, name in names.swap.instances_beside.items()}
    return {
        names.target_cluster_id: names.swap.aside,
        **names.swap.instances_aside,
        names.swap.beside: names.target_cluster_id,
        **beside,
    }


def _protection(operation: Operation) -> list[str]:
    """Say what stands between the old target's data and its loss."""
    plan, old = operation.plan, operation.old_target
    if old is None:
        return ["there is no old target: nothing is lost"]
    said = []
    if operation.identifiers.swap:
        said.append(f"the old cluster stays as {operation.identifiers.swap.aside}: nothing of it is deleted")
    elif plan.take_final_snapshot:
        final = operation.identifiers.final_snapshot_id
        said.append(f"final snapshot {final} is available before anything is deleted")
    elif plan.half_restored_by:
        said.append(f"none: operation {plan.half_restored_by} left the old target half-restored")
    else:
        said.append("none: final_snapshot is false, and what the old target holds is lost for good")
    if old.settings.deletion_protection:
        said.append("deletion protection is on and is switched off, as override_deletion_protection allows")
    if plan.keeps:
        said.append(f"earlier final snapshots that stay: {', '.join(plan.keeps)}")
    return said
