"""The part of a request that says how fast and how fresh a restore is meant to be."""

from typing import Annotated

from pydantic import Field

from utils.strict_model import StrictModel

Hours = Annotated[float, Field(ge=0.001, le=1_000_000)]


class Objectives(StrictModel):
    """What the run is measured by; a run that misses them says so, and is not stopped for it."""

    rto_hours: Hours | None = Field(
        default=None, description="Recovery time objective: hours from picking the snapshot to open users."
    )
    rpo_hours: Hours | None = Field(
        default=None, description="Recovery point objective: hours that the data may be old when the run picks it."
    )
