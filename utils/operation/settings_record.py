"""What became of the settings of a restored cluster."""

from pydantic import BaseModel, Field

from utils.cluster_settings.comparison import Comparison

_LONGEST_REFUSAL = 400  # characters


class SettingsRecord(BaseModel):
    """What was asked for after the restore, and how it ended."""

    requested: dict[str, int] = Field(default_factory=dict, description="How often, by setting.")
    refused: dict[str, str] = Field(default_factory=dict, description="By setting, with AWS's words.")
    comparison: Comparison | None = Field(default=None, description="None until the restore is complete.")

    def keep_refusal(self, setting: str, refused: Exception) -> None:
        """Keep that AWS refused a setting for good."""
        self.refused[setting] = str(refused)[:_LONGEST_REFUSAL]
