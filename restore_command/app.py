"""The commands of restore.sh and their options."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deployment.account import Refused
from restore_command import commands
from restore_command.answering import answer
from restore_command.durations import typed
from restore_command.evidence import drilling, reporting
from restore_command.evidence.reporting import Form
from restore_command.exit_codes import FAILED, INTERRUPTED
from restore_command.fleet.app import app as fleet
from restore_command.options import (
    AsJson,
    Env,
    Input,
    Operation,
    Region,
    Watch,
    end,
    output_of,
    pipeline_of,
    text_of,
    typed_options,
)
from restore_command.output import Output
from utils.operation.model import OperationStatus
from utils.words import printable, with_options

_EXIT_CODES = (
    "Exit codes: 0 succeeded (or shown), 1 failed, 2 wrong command line or request, 3 the run goes on, 130 interrupted."
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Operates a deployed Aurora Restore Pipeline: starts, watches, shows and resumes its runs. Credentials come "
    "from the environment or from a profile (AWS_PROFILE), as for the AWS CLI.",
    epilog=_EXIT_CODES,
)
app.add_typer(fleet, name="fleet")


@app.command()
def start(
    request: Input = "",
    name: Annotated[str, typer.Option(help="Operation id; made from the time when left out.")] = "",
    watch: Watch = False,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Check a request and start a run with it. Without --input it has the stack's defaults."""
    pipeline = pipeline_of(env, region)
    end(commands.start(pipeline, output_of(env, region, json), text_of(request), name, watch=watch))


@app.command()
def plan(request: Input = "", env: Env = None, region: Region = None, json: AsJson = False) -> None:
    """Show what a run would do (dry run). The deployed pipeline plans it; nothing is changed."""
    end(commands.plan(pipeline_of(env, region), output_of(env, region, json), text_of(request)))


@app.command()
def watch(operation: Operation = None, env: Env = None, region: Region = None, json: AsJson = False) -> None:
    """Follow a run to its end; Ctrl-C leaves the run alone."""
    end(commands.watch(pipeline_of(env, region), output_of(env, region, json), operation))


@app.command()
def runs(
    target: Annotated[str | None, typer.Option(help="Only runs of this target cluster.")] = None,
    status: Annotated[OperationStatus | None, typer.Option(help="Only runs that stand so.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only runs started since, such as 36h or 7d.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="The newest so many.")] = 20,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """List runs, newest first."""
    try:
        earliest = datetime.now(UTC) - typed(since) if since else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    found = commands.Wanted(target=target, status=status, since=earliest, limit=limit)
    end(commands.runs(pipeline_of(env, region), output_of(env, region, json), found))


@app.command()
def show(operation: Operation = None, env: Env = None, region: Region = None, json: AsJson = False) -> None:
    """Show one run, and what to do next. Plan, changes, durations, users, checks and audit trail."""
    end(commands.show(pipeline_of(env, region), output_of(env, region, json), operation))


@app.command()
def resume(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="Operation that failed or was stopped.")],
    watch: Watch = False,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Go on with an operation that failed. It keeps its id, its request and its plan."""
    end(commands.resume(pipeline_of(env, region), output_of(env, region, json), operation, watch=watch))


Waiting = Annotated[str, typer.Argument(metavar="OPERATION", help="Operation that waits for approval.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail and in the evidence.")]


@app.command()
def approve(
    operation: Waiting, reason: Reason = "", env: Env = None, region: Region = None, json: AsJson = False
) -> None:
    """Let a run that waits for approval carry out its plan."""
    end(answer(pipeline_of(env, region), output_of(env, region, json), operation, reason, approved=True))


@app.command()
def reject(operation: Waiting, reason: Reason, env: Env = None, region: Region = None, json: AsJson = False) -> None:
    """End a run that waits for approval; nothing was changed."""
    end(answer(pipeline_of(env, region), output_of(env, region, json), operation, reason, approved=False))


@app.command()
def undo(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="Swap whose old cluster is still kept.")],
    watch: Watch = False,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Give the old cluster of a swap its name back. The new one is put aside, and nothing is deleted."""
    end(commands.undo(pipeline_of(env, region), output_of(env, region, json), operation, watch=watch))


@app.command()
def afterwards(
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="Run with afterwards.")],
    postpone: Annotated[
        float | None, typer.Option(min=0.001, max=8000, metavar="HOURS", help="Let it stay for so many hours from now.")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Let it stay for good.")] = False,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Put off, or call off, the end of a restored cluster. By its run's request it would be stopped or deleted."""
    if (postpone is None) != cancel:
        raise typer.BadParameter("give one of the two", param_hint="--postpone, --cancel")
    end(commands.afterwards(pipeline_of(env, region), output_of(env, region, json), operation, postpone))


@app.command()
def report(
    operation: Operation = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown, as for a job's summary (default).")] = False,
    html: Annotated[bool, typer.Option("--html", help="A page of its own, one file.")] = False,
    file: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
    signed: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Fetch report.json, report.html, signature and public key.")
    ] = None,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Give the evidence of a run. What was done and proven, and what was not tested."""
    if json + html + markdown > 1:
        raise typer.BadParameter("one form at a time", param_hint="--json, --html, --markdown")
    if signed is not None:
        if html or markdown or file:
            raise typer.BadParameter("the files come as they were signed", param_hint="--signed")
        end(reporting.fetch(pipeline_of(env, region), output_of(env, region, json), operation, signed))
    form = Form.JSON if json else Form.HTML if html else Form.MARKDOWN
    end(reporting.report(pipeline_of(env, region), output_of(env, region, json), operation, form, file))


@app.command()
def drills(
    days: Annotated[int, typer.Option(min=1, max=3660, metavar="DAYS", help="Look at so many days.")] = 90,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The last of these days (UTC); today when left out."),
    ] = None,
    fresh_days: Annotated[
        int, typer.Option(min=1, max=3660, metavar="DAYS", help="A restore proves a source for so many days.")
    ] = 30,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page as well.")] = None,
    signed: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Have it made and signed by the pipeline, and fetch that.")
    ] = None,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Show every source cluster with its restores over time. Those that were never restored are there, too."""
    wanted = drilling.Wanted(days=days, fresh_days=fresh_days, last_day=until)
    if signed is not None:
        if html:
            raise typer.BadParameter("the page comes as it was signed", param_hint="--signed")
        end(drilling.sign(pipeline_of(env, region), output_of(env, region, json), wanted, signed))
    end(drilling.drills(pipeline_of(env, region), output_of(env, region, json), wanted, html))


@app.command()
def verify_report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="The files, or the folder that has them.")],
    key: Annotated[Path, typer.Option(metavar="PEM", help="The public key, from an account that you trust.")],
    json: AsJson = False,
) -> None:
    """Check evidence with the public key alone, without AWS. Signature and digests, and what that proves."""
    end(reporting.verify_report(Output(json), files, key))


def main() -> int:
    """Run one command; return its exit code."""
    try:
        app(prog_name="./restore.sh")
    except Refused as error:
        told = with_options(printable(str(error)), typed_options(sys.argv[1:]))
        sys.stderr.write(f"restore.sh: {told}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("restore.sh: interrupted\n")
        return INTERRUPTED
    return 0
