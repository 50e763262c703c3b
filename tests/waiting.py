"""Waiting for something to become true, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SHARE_OF_THE_WAIT, _LONGEST_PAUSE_SECONDS = 0.1, 1.0


def wait_for(look: Callable[[], T | None], what: str, *, seconds: float = 180.0, every: float = 0.1) -> T:
    """Look again and again until the answer is not an empty one; fails after `seconds`.

    At first `every` so many seconds; then less and less often, so that what takes long is not slowed down by the looks.
    """
    began = time.monotonic()
    while True:
        answer = look()
        if answer:
            return answer
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(max(every, min(waited * _SHARE_OF_THE_WAIT, _LONGEST_PAUSE_SECONDS)))
