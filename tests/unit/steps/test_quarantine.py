"""In quarantine the restored cluster lets in the function and nobody else until all is proven; exposure is measured."""

import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.set_up_users import FakeDatabase
from tests.unit.metrics_log import measured
from utils.errors import RestoreFailed, SettingNotFound, TargetNotBuildable
from utils.report.exposure import exposure_in_words
from utils.report.metrics import measure_end
from utils.report.summary import summarise
from utils.runtime.contract import StepStatus
from utils.steps import setup_db_users as module
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.setup_db_users import setup_db_users

QUARANTINE = "sg-0fedcba9876543210"


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> FakeDatabase:
    fake = FakeDatabase()
    monkeypatch.setattr(module, "set_up_users", fake.set_up_users)
    return fake


@pytest.fixture
def quarantined(aws: FakeAws) -> FakeAws:
    """An account whose stack has a quarantine, with an old target."""
    aws.services = aws.services_with(QUARANTINE_SECURITY_GROUP_IDS=QUARANTINE)
    aws.has_old_target()
    return aws


def delete_the_old_target(aws: FakeAws) -> None:
    aws.start()
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)
    aws.run(delete_rds)
    aws.west.settle()
    aws.run(delete_rds)
    aws.west.settle()
    aws.run(check_delete_status)


def restore(aws: FakeAws) -> None:
    for _ in range(2):
        aws.run(restore_snapshot)
        aws.west.settle()
        aws.run(check_restore_status)


def groups_of(aws: FakeAws) -> list[str]:
    return [group["VpcSecurityGroupId"] for group in aws.west.clusters["staging"]["VpcSecurityGroups"]]


def set_up(aws: FakeAws) -> StepStatus:
    aws.run(setup_db_users)
    aws.west.settle()
    return aws.run(setup_db_users).status


def test_the_cluster_is_restored_in_quarantine_and_the_plan_says_so(quarantined: FakeAws) -> None:
    old = [group["VpcSecurityGroupId"] for group in quarantined.west.clusters["staging"]["VpcSecurityGroups"]]
    delete_the_old_target(quarantined)
    restore(quarantined)
    (asked,) = quarantined.west.asked("restore_db_cluster_from_snapshot")
    assert asked["VpcSecurityGroupIds"] == [QUARANTINE]
    operation = quarantined.operation
    assert operation.plan.settings.security_group_ids == old
    assert f"only then take it out of quarantine ({QUARANTINE}): it gets {', '.join(old)}" in operation.plan.actions
    assert operation.restore is not None
    assert operation.restore.finished_at is not None, "the groups of the quarantine are what is expected for now"


def test_its_own_groups_come_after_the_last_proof_and_are_the_last_change(
    quarantined: FakeAws, database: FakeDatabase
) -> None:
    delete_the_old_target(quarantined)
    restore(quarantined)
    assert set_up(quarantined) is StepStatus.IN_PROGRESS
    assert len(database.asked) == 1
    *_, last = quarantined.west.asked("modify_db_cluster")
    own = quarantined.operation.plan.settings.security_group_ids
    assert last == {"DBClusterIdentifier": "staging", "VpcSecurityGroupIds": own, "ApplyImmediately": True}

    assert quarantined.run(setup_db_users).status is StepStatus.READY
    assert groups_of(quarantined) == own
    assert len(database.asked) == 1, "what is proven is not set up once more"
    assert quarantined.west.asked("modify_db_cluster")[-1] == last
    assert quarantined.run(archive_snapshot).status is StepStatus.READY


@pytest.fixture
def with_data_api(quarantined: FakeAws, database: FakeDatabase) -> FakeAws:
    """A target with the Data API, restored in quarantine."""
    assert not database.asked
    quarantined.west.clusters["staging"]["HttpEndpointEnabled"] = True
    delete_the_old_target(quarantined)
    restore(quarantined)
    return quarantined


def test_the_data_api_which_asks_no_security_group_is_switched_on_with_the_open_network_and_not_before(
    with_data_api: FakeAws, database: FakeDatabase
) -> None:
    aws = with_data_api
    assert aws.operation.restore is not None
    assert aws.operation.restore.finished_at is not None, "that it is off is what is expected for now"
    assert set_up(aws) is StepStatus.IN_PROGRESS
    assert database.asked
    assert aws.west.asked("enable_http_endpoint") == []
    assert aws.run(setup_db_users).status is StepStatus.READY
    assert aws.west.asked("enable_http_endpoint") == [{"ResourceArn": aws.west.clusters["staging"]["DBClusterArn"]}]
    assert "data_api" not in str(aws.operation.restore.settings.comparison)


def test_a_data_api_that_aws_refuses_is_told_and_keeps_nobody_out(
    with_data_api: FakeAws, database: FakeDatabase
) -> None:
    aws = with_data_api
    set_up(aws)
    assert database.asked
    aws.west.fail("enable_http_endpoint", "InvalidResourceStateFault")
    assert aws.run(setup_db_users).status is StepStatus.IN_PROGRESS
    aws.west.fail("enable_http_endpoint", "InvalidParameterCombination", "no Data API for this class")
    assert aws.run(setup_db_users).status is StepStatus.READY
    assert aws.operation.restore is not None
    record = aws.operation.restore.settings
    assert "no Data API for this class" in record.refused["data_api"]
    assert "could not be put back: data_api: wanted True, found False" in str(record.comparison)


def test_a_cluster_that_is_busy_stays_in_quarantine_until_it_takes_the_change(
    quarantined: FakeAws, database: FakeDatabase
) -> None:
    delete_the_old_target(quarantined)
    restore(quarantined)
    quarantined.run(setup_db_users)
    quarantined.west.settle()
    quarantined.west.fail("modify_db_cluster", "AccessDenied")
    with pytest.raises(Exception, match="AccessDenied"):
        quarantined.run(setup_db_users)
    assert groups_of(quarantined) == [QUARANTINE]
    quarantined.west.clusters["staging"]["Status"] = "backing-up"
    assert quarantined.run(setup_db_users).status is StepStatus.IN_PROGRESS
    assert groups_of(quarantined) == [QUARANTINE]
    assert len(database.asked) == 1, "the proof was kept in the row"


def test_groups_that_somebody_changed_meanwhile_stop_the_run_before_anybody_gets_in(quarantined: FakeAws) -> None:
    delete_the_old_target(quarantined)
    quarantined.run(restore_snapshot)
    quarantined.west.settle()
    quarantined.run(restore_snapshot)
    quarantined.west.settle()
    quarantined.west.clusters["staging"]["VpcSecurityGroups"] = [{"VpcSecurityGroupId": "sg-8", "Status": "active"}]
    with pytest.raises(RestoreFailed, match=r"security_group_ids: wanted .*found .*sg-8"):
        quarantined.run(check_restore_status)


def test_a_group_of_the_quarantine_that_is_not_there_is_told_before_anything_is_changed(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.services = aws.services_with(QUARANTINE_SECURITY_GROUP_IDS="sg-000")
    with pytest.raises(SettingNotFound, match=r"stack parameter QuarantineSecurityGroupIds: found no security group"):
        aws.start()
    assert aws.west.changes == []


def test_without_groups_to_get_afterwards_or_with_the_same_ones_there_is_no_plan(aws: FakeAws) -> None:
    aws.services = aws.services_with(QUARANTINE_SECURITY_GROUP_IDS=QUARANTINE)
    with pytest.raises(TargetNotBuildable, match=r"found no security groups that are known"):
        aws.start()
    with pytest.raises(TargetNotBuildable, match=f"found security group {QUARANTINE} both in quarantine and after it"):
        aws.start(target={"security_group_ids": [QUARANTINE]})


def test_in_quarantine_the_exposure_is_nothing(
    quarantined: FakeAws, database: FakeDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    delete_the_old_target(quarantined)
    restore(quarantined)
    set_up(quarantined)
    quarantined.run(setup_db_users)
    assert database.asked
    summary = summarise(quarantined.operation)
    assert (summary.exposure_seconds, summary.exposed_since) == (0, None)
    assert exposure_in_words(summary) == f"0 s, in quarantine ({QUARANTINE})"
    measure_end(quarantined.operation, summary.seconds)
    assert {item.value for item in measured(capsys.readouterr().out) if item.name == "ExposureSeconds"} == {0}


def test_without_it_the_exposure_counts_from_the_last_look_before_an_instance_until_logins_were_shut_out(
    restored: FakeAws, database: FakeDatabase
) -> None:
    aws = restored
    for instance in aws.west.instances.values():
        instance["DBInstanceStatus"] = "creating"
    aws.run(check_restore_status)
    closed = aws.clock.now()
    aws.clock.advance(minutes=1)
    aws.west.settle()
    aws.run(check_restore_status)
    aws.clock.advance(minutes=3)
    aws.run(setup_db_users)
    assert aws.operation.exposure.seconds is None
    assert exposure_in_words(summarise(aws.operation)).startswith(f"since {closed:%Y-%m-%d %H:%M:%S} UTC, and it goes")
    aws.west.settle()
    aws.clock.advance(minutes=2)
    aws.run(setup_db_users)
    assert database.asked
    aws.clock.advance(minutes=10)
    aws.run(setup_db_users)
    assert aws.operation.exposure.seconds == 6 * 60, "a later set-up finds them shut out already"
    said = exposure_in_words(summarise(aws.operation))
    assert said == "6 min 00 s, from its first instance until production's logins were shut out"


def test_a_copy_that_never_answered_was_never_exposed(copied: FakeAws) -> None:
    assert exposure_in_words(summarise(copied.operation)) == "0 s, no instance of the copy answered"
