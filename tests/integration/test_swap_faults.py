"""A failure at each call of a switch, and a stop in the middle: somebody serves with the right data, and it heals."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production, counted
from tests.integration.stage.stories import story
from tests.integration.stage.world import OLD_MASTER, World
from tests.waiting import wait_for

BEFORE_ITS_RENAME = 2  # changes of the new cluster: its maintenance window, its master's password
# The renames of a target with one instance, in order: operation, what is renamed, calls before it.
RENAMES = {
    "the old cluster": ("ModifyDBCluster", "{}", 0),
    "the new cluster": ("ModifyDBCluster", "{}-new", BEFORE_ITS_RENAME),
    "the old instance": ("ModifyDBInstance", "{}-1", 0),
    "the new instance": ("ModifyDBInstance", "{}-1-new", 0),
}
FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"kind": "error", "code": "InvalidParameterCombination", "message": "not now"},
    "answer lost": {"kind": "error-after", "code": "InternalFailure", "http_status": 500},
}
CASES = [(rename, fault) for rename in RENAMES for fault in FAULTS]


@dataclass(frozen=True)
class Ending:
    """How a switch with a fault ended: the run, who had the name after it, what was in it, and the next run."""

    old: dict[str, Any]
    outcome: Outcome
    serving: dict[str, Any]
    rows: int | dict[str, int]
    next_outcome: Outcome


def _case(world: World, number: int) -> Ending:
    rename, fault = CASES[number]
    operation, pattern, skip = RENAMES[rename]
    name = f"switch{number}"
    old = world.old_target(name)
    world.fault(operation=operation, identifier=pattern.format(name), skip=skip, **FAULTS[fault])
    request = {"target": {"cluster_id": name}, "strategy": "swap", "keep_old_hours": None}
    outcome = world.run(request)
    serving = world.cluster(name)
    is_old = serving["DbClusterResourceId"] == old["DbClusterResourceId"]
    rows = _old_rows(world, serving) if is_old else counted(world.cloud, serving, world.deployment.master)
    return Ending(old, outcome, serving, rows, world.run(request))


def _old_rows(world: World, cluster: dict[str, Any]) -> int:
    with world.login(OLD_MASTER, cluster) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.of_the_old_target")
        (found,) = cursor.fetchone() or (0,)
        return int(found)


@story
def switches_with_a_fault(world: World) -> list[Ending]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda number: _case(world, number), range(len(CASES))))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[" ".join(case) for case in CASES])
def test_whichever_call_of_a_switch_fails_one_of_both_serves_with_its_data_and_the_next_run_succeeds(
    switches_with_a_fault: list[Ending], production: Production, number: int
) -> None:
    ending, (rename, fault) = switches_with_a_fault[number], CASES[number]
    serves_old = ending.serving["DbClusterResourceId"] == ending.old["DbClusterResourceId"]
    assert ending.serving["Status"] == "available"
    assert ending.rows == (25 if serves_old else production.rows)
    if fault == "answer lost":
        ending.outcome.expect_success()
        assert not serves_old
    else:
        assert ending.outcome.status == "FAILED"
        assert serves_old == (rename in ("the old cluster", "the new cluster"))
    ending.next_outcome.expect_success()


@dataclass(frozen=True)
class Halted:
    """A swap whose execution was stopped while nobody had the target's name, and what a resumption made of it."""

    old: dict[str, Any]
    row: dict[str, Any]
    said: str
    resumed: Outcome


def _about_to_be_renamed(world: World, identifier: str) -> dict[str, Any] | None:
    if identifier not in world.cluster_ids():
        return None
    cluster = world.cluster(identifier)
    return cluster if "DBClusterIdentifier" in cluster.get("PendingModifiedValues", {}) else None


@story
def halted(world: World) -> Halted:
    old = world.old_target("halted")
    world.fault("freeze", "ModifyDBCluster", "halted-new", skip=BEFORE_ITS_RENAME)
    request = {"target": {"cluster_id": "halted"}, "strategy": "swap", "keep_old_hours": None}
    name = world.start(request)
    frozen = wait_for(lambda: _about_to_be_renamed(world, "halted-new"), "the new cluster's rename", seconds=300.0)
    world.client("stepfunctions").stop_execution(executionArn=world.execution_arn(name))
    closed = wait_for(lambda: (row := world.row(name)) and row["status"] == "FAILED" and row, "the closed row")
    told = wait_for(
        lambda: [item.text for item in world.mailbox.messages() if name in item.text], "the message", seconds=60.0
    )
    world.cloud.aurora_control("POST", "release", {"arn": frozen["DBClusterArn"]})
    resumed = world.end_of(world.start({"resume": name}), "halted")
    return Halted(old, closed, told[0], resumed)


def test_stopped_in_the_middle_of_a_switch_it_says_who_serves_and_what_to_do(halted: Halted) -> None:
    assert halted.row["error"]["name"] == "ExecutionStopped"
    assert "now: nobody may serve as halted: the old cluster is halted-old-" in halted.said
    assert "Resume the operation at once, which finishes the exchange or takes it back" in halted.said


def test_resumed_the_switch_is_finished(world: World, production: Production, halted: Halted) -> None:
    halted.resumed.expect_success()
    cluster = world.cluster("halted")
    assert cluster["DbClusterResourceId"] != halted.old["DbClusterResourceId"]
    assert counted(world.cloud, cluster, world.deployment.master) == production.rows
