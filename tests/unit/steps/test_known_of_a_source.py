"""What a copy of a source brought along is known to the next run from it, before anything is destroyed."""

import json
from datetime import timedelta

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.stories import ended
from utils.errors import AccessDenied
from utils.operation.model import HealthRecord, Operation, OperationStatus, UsersRecord, Verdict
from utils.operation.records import ArchiveRecord
from utils.operation.store import get_operation
from utils.runtime.contract import ClosingEvent, StartEvent, StepResult
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

INDEXES = HealthRecord(
    verdict=Verdict.FOR_A_PERSON,
    what="invalid indexes: REINDEX or drop them",
    names=["public.a"],
    count=3,
    database="shop",
)
HARMLESS = HealthRecord(verdict=Verdict.HARMLESS, what="databases with a limit", names=["shop (5)"], count=1)


def end_with(aws: FakeAws, *health: HealthRecord, operation_id: str = OPERATION) -> None:
    """End a run whose users are proven."""
    operation = get_operation(aws.operations, operation_id)
    operation.users = UsersRecord(finished_at=aws.clock.now(), health=list(health))
    operation.archive = ArchiveRecord()
    aws.operations.save(operation)
    sns_notification(ClosingEvent(operation_id=operation_id, execution_arn=arn_of(operation_id)), aws.services)


def fail_with(aws: FakeAws, error: str, step: str = "Setup DB Users", operation_id: str = OPERATION) -> None:
    """End a run whose users could not be set up."""
    operation = get_operation(aws.operations, operation_id)
    operation.users = UsersRecord()
    aws.operations.save(operation)
    cause = json.dumps({"errorMessage": "found prepared transaction xa-1 of rdsadmin; so far: 1 cluster deleted"})
    event = ClosingEvent(
        operation_id=operation_id,
        execution_arn=arn_of(operation_id),
        error={"Error": error, "Cause": cause},
        failed_step=step,
    )
    sns_notification(event, aws.services)


def arn_of(operation_id: str) -> str:
    return EXECUTION_ARN.replace(OPERATION, operation_id)


def next_run(aws: FakeAws, operation_id: str = "nightly-2", **request: object) -> tuple[StepResult, Operation]:
    event = StartEvent(operation_id=operation_id, execution_arn=arn_of(operation_id), request=request)
    return snapshot_check(event, aws.services), get_operation(aws.operations, operation_id)


def test_the_first_copy_of_a_source_is_warned_of_nothing(aws: FakeAws) -> None:
    assert aws.start().details["warnings"] == []


def test_what_was_left_to_a_person_is_warned_of_in_the_next_plan_and_its_message(aws: FakeAws) -> None:
    aws.start()
    end_with(aws, INDEXES, HARMLESS)
    result, operation = next_run(aws, dry_run=True)
    (warning,) = operation.plan.warnings
    assert f"in the last copy of {operation.snapshot.cluster_id} (operation nightly-1 of " in warning
    assert "): shop: invalid indexes: REINDEX or drop them: public.a and 2 more: mend it in the source, or" in warning
    assert result.details["warnings"] == [warning]
    sns_notification(ClosingEvent(operation_id="nightly-2", execution_arn=arn_of("nightly-2")), aws.services)
    assert "last copies of the source" in aws.topic.messages[-1]["Message"]
    assert "invalid indexes: REINDEX or drop them: public.a and 2 more" in aws.topic.messages[-1]["Message"]


def test_it_is_known_whichever_target_the_next_run_has(aws: FakeAws) -> None:
    aws.start()
    end_with(aws, INDEXES)
    _, operation = next_run(aws, target={"cluster_id": "dev"})
    assert len(operation.plan.warnings) == 1


def test_a_set_up_that_failed_on_the_data_is_warned_of_until_one_succeeds(aws: FakeAws) -> None:
    aws.start()
    end_with(aws, INDEXES)
    next_run(aws)
    fail_with(aws, "DatabaseChangeRefused", operation_id="nightly-2")
    _, third = next_run(aws, "nightly-3")
    failed, found = third.plan.warnings
    assert "(operation nightly-2 of " in failed
    why = "ended with DatabaseChangeRefused: found prepared transaction xa-1 of rdsadmin: mend it in the source"
    assert why in failed
    assert "(operation nightly-1 of " in found, "what was found before stays known"
    end_with(aws, operation_id="nightly-3")
    assert next_run(aws, "nightly-4")[1].plan.warnings == []


@pytest.mark.parametrize(
    ("error", "step"),
    [("AccessDenied", "Setup DB Users"), ("ExecutionStopped", "Setup DB Users"), ("CheckFailed", "Archive Snapshot")],
)
def test_an_end_that_says_nothing_of_the_data_is_no_warning(aws: FakeAws, error: str, step: str) -> None:
    aws.start()
    fail_with(aws, error, step)
    assert aws.operations.sources == {}


def test_a_run_that_was_stopped_before_the_users_leaves_what_is_known(aws: FakeAws) -> None:
    aws.start()
    end_with(aws, INDEXES)
    next_run(aws)
    ended(aws, arn=arn_of("nightly-2"))
    assert len(next_run(aws, "nightly-3")[1].plan.warnings) == 1


def test_a_late_word_of_an_earlier_run_takes_nothing_back(aws: FakeAws) -> None:
    aws.start()
    end_with(aws, INDEXES)
    (key,) = aws.operations.sources
    known = aws.operations.find_source(*key.split("#")[1:])
    assert known is not None
    aws.operations.save_source(known.model_copy(update={"health": [], "known_at": known.known_at - timedelta(hours=1)}))
    assert len(next_run(aws)[1].plan.warnings) == 1


def test_what_cannot_be_kept_changes_nothing_of_the_end(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise AccessDenied("no", expected="yes", action="allow it")

    monkeypatch.setattr(aws.operations, "save_source", refuse)
    aws.start()
    end_with(aws, INDEXES)
    assert aws.operation.status is OperationStatus.SUCCEEDED
    assert aws.operations.locks == {}
    assert "SUCCEEDED" in aws.topic.messages[-1]["Subject"]


def test_a_source_with_very_much_to_tell_is_told_of_in_a_few_lines(aws: FakeAws) -> None:
    aws.start()
    long = INDEXES.model_copy(update={"names": ["n" * 120] * 10})
    end_with(aws, *[long] * 40)
    warnings = next_run(aws)[1].plan.warnings
    assert len(warnings) == 11
    assert max(map(len, warnings)) < 700
    assert "30 more, in the row of operation nightly-1" in warnings[-1]
