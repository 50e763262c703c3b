"""Look once whether the restored cluster and its instances are available."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, check_restore_status, on_operation, step


@step(StepName.CHECK_RESTORE_STATUS)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, check_restore_status)
