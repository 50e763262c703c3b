"""What became of a restored cluster: of its settings, and of itself."""

from datetime import datetime
from typing import Literal

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


class AfterwardsRecord(BaseModel):
    """What is done with the cluster that an operation restored; times by RDS's clock."""

    action: Literal["stop", "delete"]
    is_drill: bool = Field(default=False, description="Whatever the operation made goes, also after its failure.")
    due_at: datetime | None = Field(default=None, description="None: once the operation has ended.")
    unclosed_since: datetime | None = Field(default=None, description="The run was over; its row did not say so.")
    absent_since: datetime | None = Field(default=None, description="RDS showed nothing of it from here on.")
    standing: list[str] = Field(default_factory=list, description="What of it stood at the last look.")
    removed: list[str] = []
    ended: str = Field(default="", description="Why nothing was done, or was left to do.")
