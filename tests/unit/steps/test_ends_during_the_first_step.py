"""An execution ends while its first step still runs: whoever is second sees the other's row, and nothing stays open."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.fakes.stores import InMemoryOperationStore
from tests.unit.steps.stories import LOCK, ended
from utils.errors import OperationClosed, OperationRowConflict
from utils.operation.model import OperationStatus
from utils.operation.store import UnplannedOperation
from utils.runtime.contract import StartEvent
from utils.steps.snapshot_check import snapshot_check


@pytest.fixture
def production(aws: FakeAws) -> FakeAws:
    aws.has_production()
    return aws


def before(monkeypatch: pytest.MonkeyPatch, method: str, happens: Callable[[], Any]) -> None:
    """Let something happen once, right before a method of the store."""
    whole = getattr(InMemoryOperationStore, method)

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(InMemoryOperationStore, method, whole)
        happens()
        return whole(*args, **kwargs)

    monkeypatch.setattr(InMemoryOperationStore, method, meanwhile)


def is_closed(aws: FakeAws) -> bool:
    row = aws.operations.find_unplanned(OPERATION)
    assert row is not None
    assert row.error is not None
    return row.error.name == "ExecutionStopped" and aws.operations.locks == {} and len(aws.topic.messages) == 1


@pytest.mark.parametrize("method", ["reserve", "acquire_lock", "create"])
def test_a_first_step_that_outlives_its_execution_stops_and_leaves_no_lock(
    production: FakeAws, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    before(monkeypatch, method, lambda: ended(production))
    with pytest.raises(OperationClosed, match="which ended"):
        production.start()
    assert production.operations.find(OPERATION) is None
    assert is_closed(production)


def test_a_first_step_that_begins_after_the_end_of_its_execution_does_nothing(production: FakeAws) -> None:
    ended(production)
    with pytest.raises(OperationClosed, match="start the state machine with a new execution name"):
        production.start()
    assert is_closed(production)


def test_an_end_that_is_told_while_the_plan_is_written_is_told_again(
    production: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "save_unplanned", production.start)
    with pytest.raises(OperationRowConflict, match="a plan of operation nightly-1"):
        ended(production)
    assert production.topic.messages == []

    ended(production)  # Lambda tries an asynchronous invocation again

    assert production.operation.status is OperationStatus.FAILED
    assert production.operations.locks == {}
    assert len(production.topic.messages) == 1


def test_a_redrive_of_the_first_step_goes_on(production: FakeAws) -> None:
    ended(production)
    event = StartEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, redrive_count=1, request={})
    snapshot_check(event, production.services)
    assert production.operation.status is OperationStatus.RUNNING
    assert production.operations.locks[LOCK].redrive_count == 1


def test_late_word_of_the_time_before_a_redrive_does_not_close_what_has_no_plan_yet(production: FakeAws) -> None:
    ended(production)
    redriven = UnplannedOperation(
        operation_id=OPERATION, execution_arn=EXECUTION_ARN, redrive_count=1, created_at=production.clock.now()
    )
    production.operations.reserve(redriven)
    ended(production)
    assert production.operations.find_unplanned(OPERATION) == redriven
    ended(production, redriveCount=1)
    closed = production.operations.find_unplanned(OPERATION)
    assert closed is not None
    assert closed.error is not None


def test_two_first_steps_at_once_write_one_plan(production: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    before(monkeypatch, "create", production.start)
    with pytest.raises(OperationRowConflict):
        production.start()
    assert production.operation.status is OperationStatus.RUNNING
    assert production.operations.locks[LOCK].holder == OPERATION
