"""The kinds of faults, and what AWS's services say for each."""

from dataclasses import dataclass
from typing import Any

# The SDK's attempts at one call: the product says it in utils/aws/clients.py.
SDK_ATTEMPTS = 4
_THROTTLED = {
    "rds": ("Throttling", 400),
    "sns": ("Throttling", 400),
    "s3": ("SlowDown", 503),
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
}
_DENIED = {
    "rds": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "s3": ("AccessDenied", 403),
}
_BROKEN = {"dynamodb": ("InternalServerError", 500), "s3": ("InternalError", 500)}


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    is_permanent: trying again does not help, so that the run has to stop. is_absorbed: the SDK tries again, so that the
    step does not even notice. is_slow: the run mostly waits.
    """

    name: str
    is_permanent: bool = False
    is_absorbed: bool = False
    is_slow: bool = False

    @property
    def kills(self) -> bool:
        """Whether the function's process ends, so that it can no longer tell anybody."""
        return self.name in {"killed", "sql-kill"}

    def at(self, call: str) -> dict[str, Any]:
        """Return the hop's words for it."""
        service = call.partition(":")[0]
        code, http_status = self._refusal(service)
        how = {"reset": "reset", "timeout": "hang", "killed": "kill", "twice": "twice"}.get(self.name, "refuse")
        attempts = SDK_ATTEMPTS if self.name.endswith("-until-given-up") else 1
        return {"kind": how, "attempts": attempts, "code": code, "http_status": http_status}

    def _refusal(self, service: str) -> tuple[str, int]:
        if self.name.startswith("throttled"):
            return _THROTTLED.get(service, ("ThrottlingException", 400))
        if self.name == "unavailable-until-given-up":
            return ("ServiceUnavailable", 503)
        if self.name == "denied":
            return _DENIED.get(service, ("AccessDeniedException", 400))
        return _BROKEN.get(service, ("InternalFailure", 500))


KINDS = (
    Kind("killed"),  # the function's process gets SIGKILL right after the call took effect
    Kind("twice"),  # the whole step runs once more between the call and its answer
    Kind("reset", is_absorbed=True),  # the call took effect, the connection is reset instead of an answer
    Kind("denied", is_permanent=True),
    Kind("throttled-until-given-up"),  # all four attempts of the SDK: the state machine has to try again
    Kind("unavailable-until-given-up"),
    Kind("throttled", is_absorbed=True),  # once: the SDK tries again
    Kind("unavailable", is_absorbed=True),
    Kind("timeout", is_slow=True),  # the call took effect, the answer never comes: the client's read time-out ends it
)


SQL_KINDS = (
    Kind("sql-kill"),  # the server executed it, the function's process gets SIGKILL
    Kind("sql-twice"),  # the server executed it, the whole step runs once more before the answer
    Kind("sql-drop-after"),  # the server executed it, the connection is reset instead of an answer
    Kind("sql-drop"),  # the connection is reset before the server saw it
    Kind("sql-error"),  # SQLSTATE 57P01: the server is shut down
    Kind("sql-denied", is_permanent=True),  # SQLSTATE 42501: the master may not
)
