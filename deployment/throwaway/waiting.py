"""Waiting for AWS: looking again, soon at first and then less often."""

import time
from collections.abc import Callable
from typing import Any

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_GROWTH = 1.15


class NotReached(Exception):
    """What was waited for did not come; the message says what and how long."""


def until(look: Callable[[], Any], what: str, *, minutes: float, minute: float = 60.0) -> Any:
    """Look until there is an answer that is not empty; raises `NotReached`.

    minute: real seconds that a minute lasts at most.
    """
    end, pause = time.monotonic() + minutes * minute, _FIRST_PAUSE_SECONDS
    while not (answer := look()):
        if time.monotonic() > end:
            raise NotReached(f"waited {minutes:g} minutes for {what}")
        time.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
    return answer
