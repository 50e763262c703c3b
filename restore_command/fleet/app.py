"""The commands of `./restore.sh fleet` and their options."""

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from restore_command.fleet import commands
from restore_command.options import AsJson, Env, Region, end, output_of, pipeline_of, text_of

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help='Restore many targets at once. The file has {"operations": [REQUEST, ...], "max_concurrency": 20, '
    '"tolerated_failures": 0}. A list in S3, also of more than 256 KB, is named in place of operations: '
    '"operations_from": "s3://BUCKET/fleets/KEY", or --input s3://BUCKET/fleets/KEY and nothing else. At most 500 '
    "requests. When more fail than are tolerated, no further one is started; what is under way goes on.",
)
Requests = Annotated[
    str,
    typer.Option(
        "--input", metavar="FILE", help="File with the request; - reads standard input; s3://... names a list in S3."
    ),
]
Name = Annotated[str | None, typer.Argument(metavar="FLEET", help="Fleet; the newest when left out.")]


def _request(given: str) -> str:
    return dumps({"operations_from": given}) if given.startswith("s3://") else text_of(given)


@app.command()
def start(
    requests: Requests,
    name: Annotated[str, typer.Option(help="Name; made from the time when left out. Its runs are NAME-001, ...")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Follow the fleet to its end.")] = False,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Check every request and start a run for each."""
    end(commands.start(pipeline_of(env, region), output_of(env, region, json), _request(requests), name, watch=watch))


@app.command()
def plan(requests: Requests, env: Env = None, region: Region = None, json: AsJson = False) -> None:
    """Tell which of the runs would be refused (dry run). Each makes its plan; nothing is changed."""
    end(commands.plan(pipeline_of(env, region), output_of(env, region, json), _request(requests)))


@app.command()
def watch(fleet: Name = None, env: Env = None, region: Region = None, json: AsJson = False) -> None:
    """Follow a fleet to its end; Ctrl-C leaves it alone."""
    end(commands.watch(pipeline_of(env, region), output_of(env, region, json), fleet))


@app.command()
def show(
    fleet: Name = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page as well.")] = None,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Show a fleet, one line a target."""
    end(commands.show(pipeline_of(env, region), output_of(env, region, json), fleet, html))


@app.command()
def resume(
    fleet: Annotated[str, typer.Argument(metavar="FLEET", help="Fleet that has ended.")],
    watch: Annotated[bool, typer.Option("--watch", help="Follow the fleet to its end.")] = False,
    env: Env = None,
    region: Region = None,
    json: AsJson = False,
) -> None:
    """Go on with what a fleet did not restore. Failed runs keep their ids, the others start anew."""
    end(commands.resume(pipeline_of(env, region), output_of(env, region, json), fleet, watch=watch))
