"""What somebody does at a keyboard, with only the AWS CLI, sam and psql."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.pipeline.deployment import Login
from local_cloud.scram import scram_verifier
from tests.integration.stage.shell import Shell
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tooling.environments import REPOSITORY

OWNER = Login(username="owner", password="My-0wn-master-secret")


OWN_LOGIN_PASSWORD = "My-0wn-login-secret"


OPERATION = "nightly-2026-11-22"  # as in the event.json of every function


# As pg_dumpall writes it: PostgreSQL logs the statement, a verifier is no password.
DUMP = f"""
CREATE ROLE backend LOGIN PASSWORD '{scram_verifier(OWN_LOGIN_PASSWORD)}';
CREATE SCHEMA library;
GRANT USAGE, CREATE ON SCHEMA library TO backend;
CREATE TABLE library.books (id int PRIMARY KEY, title text NOT NULL);
COPY library.books (id, title) FROM stdin;
1\tThe Art of Restoring
2\tSnapshots for Beginners
\\.
GRANT ALL ON library.books TO backend;
"""


@dataclass(frozen=True)
class Afternoon:
    """What was done at the keyboard, and what came of it."""

    execution: dict[str, Any]
    cluster: dict[str, Any]


@story
def afternoon(world: World) -> Afternoon:
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(world.cloud, Path(folder))
        _make_production(shell)
        [machine] = shell.aws(
            "stepfunctions", "list-state-machines", "--query",
            "stateMachines[?name=='aurora-restore-pipeline'].stateMachineArn",
        )  # fmt: skip
        request = json.loads((REPOSITORY / "statemachine/inputs/nightly_refresh.json").read_text())
        request["source"]["cluster_id"], request["target"]["cluster_id"] = "my-production", "my-staging"
        name = shell.file("input.json", request)
        started = shell.aws(
            "stepfunctions", "start-execution", "--state-machine-arn", machine, "--name", OPERATION,
            "--input", f"file://{name}",
        )  # fmt: skip
        describe = ("stepfunctions", "describe-execution", "--execution-arn", started["executionArn"])
        shell.aws_until(False, *describe, "--query", "status == 'RUNNING'")
        execution = shell.aws(*describe)
        assert execution["status"] == "SUCCEEDED", execution
        cluster = shell.aws("rds", "describe-db-clusters", "--db-cluster-identifier", "my-staging")["DBClusters"][0]
        return Afternoon(execution, cluster)


def _make_production(shell: Shell) -> None:
    rds = ("--region", "us-east-1", "rds")
    cluster = {
        "DBClusterIdentifier": "my-production",
        "Engine": "aurora-postgresql",
        "MasterUsername": OWNER.username,
        "MasterUserPassword": OWNER.password,
        "DatabaseName": "library",
    }
    shell.aws(*rds, "create-db-cluster", "--cli-input-json", f"file://{shell.file('cluster.json', cluster)}")
    clusters = (*rds, "describe-db-clusters", "--db-cluster-identifier", "my-production")
    shell.aws_until("available", *clusters, "--query", "DBClusters[0].Status")
    shell.aws(
        *rds, "create-db-instance", "--db-cluster-identifier", "my-production", "--db-instance-identifier",
        "my-production-1", "--db-instance-class", "db.r8g.large", "--engine", "aurora-postgresql",
    )  # fmt: skip
    instances = (*rds, "describe-db-instances", "--db-instance-identifier", "my-production-1")
    shell.aws_until("available", *instances, "--query", "DBInstances[0].DBInstanceStatus")
    shell.psql(shell.aws(*clusters)["DBClusters"][0], "library", OWNER, "--file", shell.file("dump.sql", DUMP))
    shell.aws(
        *rds, "create-db-cluster-snapshot", "--db-cluster-identifier", "my-production",
        "--db-cluster-snapshot-identifier", "my-snapshot",
    )  # fmt: skip
    snapshots = (*rds, "describe-db-cluster-snapshots", "--db-cluster-snapshot-identifier", "my-snapshot")
    shell.aws_until("available", *snapshots, "--query", "DBClusterSnapshots[0].Status")
