"""The ten Lambda functions: each is its step, behind the handler that AWS calls."""

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.metrics_log import Measured, measured
from utils.database.setup import SetupOutcome
from utils.errors import OperationNotFound
from utils.operation.model import StepName
from utils.report.metrics import NAMESPACE, SERVICE, Metric
from utils.runtime import step as step_module

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
PHASES = ("copy", "delete", "restore", "users")
CONTEXT = SimpleNamespace(aws_request_id="request-1", invoked_function_arn="arn:function")
ON_AN_OPERATION = [name for name in StepName if name not in {StepName.SNAPSHOT_CHECK, StepName.SNS_NOTIFICATION}]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, aws: FakeAws) -> Callable[..., dict[str, Any]]:
    monkeypatch.setattr(step_module, "services", lambda: aws.services)

    def call(name: StepName, **event: Any) -> dict[str, Any]:
        handler: Handler = importlib.import_module(name.value.lower().replace(" ", "_")).handler
        return handler({"operation_id": OPERATION, "execution_arn": EXECUTION_ARN} | event, CONTEXT)

    return call


@pytest.mark.parametrize("name", ON_AN_OPERATION)
def test_a_function_without_an_operation_refuses_and_records_it(
    call: Callable[..., dict[str, Any]], aws: FakeAws, name: StepName
) -> None:
    with pytest.raises(OperationNotFound):
        call(name)
    assert [(row.step, row.event.value) for row in aws.audit.rows] == [(name.value, "ENTERED"), (name.value, "FAILED")]
    assert aws.west.changes == []


def test_a_whole_run_from_the_first_function_to_the_last(
    call: Callable[..., dict[str, Any]],
    aws: FakeAws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = SetupOutcome(databases=["shop"], proofs={"app": ["shop: logs in"]}, shut_out=["prod_app"])

    def set_up(*_: object, after_shutting_out: Callable[[], None], **__: object) -> SetupOutcome:
        after_shutting_out()
        return outcome

    monkeypatch.setattr("utils.steps.setup_db_users.set_up_users", set_up)
    aws.has_old_target()

    answers = [call(StepName.SNAPSHOT_CHECK, request={})["status"]]
    for name in (
        StepName.COPY_SNAPSHOT,
        StepName.CHECK_COPY_STATUS,
        StepName.DELETE_RDS,
        StepName.CHECK_DELETE_STATUS,
        StepName.DELETE_RDS,
        StepName.CHECK_DELETE_STATUS,
        StepName.RESTORE_SNAPSHOT,
        StepName.CHECK_RESTORE_STATUS,
        StepName.RESTORE_SNAPSHOT,
        StepName.CHECK_RESTORE_STATUS,
        StepName.SETUP_DB_USERS,
        StepName.SETUP_DB_USERS,
        StepName.ARCHIVE_SNAPSHOT,
        StepName.SNS_NOTIFICATION,
    ):
        answers.append(call(name)["status"])
        aws.west.settle()

    assert answers == [
        "READY",
        "IN_PROGRESS", "READY",
        "IN_PROGRESS", "SNAPSHOT_READY", "IN_PROGRESS", "READY",
        "IN_PROGRESS", "CLUSTER_READY", "IN_PROGRESS", "READY",
        "IN_PROGRESS", "READY",
        "READY",
        "READY",
    ]  # fmt: skip
    assert aws.operation.status == "SUCCEEDED"
    assert aws.east.changes == []
    assert sorted(aws.west.instances) == ["staging-1", "staging-2"]
    assert [row.event.value for row in aws.audit.rows] == ["ENTERED", "LEFT"] * 15
    assert "prod_app" in aws.topic.messages[0]["Message"]
    assert [event["DetailType"].rpartition(" ")[2] for event in aws.bus.events] == ["Started", "Succeeded"]
    check_that_every_metric_is_there(measured(capsys.readouterr().out))


def check_that_every_metric_is_there(found: list[Measured]) -> None:
    """A run measures all that is declared (which the alarms and widgets read), under those dimensions, nothing else.

    But for the outage, which a run that replaces cannot tell: tests/unit/steps has a swap's.
    """
    measured_here = set(Metric) - {Metric.OUTAGE_SECONDS, Metric.OUTAGE_UNCERTAINTY_SECONDS}
    declared = {(metric.label, metric.unit.value, names) for metric in measured_here for names in metric.dimension_sets}
    assert {(item.name, item.unit, tuple(sorted(item.dimensions))) for item in found} == {
        (name, unit, tuple(sorted(names))) for name, unit, names in declared
    }
    assert {item.namespace for item in found} == {NAMESPACE}
    assert {item.operation_id for item in found} == {OPERATION}
    assert {item.dimensions["service"] for item in found} == {SERVICE}
    assert {item.dimensions["phase"] for item in found if "phase" in item.dimensions} == set(PHASES)
    assert all(item.value >= 0 for item in found)


def test_a_function_that_a_step_calls_leaves_the_audit_trail_to_the_step(
    monkeypatch: pytest.MonkeyPatch, aws: FakeAws
) -> None:
    monkeypatch.setattr(step_module, "services", lambda: aws.services)
    handler: Handler = importlib.import_module("write_evidence").handler

    assert handler({"verify": {}}, CONTEXT)["step"] == "Write Evidence"
    with pytest.raises(OperationNotFound):
        handler({"operation_id": "of-nobody"}, CONTEXT)
    assert aws.audit.rows == []
