"""Things that take time on the simulated clock."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from local_cloud.aurora.clock import ScaledClock

Action = Callable[[], None]
WORKERS = 4
LONGEST_SLEEP_SECONDS = 1.0
logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class Task:
    """Something under way: real work at once, more real work when the time has come, then the end.

    work and closing run in a worker thread, finish and failed under the timeline's lock.
    """

    subject: str
    start: datetime
    due: datetime
    finish: Action
    failed: Callable[[BaseException], None]
    closing: Action | None = None
    work: Future[None] | None = None
    frozen_at: datetime | None = None

    def percent(self, now: datetime) -> int:
        """Return the progress by the clock, at most 99: the end says itself when it is reached."""
        moment = self.frozen_at or now
        length = (self.due - self.start).total_seconds()
        share = (moment - self.start).total_seconds() / length if length > 0 else 1.0
        return max(0, min(99, int(share * 100)))


class Timeline:
    """Runs tasks when they are due, one end at a time, under one lock that guards all state."""

    def __init__(self, clock: ScaledClock) -> None:
        self._clock = clock
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._tasks: list[Task] = []
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="local-aurora")
        self._thread = threading.Thread(target=self._run, name="local-aurora-timeline", daemon=True)
        self._stopped = False

    def start(self) -> None:
        """Begin to run tasks."""
        self._thread.start()

    def stop(self) -> None:
        """End after the work under way; what is not due yet never happens."""
        with self._changed:
            self._stopped = True
            self._tasks.clear()
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, task: Task, work: Action | None = None) -> Task:
        """Start a task."""
        with self._changed:
            if work:
                self._submit(task, work)
            self._tasks.append(task)
            self._changed.notify_all()
        return task

    def run(self, work: Action) -> None:
        """Do real work that nobody waits for; a failure is logged."""

        def logged(done: Future[None]) -> None:
            if error := done.exception():
                logger.error("work in the background failed: %s", error)

        self._pool.submit(work).add_done_callback(logged)

    def cancel(self, task: Task) -> None:
        """Forget a task; work under way runs to its end without a consequence."""
        with self._changed, contextlib.suppress(ValueError):
            self._tasks.remove(task)

    def release(self, subject: str | None = None) -> int:
        """Let frozen tasks (of one subject, or all) go on and return how many there were."""
        with self._changed:
            frozen = [task for task in self._tasks if task.frozen_at and subject in (None, task.subject)]
            for task in frozen:
                self._thaw(task)
            self._changed.notify_all()
        return len(frozen)

    def wake(self) -> None:
        """Look again at what is due (the clock was moved)."""
        with self._changed:
            self._changed.notify_all()

    def _thaw(self, task: Task) -> None:
        if task.frozen_at:
            pause: timedelta = self._clock.now() - task.frozen_at
            task.start += pause
            task.due += pause
            task.frozen_at = None

    def _submit(self, task: Task, work: Action) -> None:
        task.work = self._pool.submit(work)
        task.work.add_done_callback(lambda _: self.wake())

    def _run(self) -> None:
        with self._changed:
            while not self._stopped:
                ready = next((task for task in self._tasks if self._is_ready(task)), None)
                if ready:
                    self._advance(ready)
                else:
                    self._changed.wait(self._seconds_to_sleep())

    def _is_ready(self, task: Task) -> bool:
        if task.frozen_at:
            return False
        return task.due <= self._clock.now() and (task.work is None or task.work.done())

    def _seconds_to_sleep(self) -> float:
        waits = [
            self._clock.real_seconds_until(task.due)
            for task in self._tasks
            if not task.frozen_at and task.due > self._clock.now()
        ]
        return min([*waits, LONGEST_SLEEP_SECONDS])

    def _advance(self, task: Task) -> None:
        error = task.work.exception() if task.work else None
        if error is None and task.closing:
            closing, task.closing = task.closing, None
            self._submit(task, closing)
            return
        self._tasks.remove(task)
        if error is None:
            try:
                task.finish()
            except Exception as surprise:  # one broken end must not stop all others
                logger.exception("%s: its end failed", task.subject)
                error = surprise
        if error is not None:
            logger.error("%s failed: %s", task.subject, error)
            task.failed(error)
