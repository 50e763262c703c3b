"""Has the evidence of an operation written by the one function that may sign it; no run ends otherwise for it."""

from pydantic import ValidationError

from utils.errors import AuroraRestoreError
from utils.operation.model import Operation
from utils.operation.records import EvidenceRecord
from utils.runtime.services import Services
from utils.runtime.step import logger


def ask_for_evidence(operation: Operation, services: Services) -> bool:
    """Keep in `operation` where its evidence is, or why there is none; return whether there is something new."""
    name = services.settings.evidence_function_name
    if not name or (operation.evidence is not None and operation.evidence.error is None):
        return False
    event = {"operation_id": operation.operation_id, "execution_arn": operation.execution_arn}
    try:
        operation.evidence = EvidenceRecord.model_validate(services.functions.call(name, event).get("details"))
    except (AuroraRestoreError, ValidationError) as error:
        logger().exception("the evidence could not be written")
        operation.evidence = EvidenceRecord(error=type(error).__name__)
    return True
