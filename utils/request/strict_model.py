"""What every model of a request is based on."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Takes no unknown field and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
