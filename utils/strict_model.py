"""What every model is based on whose words people write and a row keeps."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Takes no unknown field and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
