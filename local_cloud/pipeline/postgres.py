"""Talks to the clusters' PostgreSQL with psql; a password only ever travels in the environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.aws_environment import command_environment, postgres_tool
from local_cloud.cloud import CloudFailed, LocalCloud
from local_cloud.pipeline.deployment import Login


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of a cluster, and who logs in."""

    host: str
    port: int
    name: str
    login: Login

    def variables(self) -> dict[str, str]:
        """Return libpq's variables."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": self.name,
            "PGUSER": self.login.username,
            "PGPASSWORD": self.login.password,
            "PGCONNECT_TIMEOUT": "10",
        }


def database_of(cluster: Mapping[str, Any], name: str, login: Login) -> Database:
    """Return a database at the endpoint of a cluster that DescribeDBClusters gave."""
    return Database(host=str(cluster["Endpoint"]), port=int(cluster["Port"]), name=name, login=login)


def run_file(cloud: LocalCloud, database: Database, file: Path, variables: Mapping[str, str] | None = None) -> None:
    """Run a SQL file to its end or its first error; `variables` reach psql through its environment."""
    names = [f"\\getenv {name} {name}" for name in variables or {}]
    script = "\n".join([*names, f"\\i '{file}'", ""])
    arguments = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
    _psql(cloud, database, arguments, script, variables or {})


def query(cloud: LocalCloud, database: Database, sql: str) -> list[list[str]]:
    """Return the rows of a query, as text."""
    arguments = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--tuples-only", "--no-align", "--csv"]
    output = _psql(cloud, database, arguments, sql, {})
    return [line.split(",") for line in output.splitlines() if line]


def pgbench_initialise(cloud: LocalCloud, database: Database, scale: int) -> None:
    """Make pgbench's schema."""
    _tool(cloud, database, "pgbench", ["--initialize", "--quiet", "--scale", str(scale)], "", {})


def exact_counts(cloud: LocalCloud, database: Database) -> dict[str, int]:
    """Count the rows of every table and materialized view of a database, really."""
    relations = query(
        cloud,
        database,
        "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind IN ('r', 'm') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1",
    )
    names = [row[0] for row in relations]
    if not names:
        return {}
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names)  # noqa: S608
    return {name: int(count) for name, count in query(cloud, database, counts)}


def _psql(
    cloud: LocalCloud, database: Database, arguments: list[str], script: str, variables: Mapping[str, str]
) -> str:
    return _tool(cloud, database, "psql", arguments, script, variables)


def _tool(
    cloud: LocalCloud, database: Database, tool: str, arguments: list[str], script: str, variables: Mapping[str, str]
) -> str:
    environment = command_environment({**cloud.environment(), **database.variables(), **variables})
    done = subprocess.run(
        [str(postgres_tool(tool)), *arguments], input=script, env=environment, cwd=os.sep,
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CloudFailed(f"{tool} in database {database.name} failed: {done.stderr.strip()}")
    return done.stdout
