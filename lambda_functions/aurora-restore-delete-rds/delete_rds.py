"""Snapshot the old target and, once that is available, delete it."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, delete_rds, on_operation, step


@step(StepName.DELETE_RDS)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, delete_rds)
