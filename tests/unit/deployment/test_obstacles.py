"""What CloudFormation would stumble over is refused before it begins, with the command that removes it."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from deployment import commands, stacks
from deployment.account import Account, Refused
from deployment.names import Names
from deployment.obstacles import (
    reasons_of_failure,
    refuse_failed_stack,
    refuse_log_groups_of_before,
    refuse_secrets_to_be_deleted,
)
from deployment.stacks import Stack
from tests.unit.operation.tables import make_table

REGION = "us-west-2"
BUSY = ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"]
FINE = ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "REVIEW_IN_PROGRESS"]


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account(REGION, "123456789012", "arn:aws:iam::123456789012:user/dba", boto3.session.Session(None, None))


class Stubbed(Account):
    """An account with one client."""

    def __init__(self, client: Any) -> None:
        super().__init__(REGION, "123456789012", "arn", boto3.session.Session())
        object.__setattr__(self, "_only", client)

    def client(self, _: str) -> Any:
        return self.__dict__["_only"]


def a_stack(status: str) -> Stack:
    return Stack(name="aurora-restore", status=status, parameters={}, outputs={})


FAILED_AT_FIRST = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"]


@pytest.mark.parametrize("status", [*FAILED_AT_FIRST, "IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED"])
def test_of_a_stack_whose_first_deployment_failed_only_the_deletion_is_left(account: Account, status: str) -> None:
    with pytest.raises(Refused, match=rf"is in {status}.*delete-stack --stack-name aurora-restore --region us-west-2"):
        refuse_failed_stack(account, a_stack(status))


@pytest.mark.parametrize("status", BUSY)
def test_a_stack_that_is_being_worked_on_is_left_alone(account: Account, status: str) -> None:
    with pytest.raises(Refused, match=rf"is in {status}: CloudFormation is still at work.*again when it is done"):
        refuse_failed_stack(account, a_stack(status))


def test_a_stack_whose_way_back_failed_is_told_how_to_go_on(account: Account) -> None:
    told = "continue-update-rollback --stack-name aurora-restore --region us-west-2"
    with pytest.raises(Refused, match=rf"is in UPDATE_ROLLBACK_FAILED.*{told}"):
        refuse_failed_stack(account, a_stack("UPDATE_ROLLBACK_FAILED"))


@pytest.mark.parametrize("status", FINE)
def test_any_other_stack_goes_on(account: Account, status: str) -> None:
    refuse_failed_stack(account, a_stack(status))
    refuse_failed_stack(account, None)


def test_a_first_change_set_that_nobody_carried_out_hides_no_obstacle(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table("aurora-restore-state", "somebodys_key")
    made = Stack("aurora-restore-prerequisites", "CREATE_COMPLETE", {}, {"KmsKeyArn": "arn:aws:kms:key"})
    monkeypatch.setattr(stacks, "prerequisites_of", lambda _account, _environment: made)
    monkeypatch.setattr(stacks, "names_of", lambda _account, _environment: Names())
    monkeypatch.setattr(commands, "refuse_shared_targets", lambda *_: None)
    monkeypatch.setattr(stacks, "find_stack", lambda _account, _name: a_stack("REVIEW_IN_PROGRESS"))
    with pytest.raises(Refused, match="table aurora-restore-state has the key somebodys_key"):
        commands._deploy(account, Namespace(env="dev", parameters=[], host=False, yes=True))


def test_log_groups_under_the_stacks_names_are_named_with_the_commands_that_remove_them(account: Account) -> None:
    logs = account.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/somebody-elses")
    refuse_log_groups_of_before(account, Names())
    for name in ("/aws/lambda/aurora-restore-delete-rds", "/aws/vendedlogs/states/aurora-restore-pipeline"):
        logs.create_log_group(logGroupName=name)
    with pytest.raises(Refused, match="2 of its log groups are here") as refused:
        refuse_log_groups_of_before(account, Names())
    for name in ("/aws/lambda/aurora-restore-delete-rds", "/aws/vendedlogs/states/aurora-restore-pipeline"):
        assert f"aws logs delete-log-group --log-group-name {name} --region us-west-2" in str(refused.value)
    assert "somebody-elses" not in str(refused.value)


def test_log_groups_of_another_environment_are_in_nobodys_way(account: Account) -> None:
    account.client("logs").create_log_group(logGroupName="/aws/lambda/aurora-restore-staging-delete-rds")
    refuse_log_groups_of_before(account, Names())
    with pytest.raises(Refused, match="no stack aurora-restore-staging, but 1 of its log groups"):
        refuse_log_groups_of_before(account, Names.beside("staging"))


def secrets_answer(*answers: dict[str, Any] | None) -> Account:
    client = boto3.client("secretsmanager", region_name=REGION)
    stub = Stubber(client)
    for answer in answers:
        if answer is None:
            stub.add_client_error("describe_secret", "ResourceNotFoundException")
        else:
            stub.add_response("describe_secret", answer)
    stub.activate()
    return Stubbed(client)


def test_a_secret_whose_name_is_reserved_until_its_deletion_is_named() -> None:
    going = {"DeletedDate": datetime(2026, 11, 20, tzinfo=UTC)}
    name = "aurora-restore/dev/app-credentials"
    told = rf"{name} is scheduled .* since 2026-11-20.*restore-secret --secret-id {name} --region us-west-2;.*--force"
    with pytest.raises(Refused, match=told):
        refuse_secrets_to_be_deleted(secrets_answer(None, going), "dev")


def test_an_import_whose_deployment_was_not_finished_goes_on_with_bootstrap(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "find_stack", lambda _account, _name: a_stack("IMPORT_COMPLETE"))
    with pytest.raises(
        Refused, match=r"is in IMPORT_COMPLETE and has no outputs.*bootstrap --env dev --region us-west"
    ):
        stacks.prerequisites_of(account, "dev")


def test_secrets_that_are_there_or_not_hinder_nothing() -> None:
    refuse_secrets_to_be_deleted(secrets_answer(None, {"Name": "there"}, None), "dev")


def test_the_secret_with_the_keys_id_is_looked_at_as_well() -> None:
    going = {"DeletedDate": datetime(2026, 11, 20, tzinfo=UTC)}
    with pytest.raises(Refused, match="aurora-restore/dev/kms-key is scheduled for deletion"):
        refuse_secrets_to_be_deleted(secrets_answer(None, {"Name": "there"}, going), "dev")


def test_what_only_the_events_say_of_a_failure_is_told() -> None:
    client = boto3.client("cloudformation", region_name=REGION)
    stub = Stubber(client)
    events = [
        {"ValidationPath": "/Resources/StateTable", "ValidationStatusReason": "aurora-restore-state already exists"},
        {"LogicalResourceId": "Log", "ResourceStatusReason": "/aws/lambda/aurora-restore-delete-rds already exists"},
        {"LogicalResourceId": "Quiet"},
    ]
    stub.add_response(
        "describe_events",
        {"OperationEvents": events},
        {"StackName": "aurora-restore", "Filters": {"FailedEvents": True}},
    )
    stub.add_client_error("describe_events", "ValidationError")
    stub.activate()
    account = Stubbed(client)
    assert reasons_of_failure(account, "aurora-restore") == (
        "\n  /Resources/StateTable: aurora-restore-state already exists"
        "\n  Log: /aws/lambda/aurora-restore-delete-rds already exists"
    )
    assert reasons_of_failure(account, "aurora-restore") == ""
