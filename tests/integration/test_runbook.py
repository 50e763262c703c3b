"""Every command of docs/runbook.md works as it stands, in a user's shell."""

import re
from dataclasses import dataclass
from typing import Any

from tests.integration.stage.shell import Shell
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.shell_blocks import shell_blocks
from tests.waiting import wait_for
from tooling.environments import REPOSITORY

BLOCKS = shell_blocks("docs/runbook.md")


def commands_of(section: str, number: int = 0) -> str:
    """Return the commands of a shell block below a heading, the first by default."""
    return [block.commands for block in BLOCKS if block.section == section][number]


def preamble(operation: str, target: str) -> str:
    """Return what the runbook sets first, with an operation and a target of ours."""
    text = re.sub(r"^OPERATION=\S+", f"OPERATION={operation}", BLOCKS[0].commands, flags=re.MULTILINE)
    return re.sub(r"^TARGET=\S+", f"TARGET={target}", text, flags=re.MULTILINE)


class Reader:
    """Somebody with the runbook open, about one operation."""

    def __init__(self, world: World, operation: str, target: str) -> None:
        self._world, self._first = world, preamble(operation, target)

    def follow(self, section: str, commands: str = "") -> str:
        """Run the commands of a section; fails with their words when one of them fails."""
        script = "set -eu\n" + self._first + (commands or commands_of(section))
        return Shell(self._world.cloud, REPOSITORY).run("bash", "-c", script)


@dataclass(frozen=True)
class Troubled:
    """A run that failed, and what somebody did about it by the book."""

    name: str
    old: dict[str, Any]
    told: str
    lock: str
    row: dict[str, Any]
    rolled_back: list[str]
    copies: str


@story
def by_the_book(world: World) -> Troubled:
    target = "by-the-book"
    old = world.old_target(target)
    world.fault("end-in", "RestoreDBClusterFromSnapshot", target, status="incompatible-restore")
    name = world.run({"target": {"cluster_id": target}}).operation_id
    reader = Reader(world, name, target)
    told = reader.follow("What happened")
    reader.follow("Resume")
    lock = reader.follow("The lock is held")
    row = wait_for(lambda: (row := world.row(name)) and row["status"] == "SUCCEEDED" and row, "the end", seconds=200)
    reader.follow("Roll back to the final snapshot")
    restored = [item["DBInstanceIdentifier"] for item in world.instances(f"{target}-before")]
    listing, _, deletion = commands_of("Delete left-over copies").partition("aws rds delete-db-cluster-snapshot")
    copies = reader.follow("", listing)
    reader.follow("", f"aws rds delete-db-cluster-snapshot{deletion.replace('COPY', copies.split()[0])}")
    return Troubled(name, old, told, lock, row, restored, copies)


def test_it_tells_what_happened(by_the_book: Troubled) -> None:
    for words in ("RestoreFailed", "incompatible-restore", "Check Restore Status", "by-the-book"):
        assert words in by_the_book.told


def test_it_resumes(by_the_book: Troubled) -> None:
    first, second = (item["execution_arn"].rpartition(":")[2] for item in by_the_book.row["executions"])
    assert first == by_the_book.name
    assert second.startswith("resume-")
    assert by_the_book.name in by_the_book.lock


def test_it_rolls_back_to_the_final_snapshot(by_the_book: Troubled) -> None:
    assert by_the_book.rolled_back == ["by-the-book-before-1"]


def test_it_deletes_a_left_over_copy(world: World, by_the_book: Troubled) -> None:
    assert by_the_book.copies.startswith("aurora-restore-copy-by-the-book-")
    assert world.snapshots("copy", "by-the-book") == []


@story
def stopped_by_the_book(world: World) -> dict[str, Any]:
    target = "stopped-by-the-book"
    world.fault("freeze", "CopyDBClusterSnapshot", f"aurora-restore-copy-{target}-*")
    name = world.start({"target": {"cluster_id": target}})
    copy = wait_for(lambda: next(iter(world.snapshots("copy", target)), None), "the copy")
    reader = Reader(world, name, target)
    reader.follow("Stop a run")
    wait_for(lambda: (row := world.row(name)) and row["status"] == "FAILED", "the closed row")
    assert '"0"' in reader.follow("", commands_of("Stop a run", 1))
    world.cloud.aurora_control("POST", "release", {"arn": copy["DBClusterSnapshotArn"]})
    reader.follow("Redrive")
    return wait_for(lambda: (row := world.row(name)) and row["status"] == "SUCCEEDED" and row, "the end", seconds=200)


def test_it_stops_and_redrives(stopped_by_the_book: dict[str, Any]) -> None:
    assert stopped_by_the_book["status"] == "SUCCEEDED"
    assert [int(execution["redrive_count"]) for execution in stopped_by_the_book["executions"]] == [0, 1]
