"""Runs in a row over one target, by either strategy, leave what is to be kept and nothing else."""

import os
from typing import Any

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.pool import Bench
from tests.faults.situations import RETIREMENT, SHORT_GRACE
from tests.waiting import wait_for

# Ten with HYPOTHESIS_PROFILE=deep. A lane's first two runs are those with which it was made.
RUNS = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 2
KEPT = 1  # copies and final snapshots, as the lanes' requests say
STRATEGIES: dict[str, dict[str, Any]] = {
    "replace": {"strategy": "replace"},
    "swap": {"strategy": "swap", "keep_old_hours": SHORT_GRACE},
}


def what_there_is(lab: Laboratory, lane: str) -> dict[str, Any]:
    """Name everything of a lane that costs money, or would act some day."""
    rds, states = lab.world.target, lab.world.client("stepfunctions")
    pipeline = lab.world.deployment.state_machine_arn
    machines = (pipeline, pipeline.replace("-pipeline", "-retirement"))
    running = [
        item["name"]
        for machine in machines
        for item in states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    ]
    return {
        "clusters": [name for name in lab.world.cluster_ids() if name.startswith(lane)],
        "instances": sorted(
            item["DBInstanceIdentifier"]
            for item in rds.describe_db_instances()["DBInstances"]
            if item["DBClusterIdentifier"].startswith(lane)
        ),
        "copies": len(lab.world.snapshots("copy", lane)),
        "schedules": len(lab.world.client("scheduler").list_schedules()["Schedules"]),
        "rules": len(lab.world.client("events").list_rules()["Rules"]),
        "machines": len(states.list_state_machines()["stateMachines"]),
        "running": running,
    }


def wait_until_retired(lab: Laboratory, retirement: str) -> None:
    wait_for(lambda: "notified_at" in (lab.world.row(retirement) or {}), f"the end of {retirement}")
    assert lab.end_of(retirement).status == "SUCCEEDED"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_runs_in_a_row_leave_nothing_behind(lab: Laboratory, recorded: Bench, strategy: str) -> None:
    with recorded.lanes.lent() as lane:
        before, finals, clusters = what_there_is(lab, lane), [], set()
        for _ in range(RUNS):
            ended = lab.run(lab.request(lane, **STRATEGIES[strategy]))
            assert ended.status == "SUCCEEDED", ended
            if strategy == "swap":
                wait_until_retired(lab, ended.operation_id + RETIREMENT)
            finals.append(len(lab.world.snapshots("final", lane)))
            clusters.add(lab.world.cluster(lane)["DbClusterResourceId"])
        assert what_there_is(lab, lane) == before
        lab.tidy(lane)
    assert before["clusters"] == [lane]
    assert (before["copies"], before["running"]) == (KEPT, [])
    assert len(clusters) == RUNS, "every run made another cluster"
    # A retirement adds the old cluster's, which the next run prunes.
    assert set(finals) <= {KEPT, KEPT + (strategy == "swap")}
