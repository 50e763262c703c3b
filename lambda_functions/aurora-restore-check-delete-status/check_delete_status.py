"""Look once whether the final snapshot is available, then whether the old target is gone."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, check_delete_status, operation_step


@operation_step(StepName.CHECK_DELETE_STATUS)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return check_delete_status(operation, services)
