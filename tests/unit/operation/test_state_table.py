"""One contract for the state table and its in-memory twin."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from moto import mock_aws

from tests.fakes.stores import InMemoryOperationStore
from tests.unit.operation.tables import make_table
from tests.unit.operations import AT, OLD_TARGET, REQUEST, an_operation
from utils.cluster_settings.model import Member, TargetSettings
from utils.errors import AwsRequestRejected, OperationNotFound, OperationNotResumable, OperationRowConflict
from utils.operation.earlier_rows import of_this_version
from utils.operation.model import HealthRecord, OperationStatus, StepName, Verdict
from utils.operation.records import CopyRecord, OperationError
from utils.operation.source_record import SourceRecord
from utils.operation.state_table import DynamoDbOperationStore, source_key, target_key
from utils.operation.store import (
    MOST_EARLIER_RUNS,
    Attempt,
    OperationStore,
    RunDurations,
    TargetLock,
    UnplannedOperation,
    get_operation,
)
from utils.operation.target_record import TargetRecord

WEST = "us-west-2"
LOCK = TargetLock(holder="first", execution_arn="arn:first", acquired_at=AT, expires_at=AT + timedelta(hours=28))


@pytest.fixture(params=["in memory", "DynamoDB"])
def store(request: pytest.FixtureRequest) -> Iterator[OperationStore]:
    if request.param == "in memory":
        yield InMemoryOperationStore()
    else:
        with mock_aws():
            yield DynamoDbOperationStore(make_table("aurora-restore-state", "operation_id"))


def test_an_operation_is_found_as_it_was_written(store: OperationStore) -> None:
    operation = an_operation(copy=CopyRecord(started_at=AT, percent=42), old_target=OLD_TARGET)

    store.create(operation)

    assert store.find("nightly-1") == operation


def test_every_operation_with_a_plan_is_listed_and_no_other_row(store: OperationStore) -> None:
    for name in ("nightly-1", "nightly-2"):
        store.create(an_operation(name))
    store.reserve(UnplannedOperation(operation_id="refused", execution_arn="arn:x", created_at=AT))
    store.acquire_lock(WEST, "staging", LOCK)

    found, unreadable = store.planned()

    assert sorted(operation.operation_id for operation in found) == ["nightly-1", "nightly-2"]
    assert unreadable == []


@mock_aws
def test_a_row_of_another_version_is_named_and_not_left_out_in_silence() -> None:
    table = make_table("aurora-restore-state", "operation_id")
    table.put_item(Item={"operation_id": "of-tomorrow", "plan": {}, "identifiers": {"target_cluster_id": "staging"}})

    assert DynamoDbOperationStore(table).planned() == ([], ["of-tomorrow"])


def test_every_field_of_a_request_survives_the_table(store: OperationStore) -> None:
    request = REQUEST | {
        "target": {
            "cluster_id": "staging",
            "serverless_v2": {"min_capacity": 0.5, "max_capacity": 16},
            "security_group_ids": ["sg-1"],
            "tags": {"empty": ""},
            "iam_authentication": False,
        },
        "budgets": {"copy_hours": 0.123456789, "delete_hours": 1e-3, "restore_hours": 120},
    }

    store.create(an_operation(request=request))

    found = store.find("nightly-1")
    assert found is not None
    assert found.request == an_operation(request=request).request


def test_the_last_runs_over_a_target_are_remembered_the_newest_first(store: OperationStore) -> None:
    assert store.earlier_runs(WEST, "staging") == []
    for number in range(MOST_EARLIER_RUNS + 2):
        seconds = {"copy": 60 * number, "total": 3600}
        run = RunDurations(operation_id=f"nightly-{number}", finished_at=AT + timedelta(days=number), seconds=seconds)
        store.remember_run(WEST, "staging", run)
        store.remember_run(WEST, "staging", run)
    found = store.earlier_runs(WEST, "staging")
    assert [run.operation_id for run in found] == [f"nightly-{number}" for number in range(11, 1, -1)]
    assert found[0].seconds == {"copy": 660, "total": 3600}
    assert store.earlier_runs(WEST, "other") == []
    assert store.find("nightly-0") is None


SOURCE = SourceRecord(
    region="us-east-1",
    account_id="123456789012",
    cluster_id="prod",
    known_at=AT,
    found_in="operation nightly-1",
    health=[HealthRecord(verdict=Verdict.FOR_A_PERSON, what="invalid indexes", names=["a", "b"], count=2)],
)


def test_what_is_known_of_a_source_is_found_by_its_region_account_and_name(store: OperationStore) -> None:
    store.save_source(SOURCE)
    assert store.find_source("us-east-1", "123456789012", "prod") == SOURCE
    assert store.find_source("us-west-2", "123456789012", "prod") is None
    assert store.find("source#us-east-1#123456789012#prod") is None, "it is no operation"


def test_what_is_known_of_a_source_since_later_stays(store: OperationStore) -> None:
    later = SOURCE.model_copy(update={"known_at": AT + timedelta(days=1), "health": []})
    for record in (SOURCE, later, SOURCE):
        store.save_source(record)
    assert store.find_source("us-east-1", "123456789012", "prod") == later


def test_what_another_version_wrote_of_a_source_stops_no_run() -> None:
    with mock_aws():
        table = make_table("aurora-restore-state", "operation_id")
        table.put_item(Item={"operation_id": source_key("us-east-1", "123456789012", "prod"), "known": "something"})
        assert DynamoDbOperationStore(table).find_source("us-east-1", "123456789012", "prod") is None


def a_target_record(cluster_id: str = "staging", region: str = WEST, day: int = 0) -> TargetRecord:
    return TargetRecord(
        cluster_id=cluster_id,
        region=region,
        operation_id=f"nightly-{day}",
        read_at=AT + timedelta(days=day),
        of_success=True,
        settings=TargetSettings(engine_version="17.4", port=5433 + day, members=[Member(identifier=f"{cluster_id}-1")]),
    )


def test_the_last_known_settings_of_a_target_are_found_by_its_region_and_name(store: OperationStore) -> None:
    records = [a_target_record(), a_target_record("other"), a_target_record(region="eu-west-1")]
    for record in records:
        store.save_target_record(record)
    assert [store.find_target_record(record.region, record.cluster_id) for record in records] == records
    assert store.find_target_record(WEST, "nobody") is None
    assert target_key(WEST, "staging") == "target#us-west-2#staging"


def test_the_settings_of_a_target_that_were_read_later_stay(store: OperationStore) -> None:
    for day in (1, 0, 1):
        store.save_target_record(a_target_record(day=day))
    assert store.find_target_record(WEST, "staging") == a_target_record(day=1)
    store.save_target_record(a_target_record(day=2))
    assert store.find_target_record(WEST, "staging") == a_target_record(day=2)


def test_nobody_is_found_under_an_unknown_id(store: OperationStore) -> None:
    assert store.find("nobody") is None
    with pytest.raises(OperationNotFound, match="'nobody'"):
        get_operation(store, "nobody")


@mock_aws
def test_a_row_of_an_earlier_version_tells_of_its_old_target() -> None:
    table = make_table("aurora-restore-state", "operation_id")
    store = DynamoDbOperationStore(table)
    store.create(an_operation())
    written_then = OLD_TARGET | {"port": Decimal(5433)}
    table.update_item(
        Key={"operation_id": "nightly-1"},
        UpdateExpression="SET old_target = :then",
        ExpressionAttributeValues={":then": written_then},
    )

    operation = get_operation(store, "nightly-1")

    assert operation.old_target is not None
    assert (operation.old_target.member_ids, operation.old_target.settings.port) == (("staging-1",), 5433)
    store.save(operation)
    again = get_operation(store, "nightly-1").old_target
    assert again == operation.old_target
    assert (again.settings.cluster_parameter_group, again.settings.tags) == (
        "default.aurora-postgresql17",
        {"team": "data"},
    )


@pytest.mark.parametrize("managed", [True, False])
def test_a_row_of_an_earlier_version_keeps_whose_the_master_password_is(managed: bool) -> None:
    row = {
        "request": {"manage_master_user_password": managed},
        "identifiers": {"instance_ids": ["staging-1", "staging-2"]},
        "plan": {"settings": {"instance_class": "db.r8g.large", "instance_count": 2, "port": 5433}},
    }
    assert of_this_version(row)["plan"]["settings"] == {
        "port": 5433,
        "manage_master_user_password": managed,
        "members": [
            {"identifier": name, "instance_class": "db.r8g.large", "parameter_group": None}
            for name in ("staging-1", "staging-2")
        ],
    }


def test_an_operation_is_created_once(store: OperationStore) -> None:
    store.create(an_operation())
    with pytest.raises(OperationRowConflict):
        store.create(an_operation())


def test_saving_counts_the_version_up(store: OperationStore) -> None:
    operation = an_operation()
    store.create(operation)

    operation.current_step = StepName.COPY_SNAPSHOT
    store.save(operation)
    store.save(operation)

    found = store.find("nightly-1")
    assert found is not None
    assert (found.version, found.current_step) == (2, StepName.COPY_SNAPSHOT)
    assert found.updated_at > AT


def test_of_two_who_read_the_same_row_only_one_can_save(store: OperationStore) -> None:
    store.create(an_operation())
    mine, theirs = get_operation(store, "nightly-1"), get_operation(store, "nightly-1")

    store.save(theirs)

    with pytest.raises(OperationRowConflict):
        store.save(mine)


def test_a_row_that_vanished_cannot_be_saved(store: OperationStore) -> None:
    with pytest.raises(OperationRowConflict):
        store.save(an_operation())


REFUSED = UnplannedOperation(
    operation_id="nightly-1",
    execution_arn="arn:first",
    target_cluster_id="staging",
    error=OperationError(name="InvalidRequest", message="target: found nothing", step="Snapshot Check"),
    created_at=AT,
)

RESERVED = REFUSED.model_copy(update={"error": None})


def test_an_operation_without_a_plan_is_none_and_gives_way_to_one(store: OperationStore) -> None:
    store.save_unplanned(REFUSED)
    assert store.find("nightly-1") is None
    assert store.find_unplanned("nightly-1") == REFUSED

    store.create(an_operation())

    assert store.find("nightly-1") is not None
    assert store.find_unplanned("nightly-1") is None


def test_an_execution_that_was_closed_before_its_plan_was_written_gets_none(store: OperationStore) -> None:
    store.save_unplanned(REFUSED.model_copy(update={"finished_at": AT}))
    with pytest.raises(OperationRowConflict):
        store.create(an_operation())


def test_a_plan_is_never_lost_to_a_row_without_one(store: OperationStore) -> None:
    store.create(an_operation())
    assert store.save_unplanned(REFUSED) is False
    with pytest.raises(OperationRowConflict):
        store.reserve(RESERVED)
    assert store.find("nightly-1") == an_operation()


def test_an_operation_is_reserved_as_often_as_it_is_tried(store: OperationStore) -> None:
    for _ in range(2):
        store.reserve(RESERVED)
    assert store.find_unplanned("nightly-1") == RESERVED


def test_what_was_closed_is_reserved_only_by_a_later_redrive(store: OperationStore) -> None:
    assert store.save_unplanned(REFUSED.model_copy(update={"finished_at": AT, "redrive_count": 1})) is True
    for redrive_count in (0, 1):
        with pytest.raises(OperationRowConflict):
            store.reserve(RESERVED.model_copy(update={"redrive_count": redrive_count}))
    redriven = RESERVED.model_copy(update={"redrive_count": 2})
    store.reserve(redriven)
    assert store.find_unplanned("nightly-1") == redriven


def test_a_free_lock_is_taken(store: OperationStore) -> None:
    assert store.acquire_lock(WEST, "staging", LOCK) == LOCK


def test_a_held_lock_answers_with_its_holder(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)

    lock = store.acquire_lock(WEST, "staging", replace(LOCK, holder="second", acquired_at=AT + timedelta(hours=1)))

    assert (lock.holder, lock.execution_arn, lock.acquired_at) == ("first", "arn:first", AT)
    assert abs(lock.expires_at - LOCK.expires_at) < timedelta(seconds=1)


def test_the_holder_may_take_its_lock_again(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)
    again = replace(LOCK, acquired_at=AT + timedelta(hours=1))
    assert store.acquire_lock(WEST, "staging", again) == again


def test_locks_of_other_targets_and_regions_are_other_locks(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)
    second = replace(LOCK, holder="second")
    assert store.acquire_lock(WEST, "drill", second) == second
    assert store.acquire_lock("eu-west-1", "staging", second) == second


def test_a_lapsed_lock_is_free(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)
    later = replace(LOCK, holder="second", acquired_at=AT + timedelta(hours=29), expires_at=AT + timedelta(hours=57))
    assert store.acquire_lock(WEST, "staging", later) == later


def test_a_lock_is_held_to_its_last_second(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)
    at_the_end = replace(LOCK, holder="second", acquired_at=LOCK.expires_at.replace(microsecond=0))
    assert store.acquire_lock(WEST, "staging", at_the_end).holder == "first"


def test_a_lock_is_taken_over_from_the_named_holder_only(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)
    second = replace(LOCK, holder="second")
    assert store.acquire_lock(WEST, "staging", second, instead_of="somebody").holder == "first"
    assert store.acquire_lock(WEST, "staging", second, instead_of="first").holder == "second"


def test_only_the_holder_releases_a_lock(store: OperationStore) -> None:
    store.acquire_lock(WEST, "staging", LOCK)
    second = replace(LOCK, holder="second")

    store.release_lock(WEST, "staging", "second")
    assert store.acquire_lock(WEST, "staging", second).holder == "first"

    store.release_lock(WEST, "staging", "first")
    store.release_lock(WEST, "staging", "first")
    assert store.acquire_lock(WEST, "staging", second).holder == "second"


@pytest.mark.parametrize(
    ("by", "is_free"),
    [
        (Attempt(execution_arn="arn:first", redrive_count=1), True),
        (Attempt(execution_arn="arn:first", redrive_count=2), True),
        (Attempt(execution_arn="arn:first"), False),
        (Attempt(execution_arn="arn:another", redrive_count=1), False),
    ],
)
def test_late_word_of_an_earlier_attempt_does_not_release_a_lock(
    store: OperationStore, by: Attempt, is_free: bool
) -> None:
    store.acquire_lock(WEST, "staging", replace(LOCK, redrive_count=1))
    store.release_lock(WEST, "staging", "first", by)
    second = replace(LOCK, holder="second")
    assert (store.acquire_lock(WEST, "staging", second).holder == "second") == is_free


@mock_aws
def test_a_row_of_another_version_is_refused_by_field_without_its_value() -> None:
    table = make_table("aurora-restore-state", "operation_id")
    store = DynamoDbOperationStore(table)
    store.create(an_operation())
    row = table.get_item(Key={"operation_id": "nightly-1"})["Item"]
    table.put_item(Item={**row, "request": {"source": "Planted-Pa55word"}})
    with pytest.raises(OperationNotResumable, match=r"request\.source") as refused:
        store.find("nightly-1")
    assert "Planted" not in str(refused.value)


@mock_aws
def test_rows_are_readable_for_people() -> None:
    table = make_table("aurora-restore-state", "operation_id")
    DynamoDbOperationStore(table).create(an_operation(copy=CopyRecord(started_at=AT)))

    row = table.get_item(Key={"operation_id": "nightly-1"})["Item"]

    assert (row["status"], row["current_step"], row["version"]) == (
        OperationStatus.RUNNING,
        "Snapshot Check",
        Decimal(0),
    )
    copied = row["copy"]
    assert isinstance(copied, dict)
    assert (copied["started_at"], copied["arn"], copied["percent"]) == ("2026-11-22T03:00:00.123456Z", None, 0)
    assert "restore" not in row


@mock_aws
def test_the_row_of_a_refusal_says_why_and_when() -> None:
    table = make_table("aurora-restore-state", "operation_id")

    DynamoDbOperationStore(table).save_unplanned(REFUSED)

    row = table.get_item(Key={"operation_id": "nightly-1"})["Item"]
    assert REFUSED.error is not None
    assert (row["status"], row["error"], row["execution_arn"]) == ("FAILED", REFUSED.error.model_dump(), "arn:first")
    assert row["ttl"] == Decimal(int((AT + timedelta(days=400)).timestamp()))


@mock_aws
def test_the_row_of_what_has_no_plan_yet_says_that_it_runs() -> None:
    table = make_table("aurora-restore-state", "operation_id")

    DynamoDbOperationStore(table).reserve(REFUSED.model_copy(update={"error": None, "finished_at": None}))

    row = table.get_item(Key={"operation_id": "nightly-1"})["Item"]
    assert row["status"] == "RUNNING"
    assert "error" not in row


@mock_aws
def test_a_table_that_is_not_there_is_no_conflict() -> None:
    table = make_table("aurora-restore-state", "operation_id")
    store = DynamoDbOperationStore(table)
    table.delete()
    with pytest.raises(AwsRequestRejected, match="ResourceNotFoundException"):
        store.create(an_operation())
    with pytest.raises(AwsRequestRejected, match="ResourceNotFoundException"):
        store.acquire_lock(WEST, "staging", LOCK)
    with pytest.raises(AwsRequestRejected, match="ResourceNotFoundException"):
        store.save_unplanned(REFUSED)
    with pytest.raises(AwsRequestRejected, match="ResourceNotFoundException"):
        store.release_lock(WEST, "staging", "first")


@mock_aws
def test_a_lock_released_between_two_looks_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table("aurora-restore-state", "operation_id")
    store = DynamoDbOperationStore(table)
    store.acquire_lock(WEST, "staging", LOCK)
    monkeypatch.setattr(table, "get_item", lambda **_: {})
    with pytest.raises(OperationRowConflict, match="released just now"):
        store.acquire_lock(WEST, "staging", replace(LOCK, holder="second"))
