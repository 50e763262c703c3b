"""A run from its plan to a target that stands again, in two strides."""

from typing import Any

from tests.fakes import away_from_default
from tests.fakes.aws import FakeAws
from utils.aws.target.whole import settings_of
from utils.cluster_settings.model import TargetSettings
from utils.runtime.contract import StepResult, StepStatus
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.setup_db_users import setup_db_users


def settings_now(aws: FakeAws) -> TargetSettings:
    cluster = aws.services.rds().find_cluster("staging")
    assert cluster is not None
    members = aws.services.rds().instances_of("staging")
    attached = aws.services.attached.everything("staging", [member.identifier for member in members])
    group = cluster.settings.cluster_parameter_group
    assert group is not None
    return settings_of(cluster, members, attached | {"tls_parameters": aws.services.offers.tls_parameters(group)})


def replaced(aws: FakeAws, *, planned: bool = False, **request: Any) -> FakeAws:
    """The run, from the plan until the old target is gone."""
    if not planned:
        aws.start(**({"override_deletion_protection": True} | request))
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)
    for _ in range(2):
        aws.run(delete_rds)
        aws.west.settle()
    aws.run(check_delete_status)
    aws.west.forget_cluster("staging", list(away_from_default.MEMBERS))
    return aws


def rebuilt(aws: FakeAws) -> StepResult:
    """Go round between Restore Snapshot and Check Restore Status until that is content."""
    for _ in range(12):
        aws.run(restore_snapshot)
        aws.west.settle()
        result = aws.run(check_restore_status)
        if result.status is StepStatus.READY:
            return result
    raise AssertionError(result)


def up_to_proven_users(aws: FakeAws) -> StepResult:
    """The run, from its plan until the users of the restored cluster are proven."""
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)
    while aws.run(delete_rds).status is not StepStatus.READY:
        aws.west.settle()
        aws.run(check_delete_status)
    for _ in range(2):
        aws.run(restore_snapshot)
        aws.west.settle()
        aws.run(check_restore_status)
    aws.run(setup_db_users)
    aws.west.settle()
    return aws.run(setup_db_users)
