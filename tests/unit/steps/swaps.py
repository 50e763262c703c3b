"""What the stories of swaps have in common: the steps up to the users, the moves, and who answers under the names."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.unit.steps.rebuild import up_to_proven_users
from utils.runtime.contract import StartEvent, StepResult, StepStatus, SwapEvent
from utils.steps.check_swap_status import check_swap_status
from utils.steps.snapshot_check import snapshot_check
from utils.steps.swap_clusters import swap_clusters


class Door:
    """Who answers under the clusters' names, and what a login meets."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.logins: list[tuple[str, str, str]] = []
        self.old_answers = True

    @contextmanager
    def logged_in(self, server: Any, database: str, user: str, _: object) -> Iterator[Any]:
        self.logins.append((server.host, database, user))
        if self.refusal is not None:
            raise self.refusal
        yield SimpleNamespace(cursor=self._cursor)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        yield SimpleNamespace(execute=lambda _: None)


def up_to_the_users(aws: FakeAws, arn: str = EXECUTION_ARN, operation_id: str = OPERATION, **request: Any) -> None:
    """Go through the steps until the users of the cluster beside are proven."""
    if operation_id != OPERATION:
        event = StartEvent(operation_id=operation_id, execution_arn=arn, request={"strategy": "swap"} | request)
        snapshot_check(event, aws.services)
        aws.goes_on_as(operation_id)
    elif arn == EXECUTION_ARN:
        aws.start(strategy="swap", **request)
    assert up_to_proven_users(aws).status is StepStatus.SWAP_READY


def swap(aws: FakeAws, *, back: bool = False, arn: str = EXECUTION_ARN, operation_id: str = OPERATION) -> StepResult:
    """Make the next move, as the state machine does."""
    return swap_clusters(SwapEvent(operation_id=operation_id, execution_arn=arn, roll_back=back), aws.services)


def to_the_end(aws: FakeAws, arn: str = EXECUTION_ARN, operation_id: str = OPERATION) -> int:
    """Go on as the state machine does; return how many moves it took."""
    for moves in range(1, 30):
        answer = swap(aws, arn=arn, operation_id=operation_id)
        while answer.status is StepStatus.IN_PROGRESS:
            aws.west.settle()
            aws.clock.advance(seconds=5)
            answer = aws.run(check_swap_status)
        if answer.status is StepStatus.READY:
            return moves
    raise AssertionError("it goes on for ever")


def resource_id(aws: FakeAws, name: str) -> str:
    """Return the resource id of the cluster that has a name now."""
    return str(aws.west.clusters[name]["DbClusterResourceId"])


def aside(aws: FakeAws) -> str:
    """Return the name that the old cluster gets."""
    names = aws.operation.identifiers.swap
    assert names is not None
    return names.aside
