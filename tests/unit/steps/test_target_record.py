"""The settings of a target are kept apart from any run: the environment's shape survives every failure."""

import json
from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.rebuild import rebuilt, replaced, settings_now
from utils import errors
from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin, flattened
from utils.operation.state_table import target_key
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

KEY = target_key("us-west-2", "staging")


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


@pytest.mark.parametrize("nights", [1, 2], ids=["the next run", "the one after that"])
def test_what_an_earlier_run_deleted_in_part_is_built_from_the_record_and_never_becomes_it(
    aws: FakeAws, nights: int
) -> None:
    away_from_default.stands(aws)
    before = settings_now(aws)
    _deletes_the_members_only(aws)
    for night in range(nights):
        aws.clock.advance(hours=24)
        aws.east.has_snapshot(f"prod-{night}", hours_old=1)
        assert next_run(aws, f"again-{night}", override_deletion_protection=True) is StepStatus.READY
        aws.goes_on_as(f"again-{night}")
        plan = aws.operation.plan
        assert (plan.inherited_from, plan.settings) == (Origin.TARGET_RECORD, before)
        assert any(f"which operation {OPERATION} deleted in part" in line for line in plan.actions)
        if night + 1 < nights:
            aws.west.taken.clear()
            _refused_again(aws, f"again-{night}")
    kept = record(aws)
    assert kept is not None
    assert kept.settings == before
    rebuilt(replaced(aws, planned=True))
    assert settings_now(aws) == before


def test_what_somebody_repaired_after_a_deletion_in_part_counts_as_it_is_now(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    _deletes_the_members_only(aws)
    aws.west.has_instance("stand-in", "staging", TagList=aws.west.clusters["staging"]["TagList"])
    aws.west.settle()
    aws.east.has_snapshot("prod-next", hours_old=1)
    next_run(aws, "nightly-2", override_deletion_protection=True)
    aws.goes_on_as("nightly-2")
    plan = aws.operation.plan
    assert (plan.inherited_from, [member.identifier for member in plan.settings.members]) == (
        Origin.OLD_TARGET,
        ["stand-in"],
    )


def _deletes_the_members_only(aws: FakeAws) -> None:
    """Let RDS refuse the deletion of the cluster once its members are gone, as it does of a blue/green deployment."""
    aws.start(override_deletion_protection=True)
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)
    aws.run(delete_rds)
    aws.west.settle()
    _refused_again(aws, OPERATION, start=False)


def _refused_again(aws: FakeAws, name: str, *, start: bool = True) -> None:
    if start:
        for step in (copy_snapshot, check_copy_status, delete_rds):
            aws.west.settle()
            aws.run(step)
        aws.west.settle()
    aws.west.refuse("delete_db_cluster", "InvalidParameterCombination", "part of a deployment")
    with pytest.raises(errors.AwsRequestRejected):
        aws.run(delete_rds)
    aws.west.refusals.clear()
    aws.west.settle()
    aws.west.endpoints.clear()
    cause = json.dumps({"errorMessage": "refused", "errorType": "AwsRequestRejected"})
    failure = {"Error": "AwsRequestRejected", "Cause": cause}
    arn = EXECUTION_ARN.replace(OPERATION, name)
    event = ClosingEvent(operation_id=name, execution_arn=arn, error=failure, failed_step="Delete RDS")
    sns_notification(event, aws.services)


def test_a_record_of_a_newer_version_is_read_without_what_this_one_does_not_know_and_that_is_said(aws: FakeAws) -> None:
    before = _only_its_record_is_left(aws)
    rewritten = json.loads(aws.operations.records[KEY])
    rewritten["settings"] |= {"from_the_future": 1}
    rewritten["settings"]["members"][1] |= {"colour": "blue"}
    aws.operations.records[KEY] = json.dumps(rewritten)
    next_run(aws, "nightly-2")
    aws.goes_on_as("nightly-2")
    assert aws.operation.plan.settings == before
    (said,) = [line for line in aws.operation.plan.actions if "target record" in line]
    assert said.endswith(
        "without settings.from_the_future, settings.members.1.colour, which this version does not know"
    )


@pytest.mark.parametrize("spoil", [{"port": "a"}, {"members": 3}, {"engine_version": None}])
def test_a_record_that_nobody_can_read_stops_the_run_that_needs_it_by_name(aws: FakeAws, spoil: dict[str, Any]) -> None:
    _only_its_record_is_left(aws)
    rewritten = json.loads(aws.operations.records[KEY])
    rewritten["settings"] |= spoil
    aws.operations.records[KEY] = json.dumps(rewritten)
    (field,) = spoil
    with pytest.raises(
        errors.TargetNotBuildable, match=rf"target record {KEY}, whose field settings\.{field} does not"
    ):
        next_run(aws, "nightly-2")
    next_run(aws, "nightly-3", target={"inherit_settings": False})
    aws.goes_on_as("nightly-3")
    assert aws.operation.plan.inherited_from is None


def test_a_target_that_stands_needs_no_record_and_gets_a_new_one(aws: FakeAws) -> None:
    away_from_default.stands(aws)
    aws.operations.records[KEY] = json.dumps({"read_at": "2020-01-01T00:00:00Z", "settings": "lost"})
    before = settings_now(aws)
    replaced(aws)
    kept = record(aws)
    assert kept is not None
    assert kept.settings == before


def _only_its_record_is_left(aws: FakeAws) -> TargetSettings:
    away_from_default.stands(aws)
    before = settings_now(aws)
    replaced(aws)
    aws.west.refuse("restore_db_cluster_from_snapshot", "InvalidVPCNetworkStateFault", "no such network")
    with pytest.raises(errors.AwsRequestRejected):
        aws.run(restore_snapshot)
    ends(aws, "AwsRequestRejected")
    aws.west.refusals.clear()
    aws.east.has_snapshot("prod-next", hours_old=1)
    return before
