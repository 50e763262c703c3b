"""Snapshot the old target and, once that is available, delete it."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, delete_rds, operation_step


@operation_step(StepName.DELETE_RDS)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return delete_rds(operation, services)
