"""Has the evidence of an operation written by the one function that may sign it; no run ends otherwise for it."""

import time
from typing import Any

from pydantic import ValidationError

from utils.errors import AuroraRestoreError
from utils.operation.model import Operation
from utils.operation.records import EvidenceRecord
from utils.runtime.services import Services
from utils.runtime.step import logger

# A call that failed within these leaves the step, which has 120 s, time for another one.
_SOON_SECONDS = 20.0


def ask_for_evidence(operation: Operation, services: Services) -> bool:
    """Keep in `operation` where its evidence is, or why there is none; return whether there is something new.

    A function that died, or a call that AWS refused at once, is tried once more.
    """
    name = services.settings.evidence_function_name
    if not name or (operation.evidence is not None and operation.evidence.error is None):
        return False
    event = {"operation_id": operation.operation_id, "execution_arn": operation.execution_arn}
    began = time.monotonic()
    operation.evidence = _written(name, event, services)
    if operation.evidence.error and time.monotonic() - began < _SOON_SECONDS:
        operation.evidence = _written(name, event, services)
    return True


def _written(name: str, event: dict[str, Any], services: Services) -> EvidenceRecord:
    try:
        return EvidenceRecord.model_validate(services.functions.call(name, event).get("details"))
    except (AuroraRestoreError, ValidationError) as error:
        logger().exception("the evidence could not be written")
        return EvidenceRecord(error=type(error).__name__)
