"""Copy the snapshot into the target Region and account, when the plan says so."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, copy_snapshot, operation_step


@operation_step(StepName.COPY_SNAPSHOT)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return copy_snapshot(operation, services)
