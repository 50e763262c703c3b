"""Telling others: events, metrics and the message. What cannot be told never changes the outcome of a run."""

from utils.aws.event_bus import DetailType
from utils.aws.notifier import Notification
from utils.errors import AuroraRestoreError
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import OperationError
from utils.report import metrics
from utils.report.envelope import in_environment
from utils.report.event_detail import OperationDetail, detail_of
from utils.runtime.services import Services
from utils.runtime.step import logger

SENT = "sent"


def announce_start(operation: Operation, services: Services) -> None:
    """Tell that an operation started."""
    if not operation.request.dry_run:
        metrics.measure_start(operation)
    _send(DetailType.STARTED, detail_of(operation), services)


def announce_end(operation: Operation, seconds: dict[str, int], services: Services) -> None:
    """Tell once how an operation ended, a dry run as well; `seconds` by phase."""
    if not operation.request.dry_run:
        metrics.measure_end(operation, seconds)
    kind = DetailType.SUCCEEDED if operation.error is None else DetailType.FAILED
    _send(kind, detail_of(operation, seconds), services)


def announce_refusal(operation_id: str, execution_arn: str, error: OperationError, services: Services) -> None:
    """Tell of a run that failed before it had a plan."""
    metrics.measure_refusal(operation_id)
    detail = OperationDetail(
        operation_id=operation_id, execution_arn=execution_arn, status=OperationStatus.FAILED, error=error
    )
    _send(DetailType.FAILED, detail, services)


def notify(message: Notification, services: Services) -> str:
    """Publish the message of a run; return `sent`, or why not."""
    try:
        services.notifier.publish(in_environment(message, services.settings.environment_beside))
    except AuroraRestoreError as error:
        logger().exception("the notification could not be sent")
        return f"not sent: {type(error).__name__}"
    return SENT


def _send(kind: DetailType, detail: OperationDetail, services: Services) -> None:
    try:
        services.events.send(kind, detail.model_dump_json(), detail.execution_arn)
    except AuroraRestoreError:
        logger().exception("the event could not be sent")
