import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.set_up_users import FakeDatabase
from tests.unit.steps.swaps import Door
from utils.steps import check_swap_status as checking
from utils.steps import setup_db_users as setting_up
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot


@pytest.fixture
def planned(aws: FakeAws) -> FakeAws:
    """A run over an old target whose plan is made."""
    aws.has_old_target()
    aws.start()
    return aws


@pytest.fixture
def copied(planned: FakeAws) -> FakeAws:
    """The run, when its copy is available."""
    planned.run(copy_snapshot)
    planned.west.settle()
    planned.run(check_copy_status)
    return planned


@pytest.fixture
def deleted(copied: FakeAws) -> FakeAws:
    """The run, when the old target is gone."""
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(delete_rds)
    copied.west.settle()
    copied.run(check_delete_status)
    return copied


@pytest.fixture
def restored(deleted: FakeAws) -> FakeAws:
    """The run, when cluster and instances are available."""
    deleted.run(restore_snapshot)
    deleted.west.settle()
    deleted.run(restore_snapshot)
    deleted.west.settle()
    return deleted


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """Who answers under the clusters' names."""
    fake = Door()
    monkeypatch.setattr(setting_up, "set_up_users", FakeDatabase().set_up_users)
    monkeypatch.setattr(checking, "logged_in", fake.logged_in)
    monkeypatch.setattr(checking, "answers", lambda _: fake.old_answers)
    monkeypatch.setattr(checking, "leads_to", lambda *_: True)
    return fake
