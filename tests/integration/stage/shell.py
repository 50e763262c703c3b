"""A user's shell: aws, sam and psql as `./local.sh env` sets them up, and nothing of this repository."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline.deployment import Login
from tests.waiting import wait_for


class Shell:
    """Runs commands the way somebody at the keyboard does."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self._environment = command_environment(cloud.environment())
        self._folder = folder

    def run(self, *command: str, variables: Mapping[str, str] | None = None, expect: int = 0) -> str:
        """Return what a command prints; fails with its own words when it ends otherwise than expected."""
        done = subprocess.run(
            command, cwd=self._folder, env={**self._environment, **(variables or {})}, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == expect, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout if expect == 0 else done.stderr

    def aws(self, *arguments: str) -> Any:
        """Return the answer of the AWS CLI."""
        return json.loads(self.run("aws", *arguments, "--output", "json") or "null")

    def aws_until(self, wanted: object, *arguments: str, seconds: float = 120.0) -> None:
        """Repeat a call of the AWS CLI until it answers what is wanted."""
        wait_for(lambda: self.aws(*arguments) == wanted, f"{wanted} from aws {' '.join(arguments)}", seconds=seconds)

    def psql(self, cluster: Mapping[str, Any], database: str, who: Login, *arguments: str, expect: int = 0) -> str:
        """Log in with psql; the password travels in the environment."""
        variables = {
            "PGHOST": str(cluster["Endpoint"]),
            "PGPORT": str(cluster["Port"]),
            "PGDATABASE": database,
            "PGUSER": who.username,
            "PGPASSWORD": who.password,
        }
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1")
        return self.run("psql", *options, *arguments, variables=variables, expect=expect)

    def file(self, name: str, content: object) -> str:
        """Write a file, as JSON unless it is text, and return its name."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self._folder / name).write_text(text)
        return name
