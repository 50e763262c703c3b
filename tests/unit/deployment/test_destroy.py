"""destroy: what would end half-way is refused before anything is deleted, with what to do."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deployment import destroy as destruction
from deployment import stacks
from deployment.account import Account, Refused
from deployment.destroy import destroy
from deployment.stacks import Stack
from tests.unit.operation.tables import make_table

REGION, ACCOUNT = "us-west-2", "123456789012"
LIFT = f"aws dynamodb update-table --region {REGION} --no-deletion-protection-enabled --table-name"
Destroying = Callable[..., list[str]]


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account(REGION, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/dba", boto3.session.Session())


@pytest.fixture
def destroying(account: Account, monkeypatch: pytest.MonkeyPatch) -> Destroying:
    """Destroys a pipeline with these outputs and parameters; returns the stacks that were deleted."""

    def run(outputs: dict[str, str] | None = None, **parameters: str) -> list[str]:
        stack = Stack("aurora-restore", "CREATE_COMPLETE", parameters, outputs or {})
        deleted: list[str] = []
        monkeypatch.setattr(stacks, "find_stack", lambda _account, _name: stack)
        monkeypatch.setattr(
            stacks, "prerequisites_of", lambda _account, _environment: Stack("aurora-restore-prerequisites", "", {}, {})
        )
        monkeypatch.setattr(destruction, "_delete", lambda _account, names: deleted.append(names.pipeline))
        destroy(account, "dev", confirm=False)
        return deleted

    return run


def protect(account: Account, *names: str) -> None:
    for name in names:
        make_table(name, "operation_id")
        account.client("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=True)


def machine(account: Account, name: str, *, running: str = "") -> str:
    client: Any = account.client("stepfunctions")
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}})
    arn = str(client.create_state_machine(
        name=name, definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r"
    )["stateMachineArn"])  # fmt: skip
    if running:
        client.start_execution(stateMachineArn=arn, name=running)
    return arn


def test_a_fleet_between_two_of_its_runs_is_not_ended_half_way(account: Account, destroying: Destroying) -> None:
    outputs = {
        "StateMachineArn": machine(account, "aurora-restore-pipeline"),
        "FleetStateMachineArn": machine(account, "aurora-restore-fleet", running="friday"),
    }
    with pytest.raises(Refused, match=r"a fleet is on \(friday\)"):
        destroying(outputs)


def test_what_would_have_been_deleted_later_is_said_as_nobody_deletes_it_now(
    account: Account, destroying: Destroying, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(account, "aurora-restore-retirement", running="tuesday-retirement")
    assert destroying({"StateMachineArn": machine(account, "aurora-restore-pipeline")}) == ["aurora-restore"]
    assert "tuesday-retirement would delete or stop a cluster later, and will not" in capsys.readouterr().out


def test_snapshots_that_runs_took_of_a_source_are_told_where_they_are(
    destroying: Destroying, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    rds = boto3.client("rds", region_name="us-east-1")
    rds.create_db_cluster(
        DBClusterIdentifier="shop", Engine="aurora-postgresql", MasterUsername="dba", MasterUserPassword="not-a-secret"
    )
    for name, role in (("aurora-restore-source-staging-1", "source"), ("aurora-restore-copy-of-its-own", "copy")):
        tags: Any = [{"Key": "aurora-restore:managed", "Value": "true"}, {"Key": "aurora-restore:role", "Value": role}]
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="shop", Tags=tags)
    destroying(SourceRegion="us-east-1", NewSnapshotSources="shop")
    told = capsys.readouterr().out
    delete = "aws rds delete-db-cluster-snapshot --region us-east-1 --db-cluster-snapshot-identifier"
    assert f"{delete} aurora-restore-source-staging-1" in told
    assert "aurora-restore-copy-of-its-own" not in told


def test_a_table_that_goes_and_is_protected_is_told_before_the_rest_is_gone(
    account: Account, destroying: Destroying
) -> None:
    protect(account, "aurora-restore-state", "aurora-restore-approvals")
    with pytest.raises(Refused) as refused:
        destroying(DataDeletionPolicy="Delete")
    for name in ("approvals", "state"):
        assert f"{LIFT} aurora-restore-{name}" in str(refused.value)


def test_a_table_that_stays_may_be_protected_and_its_removal_is_told_with_that(
    account: Account, destroying: Destroying, capsys: pytest.CaptureFixture[str]
) -> None:
    protect(account, "aurora-restore-state")
    assert destroying(DataDeletionPolicy="Delete", ExistingTables="state-and-audit") == ["aurora-restore"]
    assert destroying(DataDeletionPolicy="Retain") == ["aurora-restore"]
    assert f"{LIFT} aurora-restore-state; aws dynamodb delete-table" in capsys.readouterr().out
