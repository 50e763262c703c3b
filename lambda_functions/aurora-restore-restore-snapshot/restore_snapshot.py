"""Restore the cluster and, once it is available, create its instances."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, on_operation, restore_snapshot, step


@step(StepName.RESTORE_SNAPSHOT)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, restore_snapshot)
