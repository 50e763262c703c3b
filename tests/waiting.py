"""Waiting for something to become true, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, *, seconds: float = 180.0, every: float = 0.1) -> T:
    """Look again and again (`every` so many seconds) until the answer is not an empty one; fails after `seconds`."""
    give_up = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(every)
