"""The rows of operations: the list of runs, one run with its audit trail, and how long phases took before."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from deployment.account import Refused
from restore_command.pipeline import AUDIT_TABLE, STATE_TABLE, Pipeline
from utils.aws.table import Item, json_of
from utils.operation.model import Operation, OperationStatus
from utils.operation.state_table import operation_of
from utils.operation.store import MOST_EARLIER_RUNS, UnplannedOperation
from utils.plan.expectation import alike, expected_seconds
from utils.report.summary import Summary, summarise

PHASES = ("copy", "delete", "restore", "users")


@dataclass(frozen=True, kw_only=True)
class Run:
    """An operation as its row has it; `operation` is None for one that never had a plan."""

    operation_id: str
    target: str
    status: OperationStatus
    started_at: datetime
    finished_at: datetime | None
    step: str
    error: str
    execution_arns: tuple[str, ...]
    operation: Operation | None
    unplanned: UnplannedOperation | None = None

    @property
    def is_dry_run(self) -> bool:
        """Whether it only made a plan."""
        return self.operation is not None and self.operation.request.dry_run

    @property
    def summary(self) -> Summary | None:
        """What it did, for one that had a plan."""
        return summarise(self.operation) if self.operation else None

    @property
    def seconds(self) -> float:
        """From its first start to its end, or until now."""
        return ((self.finished_at or datetime.now(UTC)) - self.started_at).total_seconds()

    def document(self) -> dict[str, Any]:
        """Return what a table shows, as JSON values."""
        return {
            "operation_id": self.operation_id,
            "target_cluster_id": self.target or None,
            "status": self.status.value,
            "dry_run": self.is_dry_run,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "seconds": round(self.seconds),
            "step": self.step or None,
            "error": self.error or None,
            "executions": list(self.execution_arns),
        }


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One line of the audit trail."""

    at: datetime
    step: str
    event: str
    actor: str
    status: str
    api_calls: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "at": self.at.isoformat()}


class Records:
    """Reads the state table and the audit table; writes nothing."""

    def __init__(self, state: Any, audit: Any) -> None:
        self._state, self._audit = state, audit

    def runs(self) -> list[Run]:
        """Return all operations that the table still has, newest first."""
        found = [_run_of(item) for item in self._rows()]
        return sorted(found, key=lambda run: run.started_at, reverse=True)

    def at(self, operation_id: str) -> Run | None:
        """Return the operation of that id; None before its row is written."""
        item = self._state.get_item(Key={"operation_id": operation_id}, ConsistentRead=True).get("Item")
        return _run_of(item) if item is not None else None

    def find(self, name: str) -> Run | None:
        """Return the operation of that id, or the one that an execution of that name works or worked on."""
        return self.at(name) or next((run for run in self.runs() if _works_on(name, run)), None)

    def has_fleet(self, name: str) -> bool:
        """Tell whether the runs of a fleet of that name are there."""
        return any(re.fullmatch(rf"{re.escape(name)}-\d{{3}}", run.operation_id) for run in self.runs())

    def missing(self, name: str) -> Refused:
        """Say that there is no operation of that name, and what is perhaps meant."""
        if self.has_fleet(name):
            return Refused(
                f"{name} is a fleet, no operation: ./restore.sh fleet show {name}, or ./restore.sh fleet watch {name}"
            )
        return Refused(f"no operation {name}: ./restore.sh runs lists what there is")

    def audit_trail(self, operation_id: str) -> list[AuditEntry]:
        """Return the audit rows of an operation, oldest first."""
        values = {":id": operation_id}
        pages = _pages(self._audit.query, KeyConditionExpression="operation_id = :id", ExpressionAttributeValues=values)
        return [
            AuditEntry(
                at=datetime.fromisoformat(item["timestamp"]),
                step=item["step"],
                event=item["event"],
                actor=item["actor"],
                status=item.get("status", ""),
                api_calls=tuple(item.get("api_calls", ())),
            )
            for item in pages
        ]

    def _rows(self) -> Iterator[Item]:
        # Keys with a '#' are no operations: locks and targets.
        return _pages(
            self._state.scan,
            FilterExpression="NOT contains(operation_id, :mark)",
            ExpressionAttributeValues={":mark": "#"},
        )


def records_of(pipeline: Pipeline) -> Records:
    """Return the rows of a deployed pipeline."""
    return Records(pipeline.table(STATE_TABLE), pipeline.table(AUDIT_TABLE))


def usual_seconds(runs: Iterable[Run], run: Run) -> dict[str, int]:
    """Return what each phase usually took before a run: as its plan expects it, from earlier ones that succeeded."""
    took = [
        {phase: seconds for phase, seconds in earlier.summary.seconds.items() if phase in PHASES}
        for earlier in runs
        if earlier.target == run.target
        and earlier.started_at < run.started_at
        and earlier.status is OperationStatus.SUCCEEDED
        and earlier.summary
        and not earlier.is_dry_run
    ]
    is_swap = run.operation is not None and run.operation.is_swap
    return expected_seconds(alike(took, is_swap=is_swap)[:MOST_EARLIER_RUNS])


def _works_on(name: str, run: Run) -> bool:
    return any(arn.rpartition(":")[2] == name for arn in run.execution_arns)


def _run_of(item: Item) -> Run:
    if "plan" not in item:
        row = UnplannedOperation.model_validate_json(json_of(item))
        return Run(
            operation_id=row.operation_id,
            target=row.target_cluster_id or "",
            status=OperationStatus(item["status"]),
            started_at=row.created_at,
            finished_at=row.finished_at,
            step=row.error.step if row.error else "",
            error=row.error.name if row.error else "",
            execution_arns=(row.execution_arn,),
            operation=None,
            unplanned=row,
        )
    try:
        operation = operation_of(item)
    except ValidationError:
        return _of_another_version(item)
    executions = tuple(record.execution_arn for record in operation.executions) or (operation.execution_arn,)
    return Run(
        operation_id=operation.operation_id,
        target=operation.identifiers.target_cluster_id,
        status=operation.status,
        started_at=operation.created_at,
        finished_at=operation.finished_at,
        step=operation.current_step.value,
        error=operation.error.name if operation.error else "",
        execution_arns=tuple(dict.fromkeys(executions)),
        operation=operation,
    )


def _of_another_version(item: Item) -> Run:
    """Show what a row that this version cannot read has in every version."""
    return Run(
        operation_id=item["operation_id"],
        target=item.get("identifiers", {}).get("target_cluster_id", ""),
        status=OperationStatus(item["status"]),
        started_at=datetime.fromisoformat(item["created_at"]),
        finished_at=datetime.fromisoformat(item["finished_at"]) if item.get("finished_at") else None,
        step=item.get("current_step", ""),
        error="row of another version of the pipeline",
        execution_arns=(item["execution_arn"],),
        operation=None,
    )


def _pages(ask: Any, **arguments: Any) -> Iterator[Item]:
    start: dict[str, Any] = {}
    while True:
        answer = ask(**arguments, **start)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
