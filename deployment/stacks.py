"""The stacks: their names, parameters and outputs, and how SAM deploys them."""

import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Account, Refused, told
from deployment.names import Names

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE_ACCOUNT = "aurora-restore-source"
# What deploy.sh decides: by hand, a name would hide a stack, and the others would delete rows or overwrite a secret.
_DECIDED_HERE = {
    "NamePrefix", "ExistingTables", "AccessDeletionPolicy", "MasterCredentialsValue", "AppCredentialsValue",
    "KmsKeySecretValue",
}  # fmt: skip
_NOTHING_MADE_YET = "REVIEW_IN_PROGRESS"
_READY = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}


@dataclass(frozen=True)
class Stack:
    """A deployed stack."""

    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_made(self) -> bool:
        """Whether anything of it is there: a first change set that nobody carried out has made nothing yet."""
        return self.status != _NOTHING_MADE_YET

    @property
    def made_for(self) -> str:
        """The environment; empty if nothing tells it. An import that was not finished tells it by its parameter."""
        return self.outputs.get("Environment") or self.parameters.get("Environment", "")

    @property
    def names(self) -> Names:
        """What the environment is called whose prerequisites this stack has."""
        return Names(self.name.removesuffix("-prerequisites"))

    @property
    def is_ready(self) -> bool:
        """Whether the last deployment is finished and left a working stack."""
        return self.status in _READY


def find_stack(account: Account, name: str) -> Stack | None:
    """Return a stack, or None if there is none in this Region; raises botocore's errors."""
    try:
        found = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return Stack(
        name=name,
        status=found["StackStatus"],
        parameters={item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])},
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
    )


def names_of(account: Account, environment: str) -> Names:
    """Return the names of an environment: its own if it was made beside another one here, else the guide's."""
    guides, own = Names(), Names.beside(environment)
    with told():
        first = find_stack(account, guides.prerequisites)
        if first is not None and first.made_for == environment:
            return guides
        return guides if find_stack(account, own.prerequisites) is None else own


def prerequisites_of(account: Account, environment: str) -> Stack:
    """Return the stack of the prerequisites; raises `Refused` if it is missing or was made for another environment."""
    names = names_of(account, environment)
    with told():
        stack = find_stack(account, names.prerequisites)
    again = f"./deploy.sh bootstrap --env {environment} --region {account.region}"
    if stack is None:
        raise Refused(f"no stack {names.prerequisites} in {account.region}: is this the target Region? If so: {again}")
    made_for = stack.made_for
    if made_for in ("", environment) and not stack.outputs:
        raise Refused(
            f"stack {stack.name} is in {stack.status} and has no outputs: its deployment was not finished. "
            f"{again} goes on with it"
        )
    if made_for != environment:
        raise Refused(
            f"the prerequisites in {account.region} are for {made_for}, not for {environment}: "
            f"pass --env {made_for}, use another account or Region, or make {environment} beside it: {again} --beside"
        )
    return stack


def state_machine_of(account: Account, pipeline: Stack) -> str:
    """Return the state machine's ARN; raises `Refused` for a stack whose deployment was not finished."""
    found = pipeline.outputs.get("StateMachineArn")
    if found is None:
        env = f" --env {pipeline.made_for}" if pipeline.made_for else ""
        raise Refused(
            f"stack {pipeline.name} in {account.region} is in {pipeline.status} and has no state machine: its "
            f"deployment was not finished. ./deploy.sh deploy{env} --region {account.region} goes on with it, or says "
            "what is in the way"
        )
    return found


def parameters_of(section: str, given: Sequence[str]) -> dict[str, str]:
    """Return the parameters of a section of samconfig.toml with those of the command line over them."""
    config: dict[str, Any] = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    settings = config[section]["deploy"]["parameters"]
    known = _known_parameters(settings["template_file"]) - _DECIDED_HERE
    parameters = dict(item.split("=", 1) for item in settings["parameter_overrides"])
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or name not in known:
            raise Refused(
                f"--set {item.partition('=')[0]}: expected NAME=VALUE with one of {', '.join(sorted(known))}, "
                f"the parameters of {settings['template_file']}"
            )
        parameters[name] = value
    return parameters


def sam_deploy(
    account: Account, section: str, stack: str, parameters: Mapping[str, str], *more: str, confirm: bool
) -> None:
    """Let SAM make a change set for a stack, show it, and carry it out; asks before if `confirm`."""
    run(
        [
            "sam", "deploy", "--config-file", str(REPOSITORY / "samconfig.toml"), "--config-env", section,
            "--stack-name", stack,
            "--region", account.region, "--confirm-changeset" if confirm else "--no-confirm-changeset", *more,
            "--parameter-overrides", *(f"{name}={_quoted(value)}" for name, value in parameters.items()),
        ],
        "sam deploy did not finish; what it says above is why",
    )  # fmt: skip


def run(command: Sequence[str], otherwise: str) -> None:
    """Run a command in the repository; raises `Refused` with `otherwise` if it fails."""
    environment = os.environ | {"SAM_CLI_TELEMETRY": os.environ.get("SAM_CLI_TELEMETRY", "0")}
    try:
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=False)
    except FileNotFoundError:
        raise Refused(f"{command[0]} is not on PATH: run ./deploy.sh, which installs it") from None
    if done.returncode != 0:
        raise Refused(otherwise)


def _known_parameters(template: str) -> set[str]:
    """Return the names below Parameters; a template's own tags (!Ref) need no parsing for that."""
    names: set[str] = set()
    inside = False
    for line in (REPOSITORY / template).read_text().splitlines():
        if line and not line[0].isspace():
            inside = line.startswith("Parameters:")
        elif inside and line.startswith("  ") and line[2:3].isalpha():
            names.add(line.strip().rstrip(":"))
    return names


def _quoted(value: str) -> str:
    """Return a value as sam's own small parser of Key=Value wants it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
