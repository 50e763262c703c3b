"""What of a request says where the data come from."""

import re
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from utils.request.fields import AccountId, Identifier, Region, SnapshotName
from utils.restore_type import RestoreType
from utils.strict_model import StrictModel

LATEST, NEW = "latest", "new"


_DAY, _TIME_OF_DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_RESTORE_TIME = re.compile(rf"{_DAY}T{_TIME_OF_DAY}(Z|[+-][0-9]{{2}}:[0-9]{{2}})")


def _restore_time(value: str) -> str:
    is_time = _RESTORE_TIME.fullmatch(value) is not None
    if is_time:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            is_time = False
    if value != LATEST and not is_time:
        raise ValueError("'latest', or a time with its zone such as 2026-11-26T09:30:00Z")
    return value


class Source(StrictModel):
    """What is restored."""

    cluster_id: Identifier = Field(description="Source cluster. Stack parameter `SourceClusterId` when left out.")
    region: Region = Field(description="Region of the source snapshot. Stack parameter `SourceRegion` when left out.")
    account_id: AccountId | None = Field(
        default=None,
        description="Account that owns the source snapshot, when it is shared from another account.",
    )
    snapshot: SnapshotName = Field(
        default=LATEST,
        description="`latest` (newest available), `new` (one is taken first, where the stack's `NewSnapshotSources` "
        "names the cluster), a snapshot identifier, or a snapshot ARN.",
    )
    restore_time: Annotated[str, AfterValidator(_restore_time)] | None = Field(
        default=None,
        description="Restore the source cluster as of this time instead of a snapshot: `latest`, or a time with its "
        "zone such as `2026-11-26T09:30:00Z`. In the target's Region and account only.",
    )
    fast_clone: bool = Field(
        default=False,
        description="Clone the source cluster as it is (copy-on-write, minutes for any size) instead of restoring a "
        "snapshot. In the target's Region and account only.",
    )
    max_age_hours: Annotated[float, Field(ge=0.001, le=1_000_000)] | None = Field(
        default=48.0,
        description="Refuse a snapshot, or a `restore_time`, older than this many hours; `null` takes any age.",
    )

    @model_validator(mode="after")
    def _is_one_source(self) -> Self:
        if self.snapshot != LATEST and self.restore_type is not RestoreType.SNAPSHOT:
            raise ValueError("either snapshot, or restore_time or fast_clone: the last two restore no snapshot")
        if self.fast_clone and self.restore_time not in (None, LATEST):
            raise ValueError("fast_clone without a restore_time: a clone is as its source is; a full copy takes a time")
        return self

    @property
    def restore_type(self) -> RestoreType:
        """In which way the data come."""
        if self.fast_clone:
            return RestoreType.COPY_ON_WRITE
        return RestoreType.SNAPSHOT if self.restore_time is None else RestoreType.FULL_COPY

    @property
    def restore_to(self) -> datetime | None:
        """The moment that is asked for; None: the latest there is."""
        if self.restore_time in (None, LATEST):
            return None
        return datetime.fromisoformat(str(self.restore_time)).astimezone(UTC)
