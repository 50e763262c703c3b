"""A run that needs approval waits for a person with the right to answer, and ends where none approves."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from rich.console import Console

from deployment.account import Refused
from deployment.names import Names
from local_cloud.regions import TARGET_REGION
from restore_command.answering import answer
from restore_command.output import Output
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.roles.acting import role_name
from tests.integration.stage.world import World
from tests.waiting import wait_for

HOURS = 96.0  # ten minutes here, in which a test is long over
Answer = Callable[..., int]


def asking(world: World, target: str, hours: float = HOURS) -> str:
    """Start a run that needs approval, and wait until it asks."""
    name = world.start({"target": {"cluster_id": target}, "approval": {"timeout_hours": hours}})
    wait_for(lambda: "approval" in (world.row(name) or {}), "the question", seconds=120)
    wait_for(lambda: mails(world, name), "the message with the plan", seconds=30)
    return name


def mails(world: World, name: str) -> list[str]:
    return [item.text for item in world.mailbox.messages() if item.attributes.get("operation_id") == name]


@pytest.fixture
def as_approver(world: World) -> Answer:
    return answering_as(world, "approver")


def answering_as(world: World, role: str) -> Answer:
    """Answer as `./restore.sh approve` and `reject` do, in the name of a role."""
    arn = world.client("iam").get_role(RoleName=role_name(role))["Role"]["Arn"]
    given = world.client("sts").assume_role(RoleArn=arn, RoleSessionName="eve")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], TARGET_REGION)
    endpoint = world.cloud.endpoint
    pipeline: Any = SimpleNamespace(
        account=SimpleNamespace(
            caller_arn=session.client("sts", endpoint_url=endpoint).get_caller_identity()["Arn"], region=TARGET_REGION
        ),
        states=session.client("stepfunctions", endpoint_url=endpoint),
        table=lambda name: session.resource("dynamodb", endpoint_url=endpoint).Table(Names().of(name)),
    )
    output = Output(as_json=False)
    output.console = Console(file=io.StringIO())
    return lambda operation, reason="", *, approved: answer(pipeline, output, operation, reason, approved=approved)


def ended(world: World, name: str, target: str) -> Outcome:
    outcome = world.end_of(name, target)
    assert outcome.lock is None
    return outcome


def expect_failure(outcome: Outcome, error: str, words: str) -> None:
    """The run failed with this, and people got the question and the end."""
    assert (outcome.status, outcome.error) == ("FAILED", error)
    assert words in outcome.cause
    assert [f"FAILED: {error}" in item.subject for item in outcome.messages] == [False, True]


def expect_nothing_changed(outcome: Outcome) -> None:
    assert outcome.changes == []
    assert "Copy Snapshot" not in outcome.states


def test_an_approved_run_goes_on_and_its_evidence_says_who_let_it(world: World, as_approver: Answer) -> None:
    name = asking(world, "approved")
    assert f"./restore.sh approve {name} --reason" in mails(world, name)[0]
    as_approver(name, "checked with the team", approved=True)

    outcome = ended(world, name, "approved").expect_success()

    approval = outcome.row["approval"]
    assert (approval["approved"], approval["reason"]) == (True, "checked with the team")
    assert "assumed-role/aurora-restore-approver-us-west-2/eve" in approval["approver"]
    assert outcome.states.index("Ask for Approval") < outcome.states.index("Record Approval")
    assert outcome.states.index("Record Approval") < outcome.states.index("Copy Snapshot")
    [told] = [row for row in outcome.audit if row["details"].get("approval") == "approved"]
    assert told["details"]["approver"] == approval["approver"]


def test_a_rejected_run_ends_with_the_reason_and_has_changed_nothing(world: World, as_approver: Answer) -> None:
    name = asking(world, "rejected")
    as_approver(name, "release tonight", approved=False)

    outcome = ended(world, name, "rejected")

    expect_failure(outcome, "ApprovalRejected", "release tonight")
    expect_nothing_changed(outcome)
    assert outcome.row["approval"]["approved"] is False


def test_a_run_that_nobody_answers_ends_and_has_changed_nothing(world: World, as_approver: Answer) -> None:
    name = asking(world, "unanswered", hours=1.0)

    outcome = ended(world, name, "unanswered")

    expect_failure(outcome, "ApprovalTimedOut", "found no answer within 3600 seconds")
    expect_nothing_changed(outcome)
    with pytest.raises(Refused, match="does not wait for an answer"):
        as_approver(name, approved=True)


def test_a_run_is_answered_once(world: World, as_approver: Answer) -> None:
    name = asking(world, "answered-twice")
    as_approver(name, "no", approved=False)
    outcome = ended(world, name, "answered-twice")
    with pytest.raises(Refused, match="does not wait for an answer"):
        as_approver(name, "yes after all", approved=True)
    expect_failure(outcome, "ApprovalRejected", "no")


def test_who_has_not_the_right_cannot_answer_nor_read_what_an_answer_needs(world: World, as_approver: Answer) -> None:
    name = asking(world, "not-yours")
    for role in ("dba", "sns-notification"):
        with pytest.raises(Refused, match="no permission for GetItem"):
            answering_as_any(world, role)(name, approved=True)
    as_approver(name, "now", approved=False)
    expect_failure(ended(world, name, "not-yours"), "ApprovalRejected", "now")


def answering_as_any(world: World, role: str) -> Answer:
    """Answer in the name of a role that only a service may assume."""
    iam = world.client("iam")
    trust = iam.get_role(RoleName=role_name(role))["Role"]["AssumeRolePolicyDocument"]
    account = world.client("sts").get_caller_identity()["Account"]
    anybody = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName=role_name(role), PolicyDocument=json.dumps({**trust, "Statement": [*trust["Statement"], anybody]})
    )
    try:
        return answering_as(world, role)
    finally:
        iam.update_assume_role_policy(RoleName=role_name(role), PolicyDocument=json.dumps(trust))


def test_a_run_that_is_stopped_while_it_waits_is_closed_and_cannot_be_approved(
    world: World, as_approver: Answer
) -> None:
    name = asking(world, "stopped-waiting")
    world.client("stepfunctions").stop_execution(executionArn=world.execution_arn(name))
    wait_for(lambda: (world.row(name) or {}).get("status") == "FAILED", "the end of the operation", seconds=60)

    outcome = ended(world, name, "stopped-waiting")

    assert (outcome.status, outcome.row["error"]["name"]) == ("ABORTED", "ExecutionStopped")
    expect_nothing_changed(outcome)
    with pytest.raises(Refused, match="does not wait for an answer"):
        as_approver(name, approved=True)


def test_a_run_that_timed_out_asks_again_when_it_is_resumed(world: World, as_approver: Answer) -> None:
    first = asking(world, "asked-again", hours=1.0)
    ended(world, first, "asked-again")
    resumed = world.start({"resume": first})
    asked = wait_for(lambda: len(mails(world, first)) >= 3, "the second question", seconds=60)
    assert asked
    as_approver(first, "late", approved=False)
    world.end_of(resumed, "asked-again")
    assert (world.row(first) or {})["error"]["name"] == "ApprovalRejected"
