"""The front door of the layer: what the function handlers use. A function loads its own step and no other."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from utils.operation.model import Helper, Operation, StepName
from utils.runtime.contract import (
    ClosingEvent,
    EvidenceEvent,
    FailedEvent,
    StartEvent,
    StepEvent,
    StepResult,
    SwapEvent,
)
from utils.runtime.failure import caught_error
from utils.runtime.services import Services
from utils.runtime.step import on_operation, operation_step, step

if TYPE_CHECKING:
    from utils.steps.archive_snapshot import archive_snapshot
    from utils.steps.check_copy_status import check_copy_status
    from utils.steps.check_delete_status import check_delete_status
    from utils.steps.check_restore_status import check_restore_status
    from utils.steps.check_swap_status import check_swap_status
    from utils.steps.copy_snapshot import copy_snapshot
    from utils.steps.delete_rds import delete_rds
    from utils.steps.restore_snapshot import restore_snapshot
    from utils.steps.setup_db_users import setup_db_users
    from utils.steps.snapshot_check import snapshot_check
    from utils.steps.sns_notification import sns_notification
    from utils.steps.swap_clusters import swap_clusters
    from utils.steps.write_evidence import write_evidence
else:

    def __getattr__(name: str) -> Any:
        """Load a step when its function asks for it: only Setup DB Users needs psycopg2, and only one plans."""
        if name not in _STEPS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"utils.steps.{name}"), name)


_STEPS = {name.value.lower().replace(" ", "_") for name in (*StepName, *Helper)}

__all__ = [
    "ClosingEvent",
    "EvidenceEvent",
    "FailedEvent",
    "Helper",
    "Operation",
    "Services",
    "StartEvent",
    "StepEvent",
    "StepName",
    "StepResult",
    "SwapEvent",
    "archive_snapshot",
    "caught_error",
    "check_copy_status",
    "check_delete_status",
    "check_restore_status",
    "check_swap_status",
    "copy_snapshot",
    "delete_rds",
    "on_operation",
    "operation_step",
    "restore_snapshot",
    "setup_db_users",
    "snapshot_check",
    "sns_notification",
    "step",
    "swap_clusters",
    "write_evidence",
]
