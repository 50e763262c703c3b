"""Every command of README and guides works as it stands, in this order, for somebody with a local cloud."""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline.demonstration import furnish
from local_cloud.regions import SOURCE_REGION
from local_cloud.screen.terminal import Terminal
from restore_command.app import app
from tests.deployment.reader import Reader, check_out
from tests.shell_blocks import DOCUMENTS, ShellBlock, shell_blocks
from tests.waiting import wait_for

BLOCKS = [block for path in DOCUMENTS for block in shell_blocks(path)]
SPEED = 150.0
# Typed in README's block that is tried by hand, an hour after `./local.sh up`: its data must not be too old by then.
BY_HAND = "./restore.sh start --name my-first-restore "
# Its block undoes it, whereupon nothing is left to be deleted.
SWAPPED = "my-first-swap"
# Both are named in README's block with the answers; nobody but a reader answers them.
APPROVED, REJECTED = "nightly-2026-11-22", "nightly-2026-11-23"
TYPED = re.compile(r"\./restore\.sh ((?:fleet )?[a-z-]+)")


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

    def let_two_runs_ask(self) -> None:
        """Start the two runs that README answers, and wait until both wait for a person."""
        states = self._cloud.client("stepfunctions")
        [machine] = [
            found["stateMachineArn"]
            for found in states.list_state_machines()["stateMachines"]
            if found["name"] == "aurora-restore-pipeline"
        ]
        for name in (APPROVED, REJECTED):
            request = {
                "source": {"cluster_id": "shop-production", "max_age_hours": None},
                "target": {"cluster_id": f"answered-{name}"},
                "approval": {"timeout_hours": 96},
            }
            states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
        dynamodb = self._cloud.client("dynamodb")

        def both_ask() -> bool:
            return bool(dynamodb.scan(TableName="aurora-restore-approvals")["Count"] == 2)

        wait_for(both_ask, "the two questions", seconds=120)

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


def test_one_block_answers_the_runs_that_ask() -> None:
    [block] = [block for block in BLOCKS if "./restore.sh approve" in block.commands]
    assert f"approve {APPROVED} " in block.commands
    assert f"reject {REJECTED} " in block.commands


def names_of_commands() -> set[str]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    fleet = group.commands["fleet"]
    assert isinstance(fleet, TyperGroup)
    # None of the documents' fleets has anything to resume: tests/integration/test_fleet.py resumes one.
    return {*group.commands, *(f"fleet {name}" for name in fleet.commands)} - {"fleet", "fleet resume"}


def test_every_command_of_restore_sh_is_typed() -> None:
    # The runbook is typed as well: tests/integration/test_runbook.py.
    blocks = [*BLOCKS, *shell_blocks("docs/runbook.md")]
    typed = {name for block in blocks if block.reason is None for name in TYPED.findall(block.commands)}
    assert typed == names_of_commands()


def test_one_block_is_typed_an_hour_late() -> None:
    assert [block.section for block in BLOCKS if BY_HAND in block.commands] == ["Two commands"]


@pytest.mark.local_cloud
@pytest.mark.parametrize("block", [block for block in BLOCKS if block.reason is None], ids=str)
def test_a_reader_runs_a_block(desk: Desk, block: ShellBlock) -> None:
    if BY_HAND in block.commands:
        desk.let_an_hour_pass()
    if f"approve {APPROVED}" in block.commands:
        desk.let_two_runs_ask()
    desk.reader(block.path).run(block.commands)
    outcomes = desk.wait_for_runs()
    # What was rejected, and the deletion of an old cluster whose swap was undone.
    meant = {f"{REJECTED} FAILED", f"{SWAPPED}-retirement ABORTED"}
    assert {outcome for outcome in outcomes if not outcome.endswith(" SUCCEEDED")} <= meant
