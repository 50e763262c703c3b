"""Look once whether the final snapshot is available, then whether the old target is gone."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, check_delete_status, on_operation, step


@step(StepName.CHECK_DELETE_STATUS)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, check_delete_status)
