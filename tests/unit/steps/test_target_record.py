"""The settings of a target are kept apart from any run: the environment's shape survives every failure."""

import json
from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.rebuild import rebuilt, replaced, settings_now
from utils import errors
from utils.cluster_settings.origins import Origin, flattened
from utils.operation.target_record import TargetRecord
from utils.runtime.contract import ClosingEvent, StartEvent, StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification


def record(aws: FakeAws) -> TargetRecord | None:
    return aws.operations.find_target_record("us-west-2", "staging")


def ends(aws: FakeAws, error: str | None = None) -> None:
    cause = json.dumps({"errorMessage": "found no way", "errorType": error})
    failure = {"Error": error, "Cause": cause} if error else None
    event = ClosingEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, error=failure, failed_step="Restore")
    sns_notification(event, aws.services)


def opens_and_ends(aws: FakeAws) -> None:
    """Let the users be opened, and the run succeed."""
    operation = aws.operation
    operation.users_record().finished_at = aws.clock.now()
    aws.operations.save(operation)
    aws.run(archive_snapshot)
    ends(aws)


def next_run(aws: FakeAws, name: str, **request: Any) -> StepStatus:
    arn = EXECUTION_ARN.replace(OPERATION, name)
    event = StartEvent(operation_id=name, execution_arn=arn, request=request)
    return snapshot_check(event, aws.services).status


def test_nothing_is_kept_by_a_plan(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.start(override_deletion_protection=True)
    assert record(aws) is None


def test_what_stood_is_kept_before_anything_is_destroyed(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    before = settings_now(aws)
    aws.start(override_deletion_protection=True)
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)
    aws.run(delete_rds)
    aws.west.settle()
    aws.west.refuse("modify_db_cluster", "InvalidParameterValue", "not now")
    with pytest.raises(errors.AwsRequestRejected):
        aws.run(delete_rds)
    kept = record(aws)
    assert kept is not None
    assert (kept.settings, kept.operation_id, kept.of_success) == (before, OPERATION, False)


def test_after_a_refused_restore_a_new_run_without_a_word_brings_all_settings_back(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    before = flattened(settings_now(aws))
    replaced(aws)
    aws.west.refuse("restore_db_cluster_from_snapshot", "InvalidVPCNetworkStateFault", "no such network")
    with pytest.raises(errors.AwsRequestRejected):
        aws.run(restore_snapshot)
    ends(aws, "AwsRequestRejected")
    aws.west.refusals.clear()
    aws.clock.advance(hours=24)
    aws.east.has_snapshot("prod-next", hours_old=1)

    assert next_run(aws, "nightly-2") is StepStatus.READY

    aws.goes_on_as("nightly-2")
    plan = aws.operation.plan
    assert plan.inherited_from is Origin.TARGET_RECORD
    assert plan.origins["port"] is Origin.TARGET_RECORD
    assert any(f"of operation {OPERATION}" in line and "target record" in line for line in plan.actions)
    rebuilt(replaced(aws, planned=True))
    after = flattened(settings_now(aws))
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()


def test_over_its_own_half_restored_cluster_a_run_builds_from_the_record(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    before = flattened(settings_now(aws))
    replaced(aws)
    aws.run(restore_snapshot)
    aws.west.clusters["staging"]["Status"] = "incompatible-restore"
    with pytest.raises(errors.RestoreFailed):
        aws.run(check_restore_status)
    ends(aws, "RestoreFailed")
    aws.clock.advance(hours=24)
    aws.east.has_snapshot("prod-next", hours_old=1)

    assert next_run(aws, "nightly-2") is StepStatus.READY

    aws.goes_on_as("nightly-2")
    plan = aws.operation.plan
    assert (plan.inherited_from, plan.take_final_snapshot) == (Origin.TARGET_RECORD, False)
    rebuilt(replaced(aws, planned=True))
    after = flattened(settings_now(aws))
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()
    kept = record(aws)
    assert kept is not None
    assert kept.operation_id == OPERATION, "never from a half-restored cluster"


def test_after_a_run_that_succeeded_the_record_is_what_it_built(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws, target={"port": 6000}))
    opens_and_ends(aws)
    kept = record(aws)
    assert kept is not None
    assert (kept.settings.port, kept.of_success, kept.operation_id) == (6000, True, OPERATION)
    assert kept.settings.members[0].identifier == "the-writer"


def test_a_target_that_somebody_changed_since_counts_as_it_is_now(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws))
    opens_and_ends(aws)
    aws.west.clusters["staging"]["BackupRetentionPeriod"] = 3
    aws.clock.advance(hours=24)
    aws.east.has_snapshot("prod-next", hours_old=1)
    next_run(aws, "nightly-2", override_deletion_protection=True)
    aws.goes_on_as("nightly-2")
    assert aws.operation.plan.settings.backup_retention_days == 3
    assert aws.operation.plan.origins["backup_retention_days"] is Origin.OLD_TARGET


def test_neither_the_record_nor_the_row_has_a_secret(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    rebuilt(replaced(aws))
    opens_and_ends(aws)
    kept = record(aws)
    assert kept is not None
    for text in (kept.model_dump_json(), aws.operation.model_dump_json()):
        assert "password-1" not in text
