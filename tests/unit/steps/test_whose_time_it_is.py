"""A fresh function knows RDS's time only once RDS has answered it: until then its own clock would be told."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.swaps import Door, up_to_the_users
from utils.aws.clients import ServiceClock
from utils.operation.model import Operation
from utils.runtime.contract import StepStatus, SwapEvent
from utils.runtime.services import Services
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.check_swap_status import check_swap_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.swap_clusters import roll_back, swap_clusters


class ClockOfAFreshFunction:
    """Fails when it is asked before RDS was."""

    def __init__(self, aws: FakeAws) -> None:
        self._aws = aws
        self._before = self._asked()

    def now(self) -> datetime:
        assert self._asked() > self._before, "RDS was not asked yet"
        return self._aws.clock.now()

    def _asked(self) -> int:
        return len(self._aws.west.calls) + len(self._aws.east.calls)


def test_a_run_begins_at_the_time_that_rds_tells_when_its_snapshot_is_chosen(aws: FakeAws) -> None:
    """Its total time, and the age of its data, would begin when the function had last heard of RDS."""
    aws.has_old_target()
    aws.services = freshly(aws)
    aws.start()
    assert aws.operation.snapshot.chosen_at == aws.clock.now()


def test_every_step_asks_rds_before_it_asks_what_time_it_is(planned: FakeAws) -> None:
    for step in (
        *(copy_snapshot, check_copy_status, check_copy_status),
        *(delete_rds, check_delete_status, delete_rds, check_delete_status),
        *(restore_snapshot, check_restore_status, restore_snapshot, check_restore_status),
    ):
        operation: Operation = planned.operation
        services: Services = replace(planned.services, clock=cast("ServiceClock", ClockOfAFreshFunction(planned)))
        step(operation, services)
        if step is not check_copy_status:
            planned.west.settle()


def freshly(aws: FakeAws) -> Services:
    return replace(aws.services, clock=cast("ServiceClock", ClockOfAFreshFunction(aws)))


def test_so_do_the_steps_of_a_swap(aws: FakeAws, door: Door) -> None:
    assert door.old_answers
    aws.has_old_target()
    up_to_the_users(aws)
    event = SwapEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN)
    looks = [StepStatus.IN_PROGRESS]
    while looks[-1] is not StepStatus.READY:
        aws.west.settle()
        swap_clusters(event, freshly(aws))
        aws.west.settle()
        looks.append(check_swap_status(aws.operation, freshly(aws)).status)
    assert len(looks) > 2


def test_so_does_taking_back_what_a_swap_began(aws: FakeAws, door: Door) -> None:
    assert door.old_answers
    aws.has_old_target()
    up_to_the_users(aws)
    swap_clusters(SwapEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN), aws.services)
    aws.west.settle()
    assert roll_back(aws.operation, freshly(aws)).status is StepStatus.IN_PROGRESS
