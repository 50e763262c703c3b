"""The last known settings of a target, kept apart from any run: the shape of the environment survives every failure."""

from datetime import datetime

from pydantic import BaseModel, Field

from utils.cluster_settings.model import TargetSettings


class TargetRecord(BaseModel):
    """Row `target#<region>#<cluster_id>` of the state table, which never lapses; settings only, no secret."""

    region: str
    cluster_id: str
    settings: TargetSettings
    read_at: datetime
    operation_id: str = Field(description="The operation that wrote it.")
    of_success: bool = Field(description="Written after that run succeeded; else before it destroyed anything.")

    def __str__(self) -> str:
        """Say what it is in a few words."""
        when = "after" if self.of_success else "before the deletion of"
        return f"written {self.read_at:%Y-%m-%d %H:%M} UTC {when} operation {self.operation_id}"
