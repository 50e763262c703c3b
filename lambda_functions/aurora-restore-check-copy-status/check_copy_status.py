"""Look once whether the snapshot copy is available."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, check_copy_status, on_operation, step


@step(StepName.CHECK_COPY_STATUS)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, check_copy_status)
