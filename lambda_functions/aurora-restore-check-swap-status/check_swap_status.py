"""Look once at the exchange of names, and prove the new cluster under the target's name."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, check_swap_status, operation_step


@operation_step(StepName.CHECK_SWAP_STATUS)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return check_swap_status(operation, services)
