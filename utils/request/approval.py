"""The part of a request that is about who lets it change something."""

from typing import Annotated

from pydantic import Field

from utils.strict_model import StrictModel


class Approval(StrictModel):
    """A person approves the plan before anything is changed, with `./restore.sh approve`."""

    timeout_hours: Annotated[float, Field(ge=0.001, le=96)] = Field(
        default=24.0, description="Hours to wait for an answer; then the run ends and has changed nothing."
    )

    @property
    def seconds(self) -> int:
        """The same in whole seconds."""
        return max(1, round(self.timeout_hours * 3600))
