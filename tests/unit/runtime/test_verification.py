"""What a function answers to deploy.sh verify: what it reaches, no value, and nothing changed."""

import importlib
import json
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT, KEY_ARN, FakeAws
from utils.errors import AwsThrottled, InvalidRequest
from utils.operation.model import StepName
from utils.runtime import step as step_module

CONTEXT = SimpleNamespace(aws_request_id="request-1", invoked_function_arn="arn:function")
Ask = Callable[..., dict[str, str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, aws: FakeAws) -> Ask:
    """Ask a function; returns the error, empty if there is none, of each look."""
    monkeypatch.setattr(step_module, "services", lambda: aws.services)

    def ask(name: StepName, operation_id: str = "", **verify: str) -> dict[str, str]:
        handler = importlib.import_module(name.value.lower().replace(" ", "_")).handler
        answer = handler({"verify": verify} | ({"operation_id": operation_id} if operation_id else {}), CONTEXT)
        assert answer["step"] == name.value
        assert "password-1" not in json.dumps(answer)
        return {look["what"]: look["error"] for look in answer["looks"]}

    return ask


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("name", [name for name in StepName if name is not StepName.SETUP_DB_USERS])
def test_a_function_says_that_it_reaches_its_rows_and_leaves_no_trace(ask: Ask, aws: FakeAws, name: StepName) -> None:
    rds = {} if name is StepName.SNS_NOTIFICATION else {"rds": ""}
    users = {"app-credentials": ""} if name is StepName.CHECK_SWAP_STATUS else {}
    assert ask(name) == {"state-table": ""} | rds | users
    assert aws.audit.rows == []
    assert aws.west.changes == []


@pytest.mark.parametrize("name", [StepName.COPY_SNAPSHOT, StepName.DELETE_RDS, StepName.RESTORE_SNAPSHOT])
def test_a_function_that_uses_the_key_looks_at_it_under_its_own_role(ask: Ask, aws: FakeAws, name: StepName) -> None:
    assert ask(name, kms_key_id=KEY_ARN)["kms-key"] == ""
    aws.kms.spec = "ECC_NIST_P256"
    assert ask(name, kms_key_id=KEY_ARN)["kms-key"] == "KeyNotUsable"
    assert "kms-key" not in ask(StepName.SETUP_DB_USERS, kms_key_id=KEY_ARN)


def test_setup_db_users_says_that_it_reads_the_secrets(ask: Ask) -> None:
    assert ask(StepName.SETUP_DB_USERS) == {
        "state-table": "",
        "rds": "",
        "master-credentials": "",
        "app-credentials": "",
    }


def test_a_placeholder_is_named_with_its_secret(ask: Ask, aws: FakeAws) -> None:
    aws.secrets.values[ENVIRONMENT["MASTER_SECRET_NAME"]] = '{"username": "master", "password": "PLACEHOLDER"}'
    looks = ask(StepName.SETUP_DB_USERS)
    assert (looks["master-credentials"], looks["app-credentials"]) == ("SecretInvalid", "")


def test_setup_db_users_connects_to_the_target(ask: Ask, aws: FakeAws, port: int) -> None:
    aws.has_old_target().update(Endpoint="127.0.0.1", Port=port)
    assert ask(StepName.SETUP_DB_USERS, target_cluster_id="staging")["database"] == ""


def test_a_target_that_does_not_answer_is_named(ask: Ask, aws: FakeAws) -> None:
    aws.has_old_target().update(Endpoint="127.0.0.1", Port=1)
    assert ask(StepName.SETUP_DB_USERS, target_cluster_id="staging")["database"] == "DatabaseUnavailable"


def test_a_target_that_is_not_there_yet_is_nothing_to_connect_to(ask: Ask) -> None:
    assert ask(StepName.SETUP_DB_USERS, target_cluster_id="staging")["database"] == ""


def test_a_target_that_does_not_run_is_nothing_to_connect_to(ask: Ask, aws: FakeAws) -> None:
    aws.has_old_target().update(Endpoint="127.0.0.1", Port=1, Status="stopped")
    assert ask(StepName.SETUP_DB_USERS, target_cluster_id="staging")["database"] == ""


def test_a_target_whose_members_are_gone_is_nothing_to_connect_to(ask: Ask, aws: FakeAws) -> None:
    aws.has_old_target().update(Endpoint="127.0.0.1", Port=1)
    aws.west.instances.clear()
    aws.west.clusters["staging"]["DBClusterMembers"] = []
    assert ask(StepName.SETUP_DB_USERS, target_cluster_id="staging")["database"] == ""


def test_what_is_denied_is_told_to_a_run_as_well(ask: Ask, aws: FakeAws) -> None:
    aws.west.fail("describe_db_clusters", "AccessDenied")
    assert ask(StepName.DELETE_RDS, operation_id="nightly")["rds"] == "AccessDenied"


def test_what_may_pass_is_asked_again_by_a_run_and_told_to_a_person(ask: Ask, aws: FakeAws) -> None:
    aws.west.fail("describe_db_clusters", "Throttling")
    assert ask(StepName.DELETE_RDS)["rds"] == "AwsThrottled"
    aws.west.fail("describe_db_clusters", "Throttling")
    with pytest.raises(AwsThrottled):
        ask(StepName.DELETE_RDS, operation_id="nightly")


@pytest.mark.parametrize("verify", [{"password": "x"}, "yes", None])
def test_another_question_is_refused(aws: FakeAws, monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    monkeypatch.setattr(step_module, "services", lambda: aws.services)
    handler = importlib.import_module("setup_db_users").handler
    with pytest.raises(InvalidRequest, match="verify"):
        handler({"verify": verify}, CONTEXT)
