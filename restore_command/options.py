"""The options that several commands have, and what is made of them."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from deployment.account import Account
from restore_command.output import Output
from restore_command.pipeline import Pipeline

_LEADING = ("--env", "--region")


class Environment(StrEnum):
    """The environments of samconfig.toml."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


Env = Annotated[
    Environment | None,
    typer.Option("--env", help="Environment; left out, the Region's only one, or that without a name of its own."),
]
Region = Annotated[str | None, typer.Option(help="Target Region; AWS_REGION or the profile's when left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Operation = Annotated[str | None, typer.Argument(metavar="OPERATION", help="Operation; the newest when left out.")]
Watch = Annotated[bool, typer.Option("--watch", help="Follow the run to its end.")]
Input = Annotated[str, typer.Option("--input", metavar="FILE", help="File with the request; - reads standard input.")]


def pipeline_of(env: Environment | None, region: str | None) -> Pipeline:
    """Return the pipeline of a Region; raises `Refused` if it is of another environment."""
    pipeline = Pipeline(Account.of_environment(region), env.value if env else None)
    if env is not None:
        pipeline.refuse_unless_of(env.value)
    return pipeline


def output_of(env: Environment | None, region: str | None, as_json: bool) -> Output:
    """Return where a command prints; the commands that it names lead to the same pipeline as its own options."""
    given = {"--env": env.value if env else None, "--region": region}
    return Output(as_json, "".join(f" {name} {value}" for name, value in given.items() if value))


def typed_options(arguments: Sequence[str]) -> str:
    """Return the options that lead to a pipeline as they were typed: a command that is refused has no `Output`."""
    pairs = [argument.partition("=")[::2] for argument in arguments if argument.startswith("--") and "=" in argument]
    pairs += [pair for pair in pairwise(arguments) if pair[0] in _LEADING]
    return "".join(f" {name} {value}" for name, value in pairs if name in _LEADING)


def text_of(request: str) -> str:
    """Return what a file has, or standard input."""
    if not request:
        return "{}"
    try:
        return sys.stdin.read() if request == "-" else Path(request).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(
            f"{request}: {error}; expected a file with a JSON object", param_hint="--input"
        ) from None


def end(code: int) -> None:
    """End the command with an exit code."""
    raise typer.Exit(code)
