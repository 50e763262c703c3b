"""The options that several commands have."""

from enum import StrEnum
from typing import Annotated

import typer


class Environment(StrEnum):
    """The environments of samconfig.toml."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


Env = Annotated[Environment | None, typer.Option("--env", help="Refuse unless the pipeline is of this environment.")]
Region = Annotated[str | None, typer.Option(help="Target Region; AWS_REGION or the profile's when left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Operation = Annotated[str | None, typer.Argument(metavar="[OPERATION]", help="Operation; the newest when left out.")]
Watch = Annotated[bool, typer.Option("--watch", help="Follow the run to its end.")]
Input = Annotated[str, typer.Option("--input", metavar="FILE", help="File with the request; - reads standard input.")]
