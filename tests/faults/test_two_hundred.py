"""Two hundred runs against one target at the same moment: one works, the others are told so, nothing else changes."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from tests.faults.laboratory import Ended, Laboratory
from tests.faults.pool import Bench
from tests.waiting import wait_for

RUNS = 200


@pytest.fixture(scope="module")
def crowd(lab: Laboratory, recorded: Bench) -> tuple[str, list[Ended]]:
    with recorded.lanes.lent() as lane, ThreadPoolExecutor(20) as pool:
        # The one that works must not be done before the last one has started.
        lab.world.fault("freeze", "CopyDBClusterSnapshot", f"aurora-restore-copy-{lane}-*")
        names = [f"crowd-{number:03}" for number in range(RUNS)]
        list(pool.map(lambda name: lab.world.start(lab.request(lane), name), names))
        wait_for(lambda: len(_under_way(lab)) == 1, "the end of all runs but one", seconds=300, every=1)
        lab.cloud.aurora_control("POST", "release")
        return lane, [lab.end_of(name) for name in names]


def _under_way(lab: Laboratory) -> list[str]:
    pages = (
        lab.world.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=lab.world.deployment.state_machine_arn, statusFilter="RUNNING")
    )
    return [run["name"] for page in pages for run in page["executions"] if run["name"].startswith("crowd-")]


def test_exactly_one_of_them_works(crowd: tuple[str, list[Ended]]) -> None:
    _, ended = crowd
    assert [run.error for run in ended if run.status == "SUCCEEDED"] == [""]
    assert {run.error for run in ended if run.status != "SUCCEEDED"} == {"OperationInProgress"}


def test_the_others_are_told_who_works_and_since_when(lab: Laboratory, crowd: tuple[str, list[Ended]]) -> None:
    lane, ended = crowd
    [winner] = [run.operation_id for run in ended if run.status == "SUCCEEDED"]
    states, execution = lab.world.client("stepfunctions"), lab.world.execution_arn(winner)
    started = states.describe_execution(executionArn=execution)["startDate"].replace(microsecond=0)
    created = datetime.fromisoformat((lab.world.row(winner) or {})["created_at"])
    for run in ended:
        if run.operation_id != winner:
            told = re.search(rf"found operation {winner} on {lane} since (\S+ \S+) UTC", run.cause)
            assert told, run.cause
            assert started <= datetime.fromisoformat(f"{told[1]}+00:00") <= created
            assert execution in run.cause


def test_nothing_is_changed_but_by_the_one(lab: Laboratory, crowd: tuple[str, list[Ended]]) -> None:
    lane, ended = crowd
    [winner] = [run.operation_id for run in ended if run.status == "SUCCEEDED"]
    others = {run.operation_id for run in ended} - {winner}
    for call in lab.changes():
        tags = {tag["Value"] for tag in call.parameters.get("Tags", [])}
        assert not tags & others, call
    restored = [call for call in lab.changes() if winner in str(call.parameters.get("Tags"))]
    assert [call.operation for call in restored].count("RestoreDBClusterFromSnapshot") == 1
    assert lab.world.row(f"lock#us-west-2#{lane}") is None
