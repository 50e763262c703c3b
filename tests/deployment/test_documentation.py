"""Every command of README and guides works as it stands, in this order, for somebody with a local cloud."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline.demonstration import furnish
from local_cloud.regions import SOURCE_REGION
from local_cloud.screen.terminal import Terminal
from tests.deployment.reader import Reader, check_out
from tests.shell_blocks import DOCUMENTS, ShellBlock, shell_blocks
from tests.waiting import wait_for

BLOCKS = [block for path in DOCUMENTS for block in shell_blocks(path)]
SPEED = 150.0
# Typed in README's block that is tried by hand, an hour after `./local.sh up`: its data must not be too old by then.
BY_HAND = "./restore.sh start --name my-first-restore "


class Desk:
    """A checkout with a running local cloud, as `./local.sh up` leaves it, and a reader for each document."""

    def __init__(self, checkout: Path, cloud: LocalCloud) -> None:
        self._checkout, self._cloud = checkout, cloud
        self._readers: dict[str, Reader] = {}
        _prepare(checkout)

    def reader(self, path: str) -> Reader:
        """Return who reads a document, from its first block on in the same shell."""
        if path not in self._readers:
            variables = command_environment({**self._cloud.environment(), "SAM_CLI_POLL_DELAY": "0.2"})
            variables["PATH"] += os.pathsep + str(self._checkout / ".local/bin")
            self._readers[path] = Reader(self._checkout, variables)
        return self._readers[path]

    def let_an_hour_pass(self) -> None:
        """Move the clock of the local Aurora by as much as passes there in an hour, with what happens every night."""
        hours = SPEED
        while hours > 0:
            known = self._backups()
            self._cloud.aurora_control("POST", "clock", {"skip": 3600 * min(hours, 24)})
            if hours >= 24:
                wait_for(lambda known=known: self._backups() - known, "the snapshot of a night")  # type: ignore[misc]
            hours -= 24

    def _backups(self) -> set[str]:
        found = self._cloud.client("rds", SOURCE_REGION).describe_db_cluster_snapshots(SnapshotType="automated")
        return {snapshot["DBClusterSnapshotIdentifier"] for snapshot in found["DBClusterSnapshots"]}

    def wait_for_runs(self) -> list[str]:
        """Wait until no run is on; return how all that there were ended, by state machine."""
        states = self._cloud.client("stepfunctions")

        def executions() -> list[dict[str, str]]:
            machines = states.list_state_machines()["stateMachines"]
            return [
                execution
                for machine in machines
                for execution in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
            ]

        wait_for(lambda: all(run["status"] != "RUNNING" for run in executions()), "the end of all runs", every=0.5)
        return [f"{run['name']} {run['status']}" for run in executions()]


def _prepare(checkout: Path) -> None:
    """Give the reader what the documents take for granted: the own app.json, and a password manager."""
    users = {
        name: {"username": f"my_{name}", "password": f"A-g00d-0ne-for-{name}"}
        for name in ("application_user", "readonly_user", "devops_user")
    }
    (checkout / "app.json").write_text(json.dumps(users))
    manager = checkout / ".local/bin/some-password-manager"
    manager.parent.mkdir()
    manager.write_text("""#!/bin/sh\necho '{"username": "master", "password": "A-g00d-0ne-for-master"}'\n""")
    manager.chmod(0o755)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        checkout = check_out(Path(folder) / "aurora-restore")
        with LocalCloud.start(run_dir=checkout / ".local/run/up", speed=SPEED) as cloud:
            furnish(cloud, Terminal())
            yield Desk(checkout, cloud)


def test_one_block_is_typed_an_hour_late() -> None:
    assert [block.section for block in BLOCKS if BY_HAND in block.commands] == ["Two commands"]


@pytest.mark.local_cloud
@pytest.mark.parametrize("block", [block for block in BLOCKS if block.reason is None], ids=str)
def test_a_reader_runs_a_block(desk: Desk, block: ShellBlock) -> None:
    if BY_HAND in block.commands:
        desk.let_an_hour_pass()
    desk.reader(block.path).run(block.commands)
    outcomes = desk.wait_for_runs()
    assert [outcome for outcome in outcomes if not outcome.endswith(" SUCCEEDED")] == []
