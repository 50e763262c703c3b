"""A fault at each rename of a swap: one of both clusters serves under the name, and going on makes the swap whole."""

from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, FakeAws
from tests.fakes.rds_items import Item, aws_error
from tests.unit.steps.stories import SECOND_ARN, fail, resume
from tests.unit.steps.swaps import Door, resource_id, swap, to_the_end, up_to_the_users
from utils.errors import PermanentError, RetryableError
from utils.runtime.contract import StepStatus
from utils.steps.check_swap_status import check_swap_status

RENAMES = 6  # two clusters, and two instances of each
REFUSED = {"denied": "AccessDenied", "refused": "InvalidParameterCombination", "throttled": "Throttling"}


class Fault:
    """Hits one rename: before it has its effect, or after, when its answer is lost."""

    def __init__(self, aws: FakeAws, number: int, kind: str) -> None:
        self.hits, self._left, self._kind = 0, number, kind
        for name, new in (("modify_db_cluster", "NewDBClusterIdentifier"), ("modify_db_instance", "NewDBInstance")):
            self._surround(aws, name, new)

    def _surround(self, aws: FakeAws, name: str, new: str) -> None:
        call = getattr(aws.west, name)

        def surrounded(**params: Any) -> Item:
            if not any(member.startswith(new) for member in params):
                taken: Item = call(**params)
                return taken
            self._left -= 1
            if self._left:
                answer: Item = call(**params)
                return answer
            self.hits += 1
            if self._kind == "lost":
                call(**params)
                raise aws_error("InternalFailure", status=500)
            raise aws_error(REFUSED[self._kind])

        setattr(aws.west, name, surrounded)


def go_on(aws: FakeAws, arn: str) -> bool:
    """Do as the state machine does until the swap is done; False if it failed for good and was taken back."""
    looks = False
    for _ in range(60):
        try:
            answer = aws.run(check_swap_status) if looks else swap(aws, arn=arn)
        except RetryableError:
            aws.west.settle()
            continue
        except PermanentError:
            while swap(aws, back=True, arn=arn).status is not StepStatus.READY:
                aws.west.settle()
            return False
        if answer.status is StepStatus.READY:
            return True
        aws.west.settle()
        looks = answer.status is not StepStatus.SWAP_AGAIN
    raise AssertionError("it goes on for ever")


@pytest.mark.parametrize("kind", [*REFUSED, "lost"])
@pytest.mark.parametrize("number", range(1, RENAMES + 1))
def test_whatever_happens_to_a_rename_one_of_both_serves_and_the_swap_can_be_finished(
    aws: FakeAws, door: Door, number: int, kind: str
) -> None:
    assert door
    aws.has_old_target()
    up_to_the_users(aws)
    old, new = resource_id(aws, "staging"), resource_id(aws, "staging-new")
    fault = Fault(aws, number, kind)

    is_done = go_on(aws, EXECUTION_ARN)

    assert fault.hits == 1
    assert is_done == (kind in {"throttled", "lost"})
    serving = aws.west.clusters["staging"]
    assert serving["Status"] == "available"
    assert serving["DbClusterResourceId"] == (old if not is_done and number <= 2 else new)
    if not is_done:
        fail(aws, error="AccessDenied")
        resume(aws)
        if number <= 2:
            up_to_the_users(aws, arn=SECOND_ARN)
        to_the_end(aws, arn=SECOND_ARN)
    assert resource_id(aws, "staging") == new
    of_new = {name for name, item in aws.west.instances.items() if item["DBClusterIdentifier"] == "staging"}
    assert of_new == {"staging-1", "staging-2"}
    assert {item["DBInstanceStatus"] for item in aws.west.instances.values()} == {"available"}
    assert len(aws.west.clusters) == 2
