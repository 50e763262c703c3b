"""What a person sees of runs: a table of them, one of them, and one that goes on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, timedelta
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from restore_command.ending import answers, asks, minute, next_steps, serves
from restore_command.execution import Progress
from restore_command.output import Words
from restore_command.records import AuditEntry, Run
from utils.identifiers import region_and_account
from utils.operation.model import Operation, OperationStatus
from utils.report.summary import Summary
from utils.words import counted, duration

_MARKS = {"SUCCEEDED": ("✓", "green"), "RUNNING": ("…", "yellow")}
_FAILED = ("✗", "bold red")


def table_of(runs: Iterable[Run]) -> Table:
    """Return a table, one line a run."""
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    # What is copied into the next command is never broken.
    table.add_column("operation", no_wrap=True)
    for name in ("target", "status", "started (UTC)"):
        table.add_column(name, overflow="fold")
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("ended by", overflow="fold")
    for run in runs:
        table.add_row(
            Text(run.operation_id), Text(run.target or "-"), _status(run), minute(run.started_at),
            duration(round(run.seconds)), Text(how(run)),
        )  # fmt: skip
    return table


def one(
    run: Run, trail: Sequence[AuditEntry], usual: Mapping[str, int], find: Callable[[str], Run | None]
) -> RenderableType:
    """Return all that is known of one run; `find` reads another one's row."""
    head = Text.assemble((run.operation_id, "bold"), "  ", _status(run), f"  {duration(round(run.seconds))}")
    began = f"started {minute(run.started_at)} UTC"
    detail = f" ({how_far(run)})" if how_far(run) else ""
    at = f", at {run.step or 'its first step'}{detail}"
    ended = f", ended {minute(run.finished_at)} UTC" if run.finished_at else at
    parts: list[RenderableType] = [head, Text(began + ended, "dim")]
    if run.operation is not None and run.summary is not None:
        parts += _list("Executions", _executions(run.operation))
        parts += _planned(run.operation, run.summary, usual)
        parts += _list("Next", next_steps(run.operation, find))
    elif run.unplanned is not None and run.unplanned.error is not None:
        parts += [_heading("Refused"), _indented(f"{run.error}: {run.unplanned.error.message}")]
    parts += _timeline(trail)
    return Group(*parts)


def live(progress: Progress, run: Run | None, usual: Mapping[str, int]) -> RenderableType:
    """Return how far a run is."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for visit in progress.visits.values():
        goes_on = visit.state == progress.current and progress.status == "RUNNING"
        mark, colour = _MARKS["RUNNING"] if goes_on else _MARKS["SUCCEEDED"]
        detail = how_far(run) if goes_on else ""
        table.add_row(Text(mark, colour), Text(f"{visit.state}{f'  {detail}' * bool(detail)}"),
                      duration(round(visit.seconds_so_far)))  # fmt: skip
    expected = _expected(progress, sum(usual.values())) if usual and progress.status == "RUNNING" else ""
    head = Text.assemble((progress.operation_id, "bold"), f"  {duration(round(progress.seconds))}{expected}")
    return Group(head, table, *(Text(line) for line in [asks(run)] if line))


def _expected(progress: Progress, usual: int) -> str:
    if progress.started_at is None or progress.seconds > usual:
        return f", longer than usual ({duration(usual)})"
    end = progress.started_at.astimezone(UTC) + timedelta(seconds=usual)
    return f", usually {duration(usual)}: until about {end:%H:%M} UTC"


def how_far(run: Run | None) -> str:
    """Return what the row knows of the phase that goes on, such as `62 %`."""
    operation = run.operation if run else None
    if operation is None:
        return ""
    copied, restore = operation.copied, operation.restore
    if copied is not None and copied.finished_at is None:
        return f"{copied.percent} % copied"
    if restore is not None and restore.finished_at is None and restore.instance_ids:
        return counted(len(restore.instance_ids), "instance")
    return ""


def how(run: Run) -> str:
    """Return what a run failed of, or where it is."""
    if run.status is OperationStatus.RUNNING:
        return f"at {run.step}" if run.step else "-"
    return f"{run.error} at {run.step}" if run.error and run.step else run.error or "-"


def verdict(progress: Progress, run: Run | None) -> RenderableType:
    """Return how an execution ended, and what to type next."""
    mark, colour = _MARKS.get(progress.status, _FAILED)
    lines: list[RenderableType] = [Text(f"{mark} {progress.status} in {duration(round(progress.seconds))}", colour)]
    if progress.error:
        lines += [Text(progress.error, "bold"), _indented(progress.cause)]
    summary = run.summary if run else None
    if progress.status == "SUCCEEDED" and run and run.operation and summary and not summary.dry_run:
        lines += [Text(line) for line in [serves(run.operation, summary)] if line]
    lines.append(Text(f"More: ./restore.sh show {progress.resumes or progress.operation_id}", "dim"))
    return Group(*lines)


def _planned(operation: Operation, summary: Summary, usual: Mapping[str, int]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if operation.error is not None and operation.status is OperationStatus.FAILED:
        parts += [_heading("Why it failed"), _indented(f"{operation.error.name}: {operation.error.message}")]
    no_endpoint = "none yet" if operation.status is OperationStatus.RUNNING else "none"
    rows = [
        ("source", f"{summary.source_cluster_id}, {_snapshot(summary.snapshot)}"),
        ("as of", f"{minute(summary.snapshot_created_at)} UTC, {summary.snapshot_age_hours:g} hours old when picked"),
        ("target", summary.target_cluster_id),
        ("endpoint", f"{summary.endpoint}:{summary.port}" if summary.endpoint else no_endpoint),
        ("copy", _snapshot(summary.copied)),
        ("final snapshot", _snapshot(summary.final_snapshot)),
    ]
    parts += [_heading("What"), _fields(rows)]
    parts += _approval(operation)
    parts += _list("Plan", summary.plan)
    parts += _list("Changed", summary.changes.sentences())
    took = [
        (phase, duration(seconds) + (f", usually {duration(usual[phase])}" if phase in usual else ""))
        for phase, seconds in summary.seconds.items()
    ]
    parts += [_heading("Took"), _fields(took)] if took else []
    users = [(name, "; ".join(proofs)) for name, proofs in summary.users.items()]
    parts += [_heading("Users"), _fields(users)] if users else []
    parts += [_heading("Shut out"), _indented(", ".join(summary.shut_out) or "nobody")]
    parts += _list("Checks", [f"{item.name}: {item.found}, expected {item.expected}" for item in summary.checks])
    parts += _list("Health of the copy", [str(finding) for finding in summary.health])
    return parts


def _executions(operation: Operation) -> list[str]:
    """Return how each execution that worked on it ended, if there was more than one."""
    if len(operation.executions) < 2:
        return []
    return [
        f"{record.execution_arn.rpartition(':')[2]}, started {minute(record.started_at)} UTC"
        + (f": {record.error.name} at {record.error.step}" if record.error else "")
        for record in operation.executions
    ]


def _approval(operation: Operation) -> list[RenderableType]:
    record = operation.approval
    if record is None:
        return []
    if record.approved is None:
        name = operation.operation_id
        until = minute(record.expires_at)
        said = f"asked, until {until} UTC: {answers(name)}"
    else:
        why = f": {record.reason}" if record.reason else ""
        said = f"{'approved' if record.approved else 'rejected'} by {record.approver}{why}"
    return [_heading("Approval"), _indented(said)]


def _timeline(trail: Sequence[AuditEntry]) -> list[RenderableType]:
    """Return a line for each visit of a step; those that ended alike and follow each other are one."""
    ends = [entry for entry in trail if entry.event != "ENTERED"]
    if not ends:
        return []
    table = Table(box=None, pad_edge=False, show_header=False)
    for _, alike in groupby(ends, key=lambda entry: (entry.step, entry.event, entry.status)):
        visits = list(alike)
        last, times = visits[-1], f", {len(visits)} times" if len(visits) > 1 else ""
        ended = Text(last.status or last.event, "red" if last.event == "FAILED" else "")
        table.add_row(f"  {visits[0].at.astimezone(UTC):%H:%M:%S}", Text(f"{last.step}{times}"), ended)
    return [_heading("Audit trail (UTC)"), table, Text("  Every call to AWS: --json", "dim")]


def _status(run: Run) -> Text:
    mark, colour = _MARKS.get(run.status.value, _FAILED)
    return Text(f"{mark} {run.status.value}{' (dry run)' * run.is_dry_run}", colour)


def _snapshot(arn: str | None) -> str:
    if arn is None:
        return "none"
    region, account = region_and_account(arn)
    return f"{arn.split(':', 6)[6]} ({region}, {account})"


def _heading(text: str) -> RenderableType:
    return Text(f"\n{text}", "bold")


def _indented(text: str) -> RenderableType:
    return Padding(Words(text), (0, 0, 0, 2), expand=False)


def _list(title: str, lines: Sequence[str]) -> list[RenderableType]:
    return [_heading(title), *map(_item, lines)] if lines else []


def _item(text: str) -> RenderableType:
    """Return a line of a list; what does not fit on it goes on below its first word."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row("  -", Words(text))
    return table


def _fields(rows: Iterable[tuple[str, str]]) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"  {name}", Words(value))
    return table
