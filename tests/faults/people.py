"""What people do while a run waits for them, as they do it: with `./restore.sh approve`, `reject`, or a stop."""

import io
from types import SimpleNamespace
from typing import Any

import boto3
from rich.console import Console

from deployment.account import Refused
from deployment.names import Names
from local_cloud.regions import TARGET_REGION
from restore_command.answering import answer
from restore_command.output import Output
from tests.faults.laboratory import RUN_SECONDS, Laboratory
from tests.faults.situations import APPROVE, REJECT, STOP
from tests.waiting import wait_for

APPROVER = f"aurora-restore-approver-{TARGET_REGION}"


def act(laboratory: Laboratory, what: str, name: str, execution: str) -> list[str]:
    """Answer operation `name`, or stop the execution that waits; say what was not as it should be."""
    states, arn = laboratory.world.client("stepfunctions"), laboratory.execution_arn(execution)

    def is_over() -> bool:
        return bool(states.describe_execution(executionArn=arn)["status"] != "RUNNING")

    if what == STOP:
        wait_for(lambda: _asks(laboratory, name) or is_over(), f"the question of {name}", seconds=RUN_SECONDS)
        states.stop_execution(executionArn=arn)
        return ["an answer was taken after the stop"] if _answered(laboratory, name, APPROVE) else []
    if what in (APPROVE, REJECT):
        taken = wait_for(
            lambda: (_answered(laboratory, name, what) and "taken") or (is_over() and "over"),
            f"the question of {name}",
            seconds=RUN_SECONDS,
            every=0.5,
        )
        other = REJECT if what == APPROVE else APPROVE
        return ["a second answer was taken"] if taken == "taken" and _answered(laboratory, name, other) else []
    return []


def _asks(laboratory: Laboratory, name: str) -> bool:
    return "approval" in (laboratory.world.row(name) or {})


def _answered(laboratory: Laboratory, name: str, what: str) -> bool:
    output = Output(as_json=False)
    output.console = Console(file=io.StringIO())
    try:
        answer(_pipeline(laboratory), output, name, "as the sweep wants it", approved=what == APPROVE)
    except Refused:
        return False
    return True


def _pipeline(laboratory: Laboratory) -> Any:
    """Return what the command needs, in the name of the approvers' role."""
    with laboratory.lock:
        if laboratory.approver is None:
            world, endpoint = laboratory.world, laboratory.cloud.endpoint
            arn = world.client("iam").get_role(RoleName=APPROVER)["Role"]["Arn"]
            given = world.client("sts").assume_role(RoleArn=arn, RoleSessionName="sweep")["Credentials"]
            session = boto3.Session(
                given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], TARGET_REGION
            )
            dynamodb = session.resource("dynamodb", endpoint_url=endpoint)
            laboratory.approver = SimpleNamespace(
                account=SimpleNamespace(caller_arn=f"{arn}/sweep", region=TARGET_REGION),
                states=session.client("stepfunctions", endpoint_url=endpoint),
                table=lambda name: dynamodb.Table(Names().of(name)),
            )
        return laboratory.approver
