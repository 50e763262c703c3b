"""A fault at each rename of a swap: one of both clusters serves under the name, and going on makes the swap whole."""

from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, FakeAws
from tests.fakes.rds_items import Item, aws_error
from tests.unit.steps.stories import SECOND_ARN, ended, fail, resume
from tests.unit.steps.swaps import Door, resource_id, swap, to_the_end, up_to_the_users
from utils.errors import DatabaseLoginRefused, PermanentError, RetryableError
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


STOPS = 10  # moves and looks of a swap of two instances each; the last of them ends it


def stopped_after(aws: FakeAws, steps: int) -> bool:
    """Make so many moves and looks, then have the execution end without a word; False if it was done before."""
    looks = False
    for _ in range(steps):
        answer = aws.run(check_swap_status) if looks else swap(aws)
        if answer.status is StepStatus.READY:
            return False
        aws.west.settle()
        looks = answer.status is not StepStatus.SWAP_AGAIN
    return True


def restores(aws: FakeAws) -> int:
    """Count how often RDS was asked to restore."""
    return [name for name, _ in aws.west.calls].count("restore_db_cluster_from_snapshot")


@pytest.mark.parametrize("how", ["ABORTED", "TIMED_OUT"])
@pytest.mark.parametrize("steps", range(1, STOPS))
def test_wherever_an_execution_is_stopped_people_are_told_who_serves_and_resuming_finishes_the_swap(
    aws: FakeAws, door: Door, steps: int, how: str
) -> None:
    assert door
    aws.has_old_target()
    up_to_the_users(aws)
    new = resource_id(aws, "staging-new")
    if not stopped_after(aws, steps):
        pytest.fail(f"done before step {steps}: STOPS is too large")

    ended(aws, how)

    said, names, record = aws.topic.messages[-1]["Message"], aws.operation.identifiers.swap, aws.operation.swap
    assert names is not None
    assert record is not None
    assert '{"resume": "nightly-1"}' in said
    serving = aws.west.clusters.get("staging")
    if serving is None:
        assert f"now: nobody may serve as staging: the old cluster is {names.aside}" in said
    if record.first_answer_at is None:
        assert "Resume the operation at once, which finishes the exchange or takes it back" in said
        back = f"{names.aside} to staging"
        assert back in said
    else:
        assert "the new cluster has the name staging and is proven under it" in said

    resume(aws)
    up_to_the_users(aws, arn=SECOND_ARN)
    to_the_end(aws, arn=SECOND_ARN)
    assert resource_id(aws, "staging") == new
    assert restores(aws) == 1
    of_new = {name for name, item in aws.west.instances.items() if item["DBClusterIdentifier"] == "staging"}
    assert of_new == {"staging-1", "staging-2"}
    assert {item["DBInstanceStatus"] for item in aws.west.instances.values()} == {"available"}


@pytest.mark.parametrize("steps", range(1, 4))
def test_a_stopped_swap_that_cannot_be_finished_is_taken_back_when_it_is_resumed(
    aws: FakeAws, door: Door, steps: int
) -> None:
    aws.has_old_target()
    up_to_the_users(aws)
    old = resource_id(aws, "staging")
    assert stopped_after(aws, steps)
    ended(aws)
    resume(aws)
    up_to_the_users(aws, arn=SECOND_ARN)
    door.refusal = DatabaseLoginRefused("another password", expected="ours", action="look")
    is_done = go_on(aws, SECOND_ARN)
    assert not is_done
    assert resource_id(aws, "staging") == old
    assert aws.west.clusters["staging"]["Status"] == "available"
