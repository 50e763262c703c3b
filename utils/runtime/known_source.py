"""What a copy brought along is kept, for the next run from the same source."""

from utils.errors import PermanentError
from utils.operation.model import Operation
from utils.operation.records import OperationError
from utils.operation.source_record import learned_from
from utils.runtime.services import Services
from utils.runtime.step import logger


def remember_source(operation: Operation, error: OperationError | None, services: Services) -> None:
    """Keep what this copy brought along, for the next run from the same source; it is advice, and stops no end."""
    if operation.users is None:
        return
    source = operation.snapshot
    try:
        before = services.operations.find_source(source.region, source.account_id, source.cluster_id)
        known = learned_from(operation, error, before)
        if known is not None:
            services.operations.save_source(known)
    except PermanentError:
        logger().exception("what the copy brought along could not be kept")
