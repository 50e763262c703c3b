"""What was done in a cluster that is gone says nothing of the one that a resumption restores in its place."""

from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.set_up_users import FakeDatabase
from tests.unit.steps.stories import copy_is_ready, fail, resume
from utils.database.before_opening.scripts import BeforeOpeningOutcome
from utils.errors import ResourceBusy
from utils.operation.model import ScriptRecord
from utils.runtime.contract import StepStatus
from utils.steps import setup_db_users as module
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.setup_db_users import setup_db_users

QUARANTINE = "sg-0fedcba9876543210"
MASK = ScriptRecord(
    s3_uri="s3://scripts/mask.sql", version_id="1", sha256="aa", database="shop", user="app", statements=2, seconds=1.0
)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ScriptRecord, ...]]:
    """What each call of the database's step was told to be done already."""
    seen: list[tuple[ScriptRecord, ...]] = []

    def run(*_: Any, done: tuple[ScriptRecord, ...], remember: Any, **__: Any) -> BeforeOpeningOutcome:
        seen.append(done)
        if not done:
            remember(MASK)
        return BeforeOpeningOutcome(scripts=[MASK], checks=[])

    monkeypatch.setattr(module, "set_up_users", FakeDatabase().set_up_users)
    monkeypatch.setattr(module, "run_before_opening", run)
    return seen


def asked_for_masking(aws: FakeAws) -> FakeAws:
    operation = aws.operation
    masking = {"s3_uri": MASK.s3_uri, "database": MASK.database}
    operation.request = type(operation.request).model_validate(
        operation.request.model_dump() | {"post_restore_sql": [masking]}
    )
    aws.operations.save(operation)
    return aws


def complete_restore(aws: FakeAws) -> FakeAws:
    for _ in range(2):
        aws.run(restore_snapshot)
        aws.west.settle()
        aws.run(check_restore_status)
    return aws


def complete(aws: FakeAws) -> FakeAws:
    """Restore, and set up the users."""
    set_up(complete_restore(aws))
    return aws


def passwords_set(aws: FakeAws) -> list[Any]:
    return [call for call in aws.west.asked("modify_db_cluster") if "MasterUserPassword" in call]


def set_up(aws: FakeAws) -> StepStatus:
    status = StepStatus.IN_PROGRESS
    for _ in range(3):
        status = aws.run(setup_db_users).status
        aws.west.settle()
    return status


def lost_and_resumed(aws: FakeAws, *, days: int = 0) -> FakeAws:
    """The run fails, a later run takes its cluster for a leftover and deletes it, or somebody does; it is resumed."""
    fail(aws, error="AccessDenied")
    aws.west.instances.clear()
    aws.west.clusters.clear()
    aws.clock.advance(days=days)
    resume(aws)
    aws.run(delete_rds)
    return aws


@pytest.fixture
def quarantined(aws: FakeAws) -> FakeAws:
    """A run whose stack has a quarantine, until its old target is gone."""
    aws.services = aws.services_with(QUARANTINE_SECURITY_GROUP_IDS=QUARANTINE)
    aws.has_old_target()
    copy_is_ready(aws)
    for step in (delete_rds, delete_rds):
        aws.run(step)
        aws.west.settle()
    aws.run(check_delete_status)
    return aws


def test_scripts_run_again_in_another_cluster(deleted: FakeAws, done: list[tuple[ScriptRecord, ...]]) -> None:
    aws = complete(asked_for_masking(deleted))
    aws.run(setup_db_users)
    assert done == [(), (MASK,), (MASK,)], "in the same one they do not"
    complete(lost_and_resumed(aws))
    assert done[3] == (), "the data of the new one are as production's"


def test_productions_master_password_is_replaced_in_another_cluster_too(
    deleted: FakeAws, done: list[tuple[ScriptRecord, ...]]
) -> None:
    aws = lost_and_resumed(complete(deleted))
    assert len(passwords_set(aws)) == 1
    assert set_up(complete_restore(aws)) is StepStatus.READY
    assert len(passwords_set(aws)) == 2
    assert done == [], "there was nothing to run"


@pytest.mark.usefixtures("done")
def test_another_cluster_is_in_quarantine_as_the_first_one_was(quarantined: FakeAws) -> None:
    aws = complete(quarantined)
    assert aws.operation.exposure.network_opened_at is not None
    complete_restore(lost_and_resumed(aws))
    first, second = aws.west.asked("restore_db_cluster_from_snapshot")
    assert first["VpcSecurityGroupIds"] == second["VpcSecurityGroupIds"] == [QUARANTINE]
    assert aws.operation.exposure.network_opened_at is None
    assert set_up(aws) is StepStatus.READY
    assert aws.operation.exposure.network_opened_at is not None


@pytest.mark.usefixtures("done")
def test_another_cluster_has_its_time_and_its_exposure_is_counted(deleted: FakeAws) -> None:
    aws = complete(deleted)
    assert aws.operation.exposure.ended_at is not None
    lost_and_resumed(aws, days=2)
    assert aws.run(restore_snapshot).status is StepStatus.IN_PROGRESS, "two days are no part of its time"
    assert aws.operation.exposure.ended_at is None
    aws.west.settle()
    set_up(complete_restore(aws))
    assert aws.operation.exposure.ended_at == aws.clock.now()


def test_another_cluster_is_known_although_the_answer_to_its_restore_was_lost(
    deleted: FakeAws, done: list[tuple[ScriptRecord, ...]]
) -> None:
    aws = lost_and_resumed(complete(asked_for_masking(deleted)))
    calls, asked = len(done), aws.west.restore_db_cluster_from_snapshot

    def die(**request: Any) -> None:
        asked(**request)
        raise SystemExit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.west, "restore_db_cluster_from_snapshot", die)
        with pytest.raises(SystemExit):
            aws.run(restore_snapshot)
    assert aws.operation.begun.restored_resource_id is None
    complete(aws)
    assert done[calls] == ()


def test_a_cluster_that_rds_did_not_show_for_a_moment_is_the_same(
    deleted: FakeAws, done: list[tuple[ScriptRecord, ...]]
) -> None:
    aws = complete(asked_for_masking(deleted))
    fail(aws, error="AccessDenied")
    resume(aws)
    show = aws.west.hide(aws.west.clusters, "staging")
    aws.run(delete_rds)
    aws.west.fail("restore_db_cluster_from_snapshot", "DBClusterAlreadyExistsFault")
    with pytest.raises(ResourceBusy):
        aws.run(restore_snapshot)
    show()
    complete(aws)
    assert all(seen == (MASK,) for seen in done[1:]), "nothing is masked twice"
    assert len(passwords_set(aws)) == 1
