"""Restore the cluster and, once it is available, create its instances."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, operation_step, restore_snapshot


@operation_step(StepName.RESTORE_SNAPSHOT)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return restore_snapshot(operation, services)
