"""Copy the snapshot into the target Region and account, when the plan says so."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, copy_snapshot, on_operation, step


@step(StepName.COPY_SNAPSHOT)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, copy_snapshot)
