"""What several stories have in common."""

from typing import Any

from tests.fakes.aws import FakeAws
from utils.steps.check_copy_status import check_copy_status
from utils.steps.copy_snapshot import copy_snapshot


def copy_is_ready(aws: FakeAws, **request: Any) -> None:
    """Plan a run and bring it to the point where its copy is available."""
    aws.start(**request)
    aws.run(copy_snapshot)
    aws.west.settle()
    aws.run(check_copy_status)
