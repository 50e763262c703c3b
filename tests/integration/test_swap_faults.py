"""A failure at each change of a switch, and a stop in the middle: somebody serves with the right data, and it heals."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production, counted
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for

BEFORE_ITS_RENAME = 2  # changes of the new cluster: its maintenance window, its master's password
# The changes of a switch of a target with one instance: operation, what is changed, calls before it.
CHANGES = {
    "the old cluster's name": ("ModifyDBCluster", "{}", 0),
    "the new cluster's name": ("ModifyDBCluster", "{}-new", BEFORE_ITS_RENAME),
    "the stop for its certificate": ("StopDBCluster", "{}", 0),
    "the start for its certificate": ("StartDBCluster", "{}", 0),
    "the old instance's name": ("ModifyDBInstance", "{}-1", 0),
    "the new instance's name": ("ModifyDBInstance", "{}-1-new", 0),
}
BEFORE_THE_PROOF = list(CHANGES)[:4]
REFUSED, LOST = "refused", "answer lost"
FAULTS: dict[str, dict[str, Any]] = {
    REFUSED: {"kind": "error", "code": "InvalidParameterCombination", "message": "not now"},
    LOST: {"kind": "error-after", "code": "InternalFailure", "http_status": 500, "message": "the answer is lost"},
}
# Runs over one target, each the next one of that before it; the last is followed by one without a fault.
SAMPLE: dict[str, list[tuple[str, str]]] = {
    "switch0": [("the old instance's name", REFUSED), ("the new cluster's name", LOST)],
}
ALL: dict[str, list[tuple[str, str]]] = {
    f"switch{number}": [(change, (LOST, REFUSED)[(place + number) % 2]) for place, change in enumerate(CHANGES)]
    for number in range(2)
}
# Each change of a switch in both ways with HYPOTHESIS_PROFILE=deep.
ROWS = ALL if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else SAMPLE
CASES = [(name, number) for name, runs in ROWS.items() for number in range(len(runs))]


@dataclass(frozen=True)
class Ending:
    """How a switch ended: who had the name at the very first, before it and after it, the run, and the rows served."""

    first: dict[str, Any]
    old: dict[str, Any]
    outcome: Outcome
    serving: dict[str, Any]
    rows: int | dict[str, int]

    @property
    def serves_old(self) -> bool:
        """Whether the one that was there before still has the name."""
        return _are_one(self.serving, self.old)

    @property
    def serves_first(self) -> bool:
        """Whether the one has the name that a run has not made."""
        return _are_one(self.serving, self.first)


def _are_one(cluster: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(cluster["DbClusterResourceId"] == other["DbClusterResourceId"])


def _run_of(world: World, name: str, first: dict[str, Any], fault: tuple[str, str] | None) -> Ending:
    old = world.cluster(name)
    if fault is not None:
        operation, pattern, skip = CHANGES[fault[0]]
        if "certificate" in fault[0]:
            world.fault("stale-certificate", "ModifyDBCluster", f"{name}-new", skip=BEFORE_ITS_RENAME)
        world.fault(operation=operation, identifier=pattern.format(name), skip=skip, **FAULTS[fault[1]])
    outcome = world.run({"target": {"cluster_id": name}, "strategy": "swap", "keep_old_hours": None})
    serving = world.cluster(name)
    is_first = _are_one(serving, first)
    rows = world.rows_of_old_target(serving) if is_first else counted(world.cloud, serving, world.deployment.master)
    # What was put aside would be kept for a person, and is in the way of all others here.
    world.take_away([item for item in world.cluster_ids() if item.startswith(f"{name}-old-")])
    return Ending(first, old, outcome, serving, rows)


@story
def switches_with_a_fault(world: World) -> dict[str, list[Ending]]:
    """Changes fail once, refused or without their answer; the target is gone with its snapshots afterwards."""

    def endings(name: str) -> list[Ending]:
        first = world.old_target(name)
        found = [_run_of(world, name, first, fault) for fault in [*ROWS[name], None]]
        world.take_all_away(name)
        return found

    with ThreadPoolExecutor(len(ROWS)) as pool:
        return dict(zip(ROWS, pool.map(endings, ROWS), strict=True))


@pytest.mark.parametrize(("name", "number"), CASES, ids=[" ".join(ROWS[name][number]) for name, number in CASES])
def test_whichever_change_of_a_switch_fails_one_of_both_serves_with_its_data_and_the_next_run_succeeds(
    switches_with_a_fault: dict[str, list[Ending]], production: Production, name: str, number: int
) -> None:
    change, fault = ROWS[name][number]
    ending, following = switches_with_a_fault[name][number : number + 2]
    assert ending.serving["Status"] == "available"
    assert ending.rows == (25 if ending.serves_first else production.rows)
    if fault == LOST:
        ending.outcome.expect_success()
        assert not ending.serves_old
        following_fails = number + 1 < len(ROWS[name])
        assert following.outcome.status == ("FAILED" if following_fails else "SUCCEEDED"), following.outcome.cause
    else:
        assert (ending.outcome.status, ending.outcome.error) == ("FAILED", "AwsRequestRejected")
        assert ending.serves_old == (change in BEFORE_THE_PROOF)
        following.outcome.expect_success()
    assert following.old["DbClusterResourceId"] == ending.serving["DbClusterResourceId"]


@dataclass(frozen=True)
class Halted:
    """A swap whose execution was stopped while nobody had the target's name, and what a resumption made of it."""

    old: dict[str, Any]
    row: dict[str, Any]
    said: str
    resumed: Outcome
    now: dict[str, Any]
    rows: dict[str, int]


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
    now = world.cluster("halted")
    rows = counted(world.cloud, now, world.deployment.master)
    world.take_all_away("halted")
    return Halted(old, closed, told[0], resumed, now, rows)


def test_stopped_in_the_middle_of_a_switch_it_says_who_serves_and_what_to_do(halted: Halted) -> None:
    assert halted.row["error"]["name"] == "ExecutionStopped"
    assert "now: nobody may serve as halted: the old cluster is halted-old-" in halted.said
    assert "Resume the operation at once, which finishes the exchange or takes it back" in halted.said


def test_resumed_the_switch_is_finished(production: Production, halted: Halted) -> None:
    halted.resumed.expect_success()
    assert halted.now["DbClusterResourceId"] != halted.old["DbClusterResourceId"]
    assert halted.rows == production.rows


@pytest.mark.usefixtures("switches_with_a_fault", "halted")
def test_these_stories_leave_the_quota_of_snapshots_to_the_others(world: World) -> None:
    told = (*ROWS, "halted")
    assert [name for name in world.cluster_ids() if name.startswith(told)] == []
    assert [item for name in told for role in ("copy", "final") for item in world.snapshots(role, name)] == []
