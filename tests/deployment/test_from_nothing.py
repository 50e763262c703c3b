"""From an empty account to a nightly restore and back, with deploy.sh alone; with TWICE set, then again."""

import json
import os
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from tests.deployment.conftest import PRODUCTION, Keyboard
from tests.waiting import wait_for

TARGET = "shop-staging"
# An hour lasts six seconds here.
DEFAULTS = {
    "source": {"max_age_hours": None},
    "budgets": {"copy_hours": 120, "delete_hours": 120, "restore_hours": 120},
}
PIPELINE = (
    "--set", f"SourceClusterId={PRODUCTION}", "--set", f"TargetClusterId={TARGET}", "--set", "ScheduleState=ENABLED",
    "--set", "ScheduleExpression=rate(1 minute)",
    "--set", f"RequestDefaults={json.dumps(DEFAULTS)}",
)  # fmt: skip

KEPT = {
    "stack aurora-restore-prerequisites",
    "secret aurora-restore/dev/master-credentials",
    "secret aurora-restore/dev/app-credentials",
    "secret aurora-restore/dev/kms-key",
    "topic aurora-restore-notifications",
    "role aurora-restore-dba-role",
}


def executions(states: Any) -> list[dict[str, str]]:
    machines = {item["name"]: item["stateMachineArn"] for item in states.list_state_machines()["stateMachines"]}
    arn = machines["aurora-restore-pipeline"]
    found: list[dict[str, str]] = states.list_executions(stateMachineArn=arn)["executions"]
    return found


def remaining(cloud: LocalCloud) -> set[str]:
    """What of the pipeline is left in the account, by kind and name."""
    return {
        *(f"stack {stack['StackName']}" for stack in cloud.client("cloudformation").list_stacks(
            StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])["StackSummaries"]),
        *(f"function {item['FunctionName']}" for item in cloud.client("lambda").list_functions()["Functions"]),
        *(f"table {name}" for name in cloud.client("dynamodb").list_tables()["TableNames"]),
        *(f"machine {item['name']}" for item in cloud.client("stepfunctions").list_state_machines()["stateMachines"]),
        *(f"schedule {item['Name']}" for item in cloud.client("scheduler").list_schedules()["Schedules"]),
        *(f"secret {item['Name']}" for item in cloud.client("secretsmanager").list_secrets()["SecretList"]),
        *(f"topic {item['TopicArn'].rpartition(':')[2]}" for item in cloud.client("sns").list_topics()["Topics"]),
        *(f"role {item['RoleName']}" for item in cloud.client("iam").list_roles()["Roles"]
          if item["RoleName"].startswith("aurora-restore")),
    }  # fmt: skip


@pytest.mark.parametrize("again", [False, True] if "TWICE" in os.environ else [False])
def test_bootstrap_put_secret_deploy_verify_run_destroy(keyboard: Keyboard, cloud: LocalCloud, again: bool) -> None:
    assert (remaining(cloud) == KEPT) is again
    printed = keyboard.deploy_sh("bootstrap", "--env", "dev", "--yes", "--set", "NotificationEmail=dba@example.com")
    assert "put-secret master-credentials" in printed
    keyboard.deploy_sh("put-secret", "master-credentials", "--generate")
    keyboard.deploy_sh("put-secret", "app-credentials", "--generate")

    keyboard.deploy_sh("deploy", "--env", "dev", "--yes", "--host", *PIPELINE)

    assert set(keyboard.verify().values()) <= {"PASS", "WARN"}
    states = cloud.client("stepfunctions")
    [night, *_] = wait_for(lambda: executions(states) or None, "the schedule to start a run", seconds=180, every=0.5)
    execution = wait_for(
        lambda: (it := states.describe_execution(executionArn=night["executionArn"]))["status"] != "RUNNING" and it,
        "the end of the scheduled run", seconds=180, every=0.5,
    )  # fmt: skip
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["target_cluster_id"] == TARGET
    keyboard.deploy_sh("deploy", "--env", "dev", "--yes", "--host", *PIPELINE, "--set", "ScheduleState=DISABLED")
    wait_for(lambda: all(item["status"] != "RUNNING" for item in executions(states)), "the last run", seconds=180)
    assert keyboard.verify()["Network to the database"] == "PASS"

    printed = keyboard.deploy_sh("destroy", "--env", "dev", "--yes")

    assert "aurora-restore-prerequisites" in printed
    assert remaining(cloud) == KEPT
