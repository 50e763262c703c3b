"""Mark the snapshot copy as archived and prune what is beyond the number to keep."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, archive_snapshot, operation_step


@operation_step(StepName.ARCHIVE_SNAPSHOT)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return archive_snapshot(operation, services)
