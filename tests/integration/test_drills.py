"""Drills: by schedule and with a fault in each step; what stays is the evidence, and a word where more had to stay."""

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.rehearsals import AT_ONCE, afterwards_of, left_of
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for
from utils.identifiers import derived_identifier, digest_of
from utils.operation.retirement import afterwards_id

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
BY_SCHEDULE = 2  # a minute each, the shortest rate there is
WEEKS = 10 if DEEP else BY_SCHEDULE
REHEARSED, SCHEDULE = "rehearsed", "weekly-drill"
REQUEST = {"target": {"cluster_id": REHEARSED}, "afterwards": AT_ONCE}
# Which call meets what: `copy`, `cluster` and `instance` stand for the drill's own names.
FAULTS: dict[str, dict[str, Any]] = {
    "copy-fails": {"kind": "end-in", "operation": "CopyDBClusterSnapshot", "of": "copy", "status": "failed"},
    "restore-fails": {
        "kind": "end-in", "operation": "RestoreDBClusterFromSnapshot", "of": "cluster",
        "status": "incompatible-restore",
    },
    "password-refused": {
        "kind": "error", "operation": "ModifyDBCluster", "of": "cluster", "code": "InvalidParameterCombination",
    },
    "member-stays-a-while": {
        "kind": "error", "operation": "DeleteDBInstance", "of": "instance", "code": "InvalidDBInstanceState",
        "times": 1,
    },
}  # fmt: skip
MORE_FAULTS: dict[str, dict[str, Any]] = {
    "copy-refused": {
        "kind": "error", "operation": "CopyDBClusterSnapshot", "of": "copy", "code": "KMSKeyNotAccessibleFault",
    },
    "instance-fails": {
        "kind": "end-in", "operation": "CreateDBInstance", "of": "instance", "status": "incompatible-network",
    },
    "tag-refused": {"kind": "error", "operation": "AddTagsToResource", "of": "copy", "code": "InvalidParameterValue"},
    "answer-lost": {"kind": "drop-after", "operation": "DeleteDBCluster", "of": "cluster"},
    "snapshot-stays-a-while": {
        "kind": "error", "operation": "DeleteDBClusterSnapshot", "of": "copy",
        "code": "InvalidDBClusterSnapshotStateFault", "times": 1,
    },
    "restore-answer-lost": {"kind": "drop-after", "operation": "RestoreDBClusterFromSnapshot", "of": "cluster"},
}  # fmt: skip


def names_of(operation_id: str) -> dict[str, str]:
    """What a drill for a target that is not there calls what it makes."""
    cluster = f"{REHEARSED}-drill-{digest_of(operation_id)}"
    copy = derived_identifier("aurora-restore-copy", cluster, operation_id)
    return {"cluster": cluster, "instance": f"{cluster}-*", "copy": f"*{copy}"}


@dataclass(frozen=True)
class Weeks:
    """Drills that a schedule started, more after them in the deep profile; what each left once it was cleaned up."""

    old: dict[str, Any]
    runs: list[Outcome]
    rows: list[dict[str, Any]]
    left: list[list[str]]
    untouched: bool


@story
def weeks(world: World) -> Weeks:
    old = world.old_target(REHEARSED)
    scheduler, states = world.client("scheduler"), world.client("stepfunctions")
    target = scheduler.get_schedule(Name="aurora-restore-schedule")["Target"]
    scheduler.create_schedule(
        Name=SCHEDULE,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target["Arn"], "RoleArn": target["RoleArn"], "Input": json.dumps(REQUEST)},
    )
    seen: set[str] = set()

    def another() -> str | None:
        for item in states.list_executions(stateMachineArn=target["Arn"])["executions"]:
            if item["executionArn"] in seen:
                continue
            seen.add(item["executionArn"])
            asked = json.loads(states.describe_execution(executionArn=item["executionArn"])["input"])
            if asked == REQUEST and not item["name"].startswith("drill-by-hand"):
                return str(item["name"])
        return None

    try:
        names = [
            wait_for(another, "the schedule to start a drill", seconds=200.0, every=1.0) for _ in range(BY_SCHEDULE)
        ]
    finally:
        scheduler.delete_schedule(Name=SCHEDULE)
    runs = [world.end_of(name, REHEARSED) for name in names]
    rows = [afterwards_of(world, name) for name in names]
    for number in range(BY_SCHEDULE, WEEKS):
        names.append(world.start(REQUEST, f"drill-of-week-{number}"))
        runs.append(world.end_of(names[-1], REHEARSED))
        rows.append(afterwards_of(world, names[-1]))
    return Weeks(old, runs, rows, [left_of(world, name) for name in names], world.is_untouched(old))


def test_week_after_week_a_drill_by_schedule_leaves_nothing_but_its_evidence(world: World, weeks: Weeks) -> None:
    for run in weeks.runs:
        run.expect_success()
        assert run.output["evidence"].startswith("s3://")
    assert [row["status"] for row in weeks.rows] == ["SUCCEEDED"] * WEEKS
    assert weeks.left == [[]] * WEEKS
    assert weeks.untouched, "its target was not touched"
    names = [item["Name"] for item in world.client("scheduler").list_schedules()["Schedules"]]
    assert names == ["aurora-restore-fleet-schedule", "aurora-restore-schedule"], "the stack's own, and no other"


def test_a_drill_takes_no_final_snapshot_and_changes_what_it_made_only(world: World, weeks: Weeks) -> None:
    changes = [call for call in world.journal() if call.by_function and call.is_change]
    named = [str(value) for call in changes for value in call.parameters.values()]
    assert not {REHEARSED, f"{REHEARSED}-1"} & {*named}, "its target"
    clusters = {run.row["identifiers"]["target_cluster_id"] for run in weeks.runs}
    of_drills = [call for call in changes if call.parameters.get("DBClusterIdentifier") in clusters]
    assert {call.operation for call in of_drills} == {
        "RestoreDBClusterFromSnapshot",
        "CreateDBInstance",
        "ModifyDBCluster",
        "DeleteDBCluster",
    }


@dataclass(frozen=True)
class Faulty:
    """A drill in which something went wrong, with what it left once its clean-up had ended."""

    run: Outcome
    row: dict[str, Any]
    left: list[str]


def _with_a_fault(world: World, what: str, fault: dict[str, Any]) -> Faulty:
    name = f"drill-by-hand-{what}"
    asked = {"target": {"cluster_id": "unrehearsed"}, "afterwards": AT_ONCE}
    ours = {key: value.replace(REHEARSED, "unrehearsed") for key, value in names_of(name).items()}
    ours["copy"] = "*" + derived_identifier("aurora-restore-copy", ours["cluster"], name)
    more = {key: value for key, value in fault.items() if key not in ("kind", "operation", "of")}
    world.fault(fault["kind"], fault["operation"], ours[fault["of"]], **more)
    run = world.end_of(world.start(asked, name), "unrehearsed")
    row = afterwards_of(world, name)
    return Faulty(run, row, left_of(world, name))


@story
def faulty(world: World) -> dict[str, Faulty]:
    chosen = FAULTS | (MORE_FAULTS if DEEP else {})
    return {what: _with_a_fault(world, what, fault) for what, fault in chosen.items()}


def test_a_drill_with_a_fault_in_any_of_its_steps_leaves_nothing_either(faulty: dict[str, Faulty]) -> None:
    assert {what: found.left for what, found in faulty.items() if found.left} == {}
    assert {what: found.row["status"] for what, found in faulty.items()} == dict.fromkeys(faulty, "SUCCEEDED")
    ended = {what: found.run.status for what, found in faulty.items()}
    assert ended["copy-fails"] == ended["restore-fails"] == ended["password-refused"] == "FAILED"
    assert ended["member-stays-a-while"] == "SUCCEEDED", "it fails in the clean-up only"


@dataclass(frozen=True)
class Cut:
    """A drill that was stopped while it restored; and one whose clean-up is refused, then goes on."""

    stopped: list[str]
    message: str
    left_by_refused: list[str]
    left_in_the_end: list[str]


@story
def cut(world: World) -> Cut:
    states, name = world.client("stepfunctions"), "drill-by-hand-stopped"
    asked = {"target": {"cluster_id": "unrehearsed"}, "afterwards": AT_ONCE}
    world.start(asked, name)
    cluster = names_of(name)["cluster"].replace(REHEARSED, "unrehearsed")
    wait_for(lambda: cluster in world.cluster_ids(), f"{cluster} to be restored", seconds=300.0)
    states.stop_execution(executionArn=world.execution_arn(name), cause="enough")
    afterwards_of(world, name)
    stopped = left_of(world, name)

    name = "drill-by-hand-refused"
    cluster = names_of(name)["cluster"].replace(REHEARSED, "unrehearsed")
    world.fault("error", "DeleteDBCluster", cluster, code="InvalidParameterCombination", message="not now")
    world.end_of(world.start(asked, name), "unrehearsed")
    assert afterwards_of(world, name)["status"] == "FAILED"
    left = left_of(world, name)
    subject = f"Aurora restore: clean-up of the drill {cluster} FAILED: AwsRequestRejected"
    message = next(item.text for item in world.mailbox.messages() if item.subject == subject[:100])
    machine = world.deployment.state_machine_arn.replace("-pipeline", "-retirement")
    go_on = {"operation_id": afterwards_id(name), "wait_seconds": 0}
    assert f"--input '{json.dumps(go_on)}'" in message
    states.start_execution(stateMachineArn=machine, name=f"{name}-again", input=json.dumps(go_on))
    wait_for(lambda: not left_of(world, name), f"{name} to be cleaned up", seconds=300.0, every=0.5)
    return Cut(stopped, message, left, left_of(world, name))


def test_a_drill_that_was_stopped_is_cleaned_up_by_itself(cut: Cut) -> None:
    assert cut.stopped == []


def test_a_clean_up_that_is_refused_says_what_stands_and_goes_on_when_it_is_told_to(cut: Cut) -> None:
    assert "Left behind: unrehearsed-drill-" in cut.message
    assert any(":cluster:unrehearsed-drill-" in name for name in cut.left_by_refused)
    assert cut.left_in_the_end == []


@pytest.mark.usefixtures("weeks", "faulty")
def test_no_execution_of_a_drill_goes_on(world: World) -> None:
    states = world.client("stepfunctions")
    arn = world.deployment.state_machine_arn.replace("-pipeline", "-retirement")
    running = states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
    assert [item["name"] for item in running if "drill" in item["name"]] == []
