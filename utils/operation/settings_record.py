"""What became of the settings of a restored cluster."""

from pydantic import BaseModel, Field

from utils.cluster_settings.comparison import Comparison


class SettingsRecord(BaseModel):
    """What was asked for after the restore, and how it ended."""

    requested: dict[str, int] = Field(default_factory=dict, description="How often, by setting.")
    refused: dict[str, str] = Field(default_factory=dict, description="By setting, with AWS's words.")
    comparison: Comparison | None = Field(default=None, description="None until the restore is complete.")
