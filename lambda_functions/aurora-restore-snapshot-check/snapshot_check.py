"""Validate the request, lock the target, pick the snapshot, check the guards, write the plan."""

from utils.aurora_utils import Services, StartEvent, StepName, StepResult, snapshot_check, step


@step(StepName.SNAPSHOT_CHECK, StartEvent)
def handler(event: StartEvent, services: Services) -> StepResult:
    """Plan the operation that the raw request asks for."""
    return snapshot_check(event, services)
