"""Telling others: events, metrics and the message. What cannot be told never changes the outcome of a run."""

from typing import Any

from utils import metrics
from utils.errors import AuroraRestoreError
from utils.events import DetailType, OperationDetail, detail_of
from utils.messages import message_for_failure, message_for_success
from utils.notifier import Notification
from utils.operation import Operation, OperationError, OperationStatus
from utils.services import Services
from utils.step import logger


def announce_start(operation: Operation, services: Services) -> None:
    """Tell that an operation started."""
    if not operation.request.dry_run:
        metrics.measure_start(operation)
    _send(DetailType.STARTED, detail_of(operation), services)


def announce_end(operation: Operation, summary: dict[str, Any], services: Services) -> str:
    """Tell how an operation ended, a dry run as well; return what became of the message."""
    if not operation.request.dry_run:
        metrics.measure_end(operation, summary["seconds"])
    kind = DetailType.SUCCEEDED if operation.error is None else DetailType.FAILED
    _send(kind, detail_of(operation, summary["seconds"]), services)
    if operation.error is None:
        return _publish(message_for_success(summary), services)
    message = message_for_failure(operation.operation_id, operation.execution_arn, operation.error, summary)
    return _publish(message, services)


def announce_refusal(operation_id: str, execution_arn: str, error: OperationError, services: Services) -> str:
    """Tell of a run that failed before it had a plan; return what became of the message."""
    metrics.measure_refusal(operation_id)
    detail = OperationDetail(
        operation_id=operation_id, execution_arn=execution_arn, status=OperationStatus.FAILED, error=error
    )
    _send(DetailType.FAILED, detail, services)
    return _publish(message_for_failure(operation_id, execution_arn, error, {}), services)


def _send(kind: DetailType, detail: OperationDetail, services: Services) -> None:
    try:
        services.events.send(kind, detail)
    except AuroraRestoreError:
        logger().exception("the event could not be sent")


def _publish(message: Notification, services: Services) -> str:
    try:
        services.notifier.publish(message)
    except AuroraRestoreError as error:
        logger().exception("the notification could not be sent")
        return f"not sent: {type(error).__name__}"
    return "sent"
