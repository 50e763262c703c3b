"""Backup and maintenance windows: what RDS takes, what it picks, and when the next one begins."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from local_cloud.aurora.errors import invalid_value

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
SHORTEST_MINUTES = 30
# RDS picks within a block of 8 hours a Region
FIRST_HOUR, HOURS = 3, 8
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
BACKUP = re.compile(rf"({_TIME})-({_TIME})")
MAINTENANCE = re.compile(rf"({'|'.join(DAYS)}):({_TIME})-({'|'.join(DAYS)}):({_TIME})")


def windows(params: Mapping[str, Any], *, backup: str = "", maintenance: str = "") -> tuple[str, str]:
    """Return backup and maintenance window: those of the request, else those given, else RDS's pick.

    Raise InvalidParameterValue for windows that are malformed, too short or overlap.
    """
    wanted = params.get("PreferredBackupWindow", backup).lower()
    kept = params.get("PreferredMaintenanceWindow", maintenance).lower()
    for window, form in ((wanted, _minutes_of_backup), (kept, _minutes_of_maintenance)):
        if window:
            form(window)
    while not wanted:
        pick = picked_time()
        wanted = "" if kept and _overlap(pick, kept) else pick
    while not kept:
        pick = f"{secrets.choice(DAYS)}:{picked_time()}"
        day, start, end = pick[:3], pick[4:9], pick[10:]
        pick = f"{day}:{start}-{day}:{end}"
        kept = "" if _overlap(wanted, pick) else pick
    if _overlap(wanted, kept):
        raise invalid_value("The backup window and maintenance window must not overlap.")
    return wanted, kept


def maintenance_window(params: Mapping[str, Any], default: str, *, backup: str) -> str:
    """Return the maintenance window of an instance; raise as above."""
    return windows({**params, "PreferredBackupWindow": backup}, maintenance=default)[1]


def picked_time() -> str:
    """Return half an hour within the Region's block, such as 03:47-04:17."""
    start = FIRST_HOUR * 60 + secrets.randbelow(HOURS * 60 - SHORTEST_MINUTES)
    return f"{_clock(start)}-{_clock(start + SHORTEST_MINUTES)}"


def next_maintenance(window: str, now: datetime) -> datetime:
    """Return the next beginning of a weekly window such as sun:03:00-sun:03:30 (UTC)."""
    day, hour, minute = window[:3], int(window[4:6]), int(window[7:9])
    begins = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    begins += timedelta(days=(DAYS.index(day) - now.weekday()) % len(DAYS))
    return begins if begins > now else begins + timedelta(days=len(DAYS))


def _minutes_of_backup(window: str) -> set[int]:
    match = BACKUP.fullmatch(window)
    if match is None:
        raise invalid_value(
            f"Invalid backup window format: {window}. Should be specified as a range hh24:mi-hh24:mi "
            "(24H Clock UTC). Example: 03:15-03:45"
        )
    start, end = (_minute(time) for time in match.groups())
    return _minutes(start, (end - start) % DAY_MINUTES, "backup")


def _minutes_of_maintenance(window: str) -> set[int]:
    match = MAINTENANCE.fullmatch(window)
    if match is None:
        raise invalid_value(
            f"Invalid maintenance window format: {window}. Should be specified as a range "
            "ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). Example: Sun:23:45-Mon:00:15"
        )
    first, start, last, end = match.groups()
    days = (DAYS.index(last) - DAYS.index(first)) % len(DAYS)
    return _minutes(_minute(start), days * DAY_MINUTES + _minute(end) - _minute(start), "maintenance")


def _minutes(start: int, length: int, kind: str) -> set[int]:
    if not SHORTEST_MINUTES <= length < DAY_MINUTES:
        raise invalid_value(
            f"The {kind} window must be at least {SHORTEST_MINUTES} minutes and less than 24 hours long."
        )
    return {minute % DAY_MINUTES for minute in range(start, start + length)}


def _overlap(backup: str, maintenance: str) -> bool:
    return bool(_minutes_of_backup(backup) & _minutes_of_maintenance(maintenance))


def _minute(time: str) -> int:
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
