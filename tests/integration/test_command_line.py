"""Somebody with only the AWS CLI, sam and psql restores a database of their own."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from local_cloud.pipeline.deployment import Login
from tests.integration.stage.afternoon import OPERATION, OWN_LOGIN_PASSWORD, OWNER, Afternoon
from tests.integration.stage.shell import Shell
from tests.integration.stage.world import World
from tooling.environments import REPOSITORY

FUNCTIONS = sorted(folder.name for folder in (REPOSITORY / "lambda_functions").iterdir())


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(world.cloud, tmp_path)


def test_psql_logs_in_as_the_application_user_who_reads_and_writes(
    world: World, shell: Shell, afternoon: Afternoon
) -> None:
    who = world.deployment.application_user
    insert = "INSERT INTO library.books VALUES (3, 'Written Here')"
    answer = shell.psql(
        afternoon.cluster, "library", who, "-c", insert, "-c", "SELECT title FROM library.books ORDER BY id"
    )
    assert answer.splitlines() == ["The Art of Restoring", "Snapshots for Beginners", "Written Here"]


def test_psql_logs_in_as_the_read_only_user_who_is_refused_a_write(
    world: World, shell: Shell, afternoon: Afternoon
) -> None:
    who = world.deployment.readonly_user
    assert shell.psql(
        afternoon.cluster, "library", who, "-c", "SELECT title FROM library.books WHERE id = 1"
    ).startswith("The Art")
    refused = shell.psql(afternoon.cluster, "library", who, "-c", "DELETE FROM library.books", expect=1)
    assert "read-only transaction" in refused


def test_psql_logs_in_as_the_devops_user_who_creates_a_table(world: World, shell: Shell, afternoon: Afternoon) -> None:
    who = world.deployment.devops_user
    statements = ("-c", "CREATE TABLE library.of_mine (n int)", "-c", "DROP TABLE library.of_mine")
    shell.psql(afternoon.cluster, "library", who, *statements)


@pytest.mark.parametrize("who", [OWNER, Login(username="backend", password=OWN_LOGIN_PASSWORD)], ids=["owner", "login"])
def test_psql_does_not_log_in_with_productions_passwords(shell: Shell, afternoon: Afternoon, who: Login) -> None:
    shell.psql(afternoon.cluster, "library", who, "-c", "SELECT 1", expect=2)


def test_the_aws_cli_shows_the_state_row(shell: Shell, afternoon: Afternoon) -> None:
    key = {"operation_id": {"S": OPERATION}}
    row = shell.aws("dynamodb", "get-item", "--table-name", "aurora-restore-state", "--key", json.dumps(key))["Item"]
    assert row["status"] == {"S": "SUCCEEDED"}
    assert row["execution_arn"] == {"S": afternoon.execution["executionArn"]}


@pytest.mark.usefixtures("afternoon")
def test_the_aws_cli_shows_the_audit_rows_in_order(shell: Shell) -> None:
    rows = shell.aws(
        "dynamodb", "query", "--table-name", "aurora-restore-audit",
        "--key-condition-expression", "operation_id = :id",
        "--expression-attribute-values", json.dumps({":id": {"S": OPERATION}}),
        "--query", "Items[].[timestamp.S, step.S, event.S]",
    )  # fmt: skip
    assert rows[0][1:] == ["Snapshot Check", "ENTERED"]
    assert rows[-1][1:] == ["SNS Notification", "LEFT"]
    assert all(before[0] < after[0] for before, after in pairwise(rows))


def test_sam_invokes_the_state_machine(world: World, shell: Shell) -> None:
    request = {"target": {"cluster_id": "my-other-staging"}, "dry_run": True}
    event = shell.file("event.json", request)
    printed = shell.run("sam", "remote", "invoke", world.deployment.state_machine_arn, "--event-file", event)
    output = json.loads(printed[printed.index("{") :])
    assert output["dry_run"] is True
    assert output["target_cluster_id"] == "my-other-staging"


@pytest.mark.usefixtures("afternoon")
def test_sam_invokes_a_function_with_its_event(world: World, shell: Shell) -> None:
    function = "aurora-restore-check-restore-status"
    event = REPOSITORY / "lambda_functions" / function / "event.json"
    arn = world.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    printed = shell.run("sam", "remote", "invoke", arn, "--event-file", str(event))
    assert json.loads(printed[printed.index("{") :])["status"] == "READY"


@pytest.mark.usefixtures("afternoon")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_takes_its_event(world: World, function: str) -> None:
    event = (REPOSITORY / "lambda_functions" / function / "event.json").read_bytes()
    answer = world.client("lambda").invoke(FunctionName=function, Payload=event)
    body = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, body
    assert body["status"] in {"READY", "DRY_RUN"}
