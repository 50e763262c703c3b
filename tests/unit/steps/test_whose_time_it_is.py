"""A fresh function knows RDS's time only once RDS has answered it: until then its own clock would be told."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from tests.fakes.aws import FakeAws
from utils.aws.clients import ServiceClock
from utils.operation.model import Operation
from utils.runtime.services import Services
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot


class ClockOfAFreshFunction:
    """Fails when it is asked before RDS was."""

    def __init__(self, aws: FakeAws) -> None:
        self._aws, self._before = aws, len(aws.west.calls)

    def now(self) -> datetime:
        assert len(self._aws.west.calls) > self._before, "RDS was not asked yet"
        return self._aws.clock.now()


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
