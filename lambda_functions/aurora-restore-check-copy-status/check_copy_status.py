"""Look once whether the snapshot copy is available."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, check_copy_status, operation_step


@operation_step(StepName.CHECK_COPY_STATUS)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return check_copy_status(operation, services)
