"""Deploys the real templates with the real tools: build_lambda_packages.sh, then sam deploy, twice."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local_cloud.aws_environment import command_environment
from local_cloud.cloud import CloudFailed, LocalCloud
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tooling.environments import LOCAL, REPOSITORY, environment_bin

PREREQUISITES_STACK = "aurora-restore-prerequisites"
PIPELINE_STACK = "aurora-restore"
ENVIRONMENT = "dev"
MASTER_USERNAME = "master"
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")


@dataclass(frozen=True, kw_only=True)
class Login:
    """A database user and its password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The deployed pipeline, and the passwords that were put into its secrets."""

    state_machine_arn: str
    master: Login
    application_user: Login
    readonly_user: Login
    devops_user: Login


def deploy(cloud: LocalCloud, parameters: Mapping[str, str] | None = None) -> Deployment:
    """Deploy prerequisites and pipeline, and fill the secrets; `parameters` are the pipeline stack's own.

    `build/` is shared by everything in this checkout, so only one deployment runs at a time.
    """
    with one_deployment_at_a_time(), ThreadPoolExecutor(1) as pool:
        packages = pool.submit(_build_packages)
        _sam_deploy(cloud, PREREQUISITES_STACK, "infrastructure/prerequisites.yaml", _PREREQUISITES)
        logins = fill_secrets(cloud)
        packages.result()
        _sam_deploy(
            cloud, PIPELINE_STACK, "template.yaml", {**_PIPELINE, **(parameters or {})},
            "--s3-bucket", _output(cloud, PREREQUISITES_STACK, "CodeBucketName"), "--s3-prefix", PIPELINE_STACK,
        )  # fmt: skip
    return Deployment(state_machine_arn=_output(cloud, PIPELINE_STACK, "StateMachineArn"), **logins)


def find_deployment(cloud: LocalCloud) -> Deployment:
    """Return what is deployed in a running local cloud."""
    client = cloud.client("secretsmanager")
    master = _secret(client, "master-credentials")
    # A user may have added entries, with profiles, and users without a password.
    entries = _secret(client, "app-credentials")
    users = {
        name: Login(username=entries[name]["username"], password=entries[name].get("password", ""))
        for name in ("application_user", "readonly_user", "devops_user")
    }
    return Deployment(
        state_machine_arn=_output(cloud, PIPELINE_STACK, "StateMachineArn"),
        master=Login(username=master["username"], password=master["password"]),
        **users,
    )


def fill_secrets(cloud: LocalCloud) -> dict[str, Login]:
    """Put fresh passwords into the secrets, as a DBA does after the first deployment."""
    logins = {
        "application_user": Login(username="app_user", password=new_password()),
        "readonly_user": Login(username="readonly_user", password=new_password()),
        "devops_user": Login(username="devops_user", password=new_password()),
    }
    master = Login(username=MASTER_USERNAME, password=new_password())
    client = cloud.client("secretsmanager")
    _put(client, "master-credentials", _as_document(master))
    _put(client, "app-credentials", {name: _as_document(login) for name, login in logins.items()})
    return {"master": master, **logins}


def new_password() -> str:
    """Return a password that RDS takes (no slash, quote, at sign or space)."""
    return secrets.token_urlsafe(24)


_PREREQUISITES = {"Environment": ENVIRONMENT, "DataDeletionPolicy": "Delete"}
_PIPELINE = {
    "Environment": ENVIRONMENT,
    "SourceRegion": SOURCE_REGION,
    "TableDeletionProtection": "false",
    "DataDeletionPolicy": "Delete",
}


def _build_packages() -> None:
    # The functions run under the interpreter of the environment `cloud`, so their wheels are for that one.
    python = str(environment_bin("cloud") / "python")
    _run(["./build_lambda_packages.sh", "--host"], {**os.environ, "PYTHON": python})


def _sam_deploy(cloud: LocalCloud, stack: str, template: str, parameters: Mapping[str, str], *more: str) -> None:
    config = cloud.run_dir / "samconfig.toml"  # not the repository's, which is for AWS
    config.write_text("version = 0.1\n")
    overrides = [f"{key}={_quoted(value)}" for key, value in parameters.items()]
    command = [
        str(environment_bin("sam") / "sam"), "deploy", "--template-file", template, "--stack-name", stack,
        "--region", TARGET_REGION, "--capabilities", *_CAPABILITIES, "--no-confirm-changeset",
        "--no-fail-on-empty-changeset", "--no-progressbar", "--config-file", str(config), *more,
        "--parameter-overrides", *overrides,
    ]  # fmt: skip
    _run(command, command_environment({**cloud.environment(), "SAM_CLI_POLL_DELAY": "0.2"}))


def _quoted(value: str) -> str:
    """Return a value as sam's own small parser of Key=Value wants it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-30:])
        raise CloudFailed(f"{' '.join(command[:4])} failed with exit code {done.returncode}:\n{tail}")


def _output(cloud: LocalCloud, stack: str, key: str) -> str:
    client = cloud.client("cloudformation")
    try:
        outputs = client.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    except client.exceptions.ClientError as error:
        raise CloudFailed(f"Nothing is deployed here yet: no stack {stack}. Run ./local.sh up.") from error
    return str(next(output["OutputValue"] for output in outputs if output["OutputKey"] == key))


def _secret(client: Any, name: str) -> dict[str, Any]:
    value = client.get_secret_value(SecretId=f"aurora-restore/{ENVIRONMENT}/{name}")["SecretString"]
    document: dict[str, Any] = json.loads(value)
    return document


def _put(client: Any, name: str, document: Mapping[str, Any]) -> None:
    client.put_secret_value(SecretId=f"aurora-restore/{ENVIRONMENT}/{name}", SecretString=json.dumps(document))


def _as_document(login: Login) -> dict[str, str]:
    return {"username": login.username, "password": login.password}


@contextlib.contextmanager
def one_deployment_at_a_time() -> Iterator[None]:
    """Keep others of this checkout from deploying meanwhile: `build/` is shared."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "deploy.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
