"""Mark the snapshot copy as archived and prune what is beyond the number to keep."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, archive_snapshot, on_operation, step


@step(StepName.ARCHIVE_SNAPSHOT)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, archive_snapshot)
