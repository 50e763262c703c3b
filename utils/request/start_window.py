"""The hours within which a run may start: a late or mistaken start does not replace a cluster that people work with."""

from datetime import datetime, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from utils.errors import OutsideStartWindow
from utils.request.fields import matching
from utils.strict_model import StrictModel


def is_time_zone(value: str) -> bool:
    """Whether there is a time zone of this name, such as `Europe/Berlin`."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is no zone, nor is a long name
        return False
    return True


def _time_zone(value: str) -> str:
    if not is_time_zone(value):
        raise ValueError("a time zone such as UTC or Europe/Berlin")
    return value


_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
TimeOfDay = Annotated[
    str, matching(_TIME_OF_DAY, "a time of day such as 22:00"), Field(json_schema_extra={"pattern": _TIME_OF_DAY})
]


class StartWindow(StrictModel):
    """Hours of the day, over midnight if `closes` is earlier than `opens`."""

    opens: TimeOfDay = Field(description="First minute at which a run may start, such as `22:00`.")
    closes: TimeOfDay = Field(description="First minute at which it may not any more; earlier than `opens`: next day.")
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC", description="Time zone of both, such as `Europe/Berlin`."
    )

    @model_validator(mode="after")
    def _is_open_at_times(self) -> Self:
        if self.opens == self.closes:
            raise ValueError("a window that opens and closes at different times")
        return self

    def is_open(self, now: datetime) -> bool:
        """Tell whether a run may start now."""
        local = self._local(now)
        opens, closes = time.fromisoformat(self.opens), time.fromisoformat(self.closes)
        return opens <= local < closes if opens < closes else local >= opens or local < closes

    def in_words(self, now: datetime) -> str:
        """Say when the window is, and what time it is there."""
        return f"from {self.opens} to {self.closes} {self.time_zone}, where it is {self._local(now):%H:%M} now"

    def _local(self, now: datetime) -> time:
        return now.astimezone(ZoneInfo(self.time_zone)).time()


def check_start_window(window: StartWindow | None, now: datetime) -> None:
    """Refuse a start outside the window; raises `OutsideStartWindow`."""
    if window is not None and not window.is_open(now):
        raise OutsideStartWindow(
            f"a start outside the window {window.in_words(now)}",
            field="start_window",
            expected="a start within it",
            action='start it then, or now with "start_window": null; nothing was changed',
        )
