"""The simulated clock: starts at the real time and runs faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


class ScaledClock:
    """A clock on which `speed` seconds pass in one real second."""

    def __init__(self, speed: float, real_time: Callable[[], float] = time.time) -> None:
        if speed <= 0:
            raise ValueError(f"speed: found {speed}, expected a number greater than 0")
        self.speed = speed
        self._real_time = real_time
        self._start = real_time()
        self._skipped = 0.0
        self._stretches = [(self._start, self._start)]

    def now(self) -> datetime:
        """Return the simulated time (UTC)."""
        elapsed = (self._real_time() - self._start) * self.speed + self._skipped
        return datetime.fromtimestamp(self._start + elapsed, UTC)

    def after(self, seconds: float) -> datetime:
        """Return the simulated time `seconds` simulated seconds from now."""
        return self.now() + timedelta(seconds=seconds)

    def real_seconds_until(self, moment: datetime) -> float:
        """Return how many real seconds remain until a simulated moment (0 if it is past)."""
        return max(0.0, (moment - self.now()).total_seconds() / self.speed)

    def skip(self, seconds: float) -> None:
        """Jump forward by `seconds` simulated seconds."""
        self._skipped += seconds
        self._stretches.append((self.now().timestamp(), self._real_time()))

    def real_time_of(self, moment: datetime) -> datetime:
        """Return when it was, or will be, this simulated time; of a moment that was skipped, when it was skipped."""
        ends = [real for _, real in self._stretches[1:]] + [float("inf")]
        found = self._start
        for (simulated, real), end in zip(self._stretches, ends, strict=True):
            if moment.timestamp() >= simulated:
                found = min(real + (moment.timestamp() - simulated) / self.speed, end)
        return datetime.fromtimestamp(found, UTC)

    def http_date(self) -> str:
        """Return the simulated time as an HTTP Date header."""
        return format_datetime(self.now(), usegmt=True)
