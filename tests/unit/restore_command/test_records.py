"""What the tables know of runs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws

from deployment.account import Account
from deployment.names import Names
from restore_command.pipeline import STATE_TABLE, Pipeline
from restore_command.records import Records, usual_seconds
from tests.unit.operations import AT, OLD_TARGET, an_operation
from tests.unit.restore_command.desk import Desk, execution
from utils.operation.model import ExecutionRecord, OperationStatus, StepName
from utils.operation.records import CopyRecord, OperationError
from utils.operation.store import TargetLock, UnplannedOperation

DONE = OperationStatus.SUCCEEDED


@pytest.fixture
def desk() -> Iterator[Desk]:
    with mock_aws():
        yield Desk()


@pytest.fixture
def records(desk: Desk) -> Records:
    return Records(desk.state, desk.audit)


def test_runs_are_listed_newest_first_and_no_lock_among_them(desk: Desk, records: Records) -> None:
    desk.store.create(an_operation("old", status=DONE, finished_at=AT + timedelta(hours=1)))
    desk.store.create(an_operation("new", created_at=AT + timedelta(days=1), current_step=StepName.DELETE_RDS))
    lock = TargetLock(holder="new", execution_arn="arn:new", acquired_at=AT, expires_at=AT + timedelta(hours=9))
    desk.store.acquire_lock("us-west-2", "staging", lock)

    new, old = records.runs()

    assert (new.operation_id, new.status, new.step) == ("new", OperationStatus.RUNNING, "Delete RDS")
    assert (old.operation_id, old.target, old.status, old.seconds) == ("old", "staging", DONE, 3600)


def test_a_run_that_was_refused_has_its_reason(desk: Desk, records: Records) -> None:
    error = OperationError(name="SnapshotTooOld", message="found 3 days", step="Snapshot Check")
    row = UnplannedOperation(
        operation_id="refused", execution_arn=execution("refused"), target_cluster_id="staging",
        error=error, created_at=AT, finished_at=AT,
    )  # fmt: skip
    desk.store.save_unplanned(row)

    [run] = records.runs()

    assert (run.status, run.error, run.step) == (OperationStatus.FAILED, "SnapshotTooOld", "Snapshot Check")
    assert run.summary is None


def test_an_operation_is_found_by_the_execution_that_resumed_it(desk: Desk, records: Records) -> None:
    worked = [ExecutionRecord(execution_arn=execution(name), started_at=AT) for name in ("nightly-1", "resume-1")]
    desk.store.create(an_operation("nightly-1", executions=worked))

    found = [records.find(name) for name in ("nightly-1", "resume-1", "nightly-9")]

    assert [run and run.operation_id for run in found] == ["nightly-1", "nightly-1", None]


def test_a_row_of_another_version_is_shown_as_far_as_it_is_understood(desk: Desk, records: Records) -> None:
    desk.store.create(an_operation("nightly-1"))
    desk.state.update_item(
        Key={"operation_id": "nightly-1"},
        UpdateExpression="SET #plan = :text",
        ExpressionAttributeNames={"#plan": "plan"},
        ExpressionAttributeValues={":text": "of the future"},
    )

    [run] = records.runs()

    assert (run.operation_id, run.target, run.operation) == ("nightly-1", "staging", None)
    assert run.error == "row of another version of the pipeline"


def test_a_row_of_an_earlier_version_is_read_as_the_steps_read_it(desk: Desk, records: Records) -> None:
    desk.store.create(an_operation("nightly-1"))
    desk.state.update_item(
        Key={"operation_id": "nightly-1"},
        UpdateExpression="SET old_target = :then",
        ExpressionAttributeValues={":then": OLD_TARGET},
    )

    [run] = records.runs()

    assert run.operation == desk.store.find("nightly-1") is not None


def test_the_audit_trail_is_read_page_by_page_in_order(desk: Desk, records: Records) -> None:
    large = "x" * 300_000  # a page of DynamoDB's ends at 1 MB
    for number in range(5):
        desk.leaves_in_trail("nightly-1", f"{number}", AT + timedelta(seconds=number), details={"large": large})
    desk.leaves_in_trail("other", "0", AT)

    assert [entry.step for entry in records.audit_trail("nightly-1")] == ["0", "1", "2", "3", "4"]


def test_what_a_phase_usually_takes_is_the_median_of_earlier_runs_that_succeeded(desk: Desk, records: Records) -> None:
    for day, (minutes, status) in enumerate(
        ((10, DONE), (30, DONE), (20, DONE), (99, OperationStatus.FAILED), (7, DONE))
    ):
        began = AT + timedelta(days=day)
        copied = CopyRecord(started_at=began, finished_at=began + timedelta(minutes=minutes))
        desk.store.create(an_operation(f"night-{day}", copy=copied, status=status, created_at=began))
    runs = {run.operation_id: run for run in records.runs()}

    assert usual_seconds(runs.values(), runs["night-4"]) == {"copy": 1200}
    assert usual_seconds(runs.values(), runs["night-1"]) == {"copy": 600}
    assert usual_seconds(runs.values(), runs["night-0"]) == {}, "the first run of a target had nothing to go by"
    assert usual_seconds(runs.values(), replace(runs["night-4"], target="another")) == {}


def test_the_tables_are_those_of_the_environment_in_the_region() -> None:
    session = boto3.session.Session(region_name="eu-west-1")
    pipeline = Pipeline(Account("eu-west-1", "123456789012", "arn:aws:iam::123456789012:user/ops", session))
    vars(pipeline)["names"] = Names.beside("qa")
    table = pipeline.table(STATE_TABLE)
    assert (table.table_name, table.meta.client.meta.region_name) == ("aurora-restore-qa-state", "eu-west-1")
