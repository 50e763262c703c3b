"""A state machine that calls RDS by itself is judged by its role, and meets Java's names."""

import json
import uuid
from typing import Any

import pytest

from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud
LOOK = {"Effect": "Allow", "Action": "rds:DescribeDBClusterSnapshots", "Resource": "*"}


def end_of(bench: Workbench, role: str, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a state machine of one call and return how it ended."""
    states = bench.cloud.client("stepfunctions")
    task = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:rds:{action}", "Arguments": arguments, "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task}}
    machine = states.create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]

    def ended() -> dict[str, Any] | None:
        answer: dict[str, Any] = states.describe_execution(executionArn=arn)
        return answer if answer["status"] != "RUNNING" else None

    return wait_for(ended, "the end of the execution")


def test_the_local_aurora_answers_under_the_names_of_the_sdk_for_java(bench: Workbench) -> None:
    ended = end_of(bench, bench.role(LOOK), "describeDBClusterSnapshots", {"DbClusterIdentifier": "nobodys"})
    assert json.loads(ended["output"]) == {"DbClusterSnapshots": []}


def test_what_the_role_may_not_is_refused(bench: Workbench) -> None:
    role = bench.role({**LOOK, "Action": "rds:DescribeDBClusters"})
    ended = end_of(bench, role, "describeDBClusterSnapshots", {})
    assert ended["error"] == "Rds.RdsException"
    assert (
        f"{role.rpartition('/')[2]}/execution is not authorized to perform: rds:DescribeDBClusterSnapshots"
        in (ended["cause"])
    )


def test_a_fault_has_the_name_of_the_sdks_exception(bench: Workbench) -> None:
    arguments = {"DbClusterSnapshotIdentifier": "nobodys"}
    ended = end_of(bench, bench.role(LOOK), "describeDBClusterSnapshots", arguments)
    assert ended["error"] == "Rds.DbClusterSnapshotNotFoundException"


@pytest.mark.parametrize(
    ("action", "arguments"),
    [("describeDbClusterSnapshots", {}), ("describeDBClusterSnapshots", {"DBClusterIdentifier": "nobodys"})],
    ids=["an action", "a member"],
)
def test_the_names_of_the_api_are_not_taken(bench: Workbench, action: str, arguments: dict[str, Any]) -> None:
    assert end_of(bench, bench.role(LOOK), action, arguments)["error"] == "States.Runtime"
