"""What of a request says how long its cluster is wanted, and the request that changes that for one already restored."""

import re
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from utils.errors import InvalidRequest
from utils.identifiers import OPERATION_ID_PATTERN
from utils.request.fields import LEAST_HOURS, Hours
from utils.strict_model import StrictModel

AFTERWARDS_OF = "afterwards_of"  # the field by which a request changes what becomes of an earlier run's cluster
STOP: Literal["stop"] = "stop"
DELETE: Literal["delete"] = "delete"


class Afterwards(StrictModel):
    """What becomes of the restored cluster, which is for ever when this is left out."""

    action: Literal["stop", "delete"] = Field(
        description="`stop` or `delete` the restored cluster, and nothing that this run did not make."
    )
    after_hours: Hours = Field(
        description="Hours after the run that it stays as it is. `delete` after 0 hours is a drill: the cluster gets a "
        "name of its own, the target stays untouched, and whatever the run made is removed, after a failure as well."
    )

    @property
    def is_drill(self) -> bool:
        """Whether nothing but the evidence is to stay."""
        return self.action == DELETE and self.after_hours == 0


class AfterwardsChange(StrictModel):
    """A change of what becomes of the cluster of a run that has ended: one of both."""

    afterwards_of: Annotated[str, Field(pattern=OPERATION_ID_PATTERN)]
    postpone_hours: Annotated[float, Field(ge=LEAST_HOURS, le=8000)] | None = None
    cancel: Literal[True] | None = None


def parse_afterwards_change(raw: object) -> AfterwardsChange | None:
    """Return the change that a request asks for, None for a request of its own; raises `InvalidRequest`."""
    if not isinstance(raw, dict) or AFTERWARDS_OF not in raw:
        return None
    try:
        change = AfterwardsChange.model_validate(raw)
    except (ValidationError, RecursionError):
        change = None
    if change is None or (change.postpone_hours is None) == (change.cancel is None):
        raise InvalidRequest(
            f"the fields {', '.join(sorted(re.sub(r'[^a-z_]', '?', str(name)[:40]) for name in list(raw)[:10]))}",
            field=AFTERWARDS_OF,
            expected=f'{{"{AFTERWARDS_OF}": "<operation_id>", "postpone_hours": <0.001 to 8000>}}, or "cancel": true '
            "in place of the hours",
            action="correct it; nothing was changed",
        )
    return change
