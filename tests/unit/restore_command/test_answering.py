"""Approve and reject: the answer goes to the run that waits, with who gave it."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from deployment.account import Account, Refused
from restore_command.answering import answer
from restore_command.exit_codes import SUCCEEDED
from restore_command.output import Output
from restore_command.pipeline import Pipeline
from tests.conventions.cfn_yaml import load_template, statements
from tests.unit.operation.tables import make_table
from tests.unit.restore_command.desk import Desk


class Answers:
    """Step Functions with what was answered, or refused."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.refuses_with: str | None = None

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - boto3's name
        if self.refuses_with:
            raise ClientError({"Error": {"Code": self.refuses_with, "Message": ""}}, "SendTaskSuccess")
        self.sent.append((taskToken, json.loads(output)))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def desk(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with mock_aws():
        made = Desk()
        questions = make_table("aurora-restore-approvals", "operation_id")
        questions.put_item(Item={"operation_id": "n-1", "task_token": "token-1", "target_cluster_id": "staging"})
        monkeypatch.setattr(made.pipeline, "states", answers)
        monkeypatch.setattr(made.pipeline, "table", lambda _name: questions)
        yield made


@pytest.mark.parametrize(("approved", "word"), [(True, "approved"), (False, "rejected")])
def test_the_answer_has_the_callers_arn_and_the_reason(
    desk: Desk, answers: Answers, *, approved: bool, word: str
) -> None:
    assert answer(desk.pipeline, desk.output(), "n-1", "looked at it", approved=approved) == SUCCEEDED

    caller = "arn:aws:iam::123456789012:user/ops"
    assert answers.sent == [("token-1", {"approved": approved, "approver": caller, "reason": "looked at it"})]
    assert f"{word} n-1" in desk.printed


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_a_run_that_does_not_wait_any_more_is_told(desk: Desk, answers: Answers, code: str) -> None:
    answers.refuses_with = code
    with pytest.raises(Refused, match="n-1 does not wait for an answer"):
        answer(desk.pipeline, desk.output(), "n-1", "", approved=True)


def test_a_run_that_never_asked_is_told_and_what_aws_forbids_is_said(desk: Desk, answers: Answers) -> None:
    with pytest.raises(Refused, match="n-2 does not wait for an answer"):
        answer(desk.pipeline, desk.output(), "n-2", "", approved=True)
    answers.refuses_with = "AccessDeniedException"
    with pytest.raises(Refused, match="no permission for SendTaskSuccess"):
        answer(desk.pipeline, desk.output(), "n-1", "", approved=True)


def no_such_stack(**_: Any) -> tuple[Any, dict[str, Any]]:
    refusal = {"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}, "ResponseMetadata": {}}
    return SimpleNamespace(status_code=400), refusal


@pytest.mark.parametrize("environment", [None, "staging"])
def test_all_that_the_command_asks_of_aws_is_in_the_approvers_role(answers: Answers, environment: str | None) -> None:
    role = load_template("infrastructure/stepfunctions.yaml")["Resources"]["ApproverRole"]["Properties"]
    granted = {statement["Action"]: str(statement["Resource"]) for statement in statements(role)}
    asked: list[tuple[str, str]] = []
    with mock_aws():
        made = make_table("aurora-restore-approvals", "operation_id")
        made.put_item(Item={"operation_id": "n-1", "task_token": "token-1", "target_cluster_id": "staging"})
        session = boto3.session.Session(region_name="us-west-2")
        session.events.register(
            "provide-client-params.*",
            lambda params, model, **_: asked.append((model.name, params.get("StackName", ""))),
        )
        session.events.register("before-call.cloudformation.DescribeStacks", cast(Any, no_such_stack))
        account = Account("us-west-2", "123456789012", "arn:aws:iam::123456789012:user/ops", session)
        pipeline = Pipeline(account, environment)
        vars(pipeline)["states"] = answers
        answer(pipeline, Output(as_json=True), "n-1", "", approved=True)

    assert {name for name, _ in asked} == {"DescribeStacks", "GetItem"}
    assert granted.keys() >= {"cloudformation:DescribeStacks", "dynamodb:GetItem", "states:SendTaskSuccess"}
    stacks = granted["cloudformation:DescribeStacks"].partition(":stack/")[2].rstrip("'}")
    assert all(fnmatchcase(f"{stack}/id", stacks) for name, stack in asked if name == "DescribeStacks")
