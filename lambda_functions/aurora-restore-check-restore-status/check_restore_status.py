"""Look once whether the restored cluster and its instances are available."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, check_restore_status, operation_step


@operation_step(StepName.CHECK_RESTORE_STATUS)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return check_restore_status(operation, services)
