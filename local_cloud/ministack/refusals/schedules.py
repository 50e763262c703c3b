"""Schedules: the form of an expression.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

_FIELDS_OF_CRON = r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)"
_RATE = r"rate\([1-9]\d* (?:minutes?|hours?|days?)\)"
_MOMENT = r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
_EXPRESSION = re.compile("|".join((_FIELDS_OF_CRON, _RATE, _MOMENT)))


def install() -> None:
    """Refuse an expression that is neither a cron, a rate nor a moment."""
    schedules = ministack_modules.service("scheduler")

    def judged(change: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
        def change_if_well_formed(name: str, body: Any) -> Any:
            expression = str(body.get("ScheduleExpression", ""))
            if expression and not _EXPRESSION.fullmatch(expression):
                return schedules._error(400, "ValidationException", f"Invalid Schedule Expression {expression}.")
            return change(name, body)

        return change_if_well_formed

    schedules._create_schedule = judged(schedules._create_schedule)
    schedules._update_schedule = judged(schedules._update_schedule)
