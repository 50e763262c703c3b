"""Close the operation, release the lock on the target, publish the outcome."""

from utils.aurora_utils import ClosingEvent, Services, StepName, StepResult, sns_notification, step


@step(StepName.SNS_NOTIFICATION, ClosingEvent)
def handler(event: ClosingEvent, services: Services) -> StepResult:
    """End the operation as succeeded, or as failed with the state machine's error."""
    return sns_notification(event, services)
