"""What each command of restore.sh does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployment.account import Refused, told
from restore_command import execution as executions
from restore_command import views
from restore_command.execution import NoSuchExecution
from restore_command.exit_codes import SUCCEEDED, USAGE
from restore_command.following import follow
from restore_command.output import Output
from restore_command.pipeline import Pipeline
from restore_command.records import Run, records_of, usual_seconds
from utils.json_text import NotJson, read_json
from utils.operation.model import OperationStatus
from utils.request.afterwards import AFTERWARDS_OF
from utils.request.parsing import RESUME, UNDO, find_problems

_LOOK_SECONDS = 1.0
_OF_A_FLEET = {"operations", "operations_from"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which runs a list has."""

    target: str | None
    status: OperationStatus | None
    since: datetime | None
    limit: int

    def of(self, runs: list[Run]) -> list[Run]:
        """Return those of `runs`, in the same order."""
        found = [
            run
            for run in runs
            if self.target in (None, run.target)
            and self.status in (None, run.status)
            and (self.since is None or run.started_at >= self.since)
        ]
        return found[: self.limit]


def start(pipeline: Pipeline, output: Output, text: str, name: str, *, watch: bool) -> int:
    """Check a request and start a run; nothing is started for one that does not fit."""
    request = _checked(pipeline, output, text)
    if request is None:
        return USAGE
    return _start(pipeline, output, request, name, watch=watch)


def plan(pipeline: Pipeline, output: Output, text: str) -> int:
    """Start a dry run and show the plan it makes."""
    request = _checked(pipeline, output, text)
    if request is None:
        return USAGE
    name = executions.new_name("plan")
    return _start(pipeline, output, {**request, "dry_run": True}, name, watch=True)


def resume(pipeline: Pipeline, output: Output, operation_id: str, *, watch: bool) -> int:
    """Start an execution that goes on with an operation."""
    with told():
        records = records_of(pipeline)
        run = records.find(operation_id)
        if run is None:
            raise records.missing(operation_id)
    if run.status is OperationStatus.RUNNING:
        raise Refused(f"{run.operation_id} is at work, at {run.step}: ./restore.sh watch {run.operation_id}")
    if run.status is OperationStatus.SUCCEEDED:
        raise Refused(f"{run.operation_id} succeeded, there is nothing to resume: ./restore.sh start starts a new run")
    return _start(pipeline, output, {RESUME: run.operation_id}, executions.new_name("resume"), watch=watch)


def undo(pipeline: Pipeline, output: Output, operation_id: str, *, watch: bool) -> int:
    """Start an execution that exchanges the names of a swap back."""
    with told():
        records = records_of(pipeline)
        run = records.find(operation_id)
        if run is None:
            raise records.missing(operation_id)
    if run.unplanned is not None or (run.operation is not None and not run.operation.is_swap):
        raise Refused(f"{run.operation_id} exchanged no names: name a run with strategy swap (./restore.sh runs)")
    return _start(pipeline, output, {UNDO: run.operation_id}, executions.new_name("undo"), watch=watch)


def afterwards(pipeline: Pipeline, output: Output, operation_id: str, postpone_hours: float | None) -> int:
    """Start an execution that changes what becomes of a run's cluster, and wait for its answer."""
    change = {"cancel": True} if postpone_hours is None else {"postpone_hours": postpone_hours}
    request, name = {AFTERWARDS_OF: operation_id} | change, executions.new_name("afterwards")
    with told():
        arn = executions.start(pipeline.states, pipeline.state_machine_arn, request, name)
        *_, progress = executions.follow(pipeline.states, arn, seconds=_LOOK_SECONDS)
    if progress.status != "SUCCEEDED":
        raise Refused(progress.cause or progress.error)
    said = progress.output["details"]["afterwards"]
    output.result({"operation_id": operation_id, "afterwards": said}, said)
    return SUCCEEDED


def watch(pipeline: Pipeline, output: Output, name: str | None) -> int:
    """Follow a run to its end."""
    with told():
        return follow(pipeline.states, records_of(pipeline), output, _arn_of(pipeline, name))


def runs(pipeline: Pipeline, output: Output, wanted: Wanted) -> int:
    """List runs."""
    with told():
        known = records_of(pipeline).runs()
    found = wanted.of(known)
    if not found and not output.as_json:
        output.note("No run yet." if not known else f"None of {len(known)} runs fits.")
        return SUCCEEDED
    output.result([run.document() for run in found], views.table_of(found))
    return SUCCEEDED


def show(pipeline: Pipeline, output: Output, name: str | None) -> int:
    """Show one run."""
    with told():
        records = records_of(pipeline)
        known = records.runs()
        run = records.find(name) if name else next(iter(known), None)
        if run is None:
            raise records.missing(name) if name else Refused("no run yet")
        trail = records.audit_trail(run.operation_id)
    summary = run.summary
    document = {
        **run.document(),
        "summary": summary.as_json() if summary else None,
        "message": _message_of(run),
        "audit_trail": [entry.document() for entry in trail],
    }
    with told():
        output.result(document, views.one(run, trail, usual_seconds(known, run), records.at))
    return SUCCEEDED


def _checked(pipeline: Pipeline, output: Output, text: str) -> dict[str, Any] | None:
    """Return the request, None after its problems were told."""
    try:
        request: dict[str, Any] = read_json(text)
    except NotJson as error:
        output.note(f"restore.sh: found no JSON ({error}); expected a request, a JSON object; nothing was started")
        return None
    if isinstance(request, dict) and not _OF_A_FLEET.isdisjoint(request):
        output.note(
            "restore.sh: found the request of a fleet; start it with ./restore.sh fleet start; nothing was started"
        )
        return None
    problems = find_problems(request, pipeline.defaults)
    for problem in problems:
        output.note(f"restore.sh: {problem}")
    return None if problems else request


def _start(pipeline: Pipeline, output: Output, request: dict[str, Any], name: str, *, watch: bool) -> int:
    with told():
        arn = executions.start(pipeline.states, pipeline.state_machine_arn, request, name)
        operation = arn.rpartition(":")[2]
        if watch:
            return follow(pipeline.states, records_of(pipeline), output, arn)
    started = {"operation_id": request.get(RESUME, operation), "execution_arn": arn}
    output.result(started, f"started {operation}\nWatch it: ./restore.sh watch {operation}")
    return SUCCEEDED


def _message_of(run: Run) -> str | None:
    row = run.operation or run.unplanned
    return row.error.message if row is not None and row.error is not None else None


def _arn_of(pipeline: Pipeline, name: str | None) -> str:
    """Return the execution of that name, or the one that works on the operation of that name now."""
    records = records_of(pipeline)
    run = records.find(name) if name else None
    if run is not None:
        return run.execution_arns[-1]
    try:
        return executions.find(pipeline.states, pipeline.state_machine_arn, name)
    except NoSuchExecution as error:
        raise (records.missing(name) if name and records.has_fleet(name) else Refused(str(error))) from None
