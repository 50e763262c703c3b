"""The end of an execution that got no plan: its request was refused, or somebody else's operation was meant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from utils.aws.notifier import Notification
from utils.errors import OperationRowConflict
from utils.operation.model import OperationStatus, StepName
from utils.operation.records import OperationError
from utils.operation.store import UnplannedOperation
from utils.report.messages import message_for_failure
from utils.runtime.announcements import announce_refusal
from utils.runtime.contract import ClosingEvent
from utils.runtime.failure import caught_error
from utils.runtime.services import Services


@dataclass(frozen=True, kw_only=True)
class UnplannedEnd:
    """The end of an execution that got no plan, which is always a failure."""

    row: UnplannedOperation
    event: ClosingEvent
    services: Services

    @property
    def error(self) -> OperationError:
        """Why it ended without success."""
        return self.row.error or error_of(self.event, StepName.SNAPSHOT_CHECK) or _not_found()

    def close(self) -> None:
        """Close the row."""
        self.row.error, self.row.finished_at = self.error, datetime.now(UTC)
        _save_end(self.row, self.services)

    def release_lock(self) -> None:
        """Give the lock on the target back, unless somebody else has it by now."""
        if self.row.target_cluster_id is not None:
            region, name = self.services.settings.target_region, self.row.operation_id
            self.services.operations.release_lock(region, self.row.target_cluster_id, name, self.event.attempt)

    def announce(self) -> None:
        """Tell programs: the metrics and the event."""
        announce_refusal(self.row.operation_id, self.event.execution_arn, self.error, self.services)

    def ask_for_evidence(self) -> bool:
        """Have the evidence written; return whether the row says something new."""
        return False  # without a plan there is nothing to prove

    @property
    def lacks_evidence(self) -> bool:
        """Whether the evidence was asked for in vain."""
        return False

    def message(self) -> Notification:
        """Write what people are told."""
        return message_for_failure(self.row.operation_id, self.event.execution_arn, self.error, None)

    def details(self) -> dict[str, Any]:
        """Give what the step answers."""
        return details_of(self.error, None)

    def save(self) -> None:
        """Keep the row."""
        self.services.operations.save_unplanned(self.row)


def _save_end(row: UnplannedOperation, services: Services) -> None:
    """Have this call made again if the execution's first step, which may outlive it, wrote its plan meanwhile."""
    if services.operations.save_unplanned(row):
        return
    operation = services.operations.find(row.operation_id)
    if operation is not None and operation.execution_arn == row.execution_arn:
        raise OperationRowConflict(
            f"a plan of operation {row.operation_id} that was written just now",
            expected="none, as a moment ago",
            action="nothing, the step is tried again with the new row",
        )


def details_of(error: OperationError, target_cluster_id: str | None) -> dict[str, Any]:
    """Give what the step answers about a failure."""
    status = {"status": OperationStatus.FAILED.value, "target_cluster_id": target_cluster_id}
    return error.model_dump() | status


def _not_found() -> OperationError:
    return OperationError(name="OperationNotFound", message="no operation row at the end of the run", step="")


def error_of(event: ClosingEvent, step: str) -> OperationError | None:
    """Read the error that the event tells of, of `step` if it names none."""
    return caught_error(event.error, event.failed_step or step)
