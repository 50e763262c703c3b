"""What Step Functions caught, as the pipeline tells it: by name, and in words only where they are its own."""

import json
import re
from typing import Any

from utils import errors
from utils.errors import AuroraRestoreError, RetryableError
from utils.operation.records import OperationError

_LONGEST_MESSAGE = 2000
# What a retryable error says while it is tried again is not so any more once it has ended the run.
_AGAIN = re.compile(r"(?<=what to do: )nothing, the step is tried again(?: for a while| with the new row)?")
_NO_MORE = "it was tried again until no tries were left: find out what lasts"


def caught_error(caught: dict[str, Any] | None, step: str) -> OperationError | None:
    """Return what `$states.errorOutput` says, with the step that failed; None where nothing was caught."""
    if caught is None:
        return None
    name, cause = str(caught.get("Error", "Unknown")), str(caught.get("Cause", ""))
    return OperationError(name=name, message=_message(name, cause), step=step)


def as_caught(error: OperationError) -> dict[str, Any]:
    """Return an error and its step as the state machine hands them on."""
    cause = json.dumps({"errorType": error.name, "errorMessage": error.message})
    return {"error": {"Error": error.name, "Cause": cause}, "failed_step": error.step}


def _message(name: str, cause: str) -> str:
    known = getattr(errors, name, None)
    if not (isinstance(known, type) and issubclass(known, AuroraRestoreError)):
        # The text of an error that is not ours may hold anything; the function's log has it.
        return f"{name}, an error the pipeline does not know; what to do: read the log of the step's function"
    try:
        said = str(json.loads(cause)["errorMessage"])[:_LONGEST_MESSAGE]
        return _AGAIN.sub(_NO_MORE, said) if issubclass(known, RetryableError) else said
    except (json.JSONDecodeError, KeyError, TypeError):
        return cause[:_LONGEST_MESSAGE]
