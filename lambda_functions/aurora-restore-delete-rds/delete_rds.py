"""Snapshot the old target and, once that is available, delete it; after a failure, make room for its data."""

from utils.aurora_utils import (
    FailedEvent,
    Services,
    StepName,
    StepResult,
    caught_error,
    delete_rds,
    on_operation,
    step,
)


@step(StepName.DELETE_RDS, FailedEvent)
def handler(event: FailedEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    failure = caught_error(event.error, event.failed_step)
    return on_operation(StepName.DELETE_RDS, event, services, lambda row, used: delete_rds(row, used, failure))
