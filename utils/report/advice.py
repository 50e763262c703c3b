"""What can work after a run that failed: the same operation once more, a new one, or neither."""

from enum import StrEnum

from utils.operation.model import Operation


class Advice(StrEnum):
    """What to do next, when what the error names is put right."""

    RESUME = "resume"
    NEW_RUN = "new run"
    NEITHER = "neither"


# The plan and the request of an operation never change: what is wrong with them needs a new one.
NEEDS_A_NEW_PLAN = {
    "ApprovalRejected",
    "CheckFailed",
    "EngineVersionNotRestorable",
    "InvalidRequest",
    "OperationNotFound",
    "OperationNotResumable",
    "OutsideStartWindow",
    "PostRestoreSqlFailed",
    "SettingNotFound",
    "SnapshotNotFound",
    "SnapshotNotRestorable",
    "SnapshotTooOld",
    "TargetChanged",
    "TargetIsSource",
    "TargetNotBuildable",
}


def advice_after(error_name: str, operation: Operation) -> Advice:
    """Say what can work for an operation that failed with an error of this name."""
    if error_name == "OperationClosed":
        return Advice.NEITHER  # another execution has taken it over, or it has succeeded
    if operation.request.dry_run or operation.request.is_drill:
        return Advice.NEW_RUN
    if operation.bring_back is not None:
        return Advice.RESUME if operation.bring_back.finished_at is None else Advice.NEW_RUN
    return Advice.NEW_RUN if error_name in NEEDS_A_NEW_PLAN or _is_beyond(error_name, operation) else Advice.RESUME


def _is_beyond(error_name: str, operation: Operation) -> bool:
    """Tell whether what a resumption would need is gone for good."""
    if error_name == "SnapshotNotAvailable":
        # A copy is made again; nobody makes the source snapshot again.
        return not operation.plan.copy_needed
    if error_name == "DeleteFailed":
        return operation.begun.final_snapshot_lost
    if error_name == "RestoreFailed":
        # Only what was never complete is removed and restored again.
        return operation.restore is not None and operation.restore.finished_at is not None
    return False
