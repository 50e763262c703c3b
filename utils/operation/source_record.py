"""What the last copies of a source brought along, kept apart from any run: the next one is warned before it begins."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from utils.errors import SO_FAR
from utils.operation.model import HealthRecord, Operation, StepName, Verdict
from utils.operation.records import OperationError

# The restored data, or what runs on it, is the reason of these.
_ABOUT_THE_DATA = {
    "DatabaseUnavailable",
    "DatabaseLoginRefused",
    "DatabaseChangeRefused",
    "UsersNotProven",
    "PostRestoreSqlFailed",
    "CheckFailed",
}
_LEFT = f"{Verdict.FOR_A_PERSON.value}: "
_MOST_WARNINGS = 10
_LONGEST_WARNING = 600


class SourceRecord(BaseModel):
    """What is known of a source cluster; a run without findings of its own leaves what was found before."""

    region: str
    account_id: str
    cluster_id: str
    known_at: datetime
    found_in: str | None = None
    health: list[HealthRecord] = []
    failed_in: str | None = None
    error: OperationError | None = None

    def warnings(self) -> list[str]:
        """Say what a copy made now is likely to meet: what ended the last set-up, and what was left to a person."""
        failed = []
        if self.error is not None:
            why = self.error.message.partition(SO_FAR)[0]
            failed = [f"the last copy of {self.cluster_id} ({self.failed_in}) ended with {self.error.name}: {why}"]
        found = [
            f"in the last copy of {self.cluster_id} ({self.found_in}): {str(record).removeprefix(_LEFT)}"
            for record in self.health
        ]
        lines = [line if len(line) <= _LONGEST_WARNING else f"{line[:_LONGEST_WARNING]}..." for line in failed + found]
        more = len(lines) - _MOST_WARNINGS
        return [*lines[:_MOST_WARNINGS], *([f"{more} more, in the row of {self.found_in}"] if more > 0 else [])]


def learned_from(
    operation: Operation, error: OperationError | None, before: SourceRecord | None
) -> SourceRecord | None:
    """Return what is known now that an operation ended, with `error` if it failed; None if nothing was learned."""
    source, users = operation.snapshot, operation.users
    learned: dict[str, Any] = {}
    if users is not None and users.finished_at is not None:
        left = [record for record in users.health if record.verdict is Verdict.FOR_A_PERSON]
        learned = {"found_in": _run(operation), "health": left, "failed_in": None, "error": None}
    elif error is not None and error.step == StepName.SETUP_DB_USERS and error.name in _ABOUT_THE_DATA:
        learned = {"failed_in": _run(operation), "error": error}
    if not learned:
        return None
    now = operation.updated_at
    known = before or SourceRecord(
        region=source.region, account_id=source.account_id, cluster_id=source.cluster_id, known_at=now
    )
    return known.model_copy(update={"known_at": now} | learned)


def _run(operation: Operation) -> str:
    return f"operation {operation.operation_id} of {operation.updated_at:%Y-%m-%d}"
