"""What the plan says of the time after the run, and of what a drill costs."""

from utils.evidence.costs import hour_in_words
from utils.operation.planned import Identifiers, Plan
from utils.operation.retirement import final_snapshot_of_afterwards
from utils.request.afterwards import STOP
from utils.request.model import RestoreRequest


def afterwards_in_sentences(
    request: RestoreRequest, names: Identifiers, plan: Plan, operation_id: str, source: str, storage_gib: int
) -> list[str]:
    """Say what will become of the restored cluster; nothing where it stays."""
    wanted, target_id = request.afterwards, names.target_cluster_id
    if wanted is None:
        return []
    if wanted.is_drill:
        return _drill(names, plan, source, storage_gib)
    when = f"{wanted.after_hours:g} hours after the run" if wanted.after_hours else "as soon as the run has ended"
    if wanted.action == STOP:
        return [
            f"stop {target_id} {when}, if it is still the cluster of this run; its storage is paid for on, and AWS "
            "starts a cluster again that has been stopped for seven days"
        ]
    final_id = final_snapshot_of_afterwards(target_id, operation_id)
    final = f"with final snapshot {final_id}" if request.final_snapshot else "without a final snapshot"
    kept = plan.settings.deletion_protection and not request.override_deletion_protection
    unless = "; its deletion protection keeps it until somebody switches that off" if kept else ""
    return [f"delete {target_id} {when}, {final}, if it is still the cluster of this run{unless}"]


def _drill(names: Identifiers, plan: Plan, source: str, storage_gib: int) -> list[str]:
    made = [names.target_cluster_id, *names.instance_ids, *([names.copy_id] if plan.copy_needed else [])]
    return [
        f"this is a drill for {names.drill_of}, which is not touched: once the run has ended, also after a failure, "
        f"remove whatever it made ({', '.join(made)}), without a final snapshot: the data come from {source}, which "
        "stays",
        f"until then an hour of it costs {hour_in_words(plan.settings, storage_gib)}",
    ]
