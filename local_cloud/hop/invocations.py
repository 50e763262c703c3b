"""The invocations of functions under way, by the trace id that their AWS calls carry."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, kw_only=True)
class Invocation:
    """One invocation of a function; `path` holds the calls that it made so far, an SDK's own retries once.

    before: the fields of the events with which the operation's earlier invocations began.
    """

    function: str
    operation_id: str
    event: Any
    kill: Callable[[], None]
    before: list[list[str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    last_sdk_call: str = ""
    attempt: int = 0

    @property
    def event_keys(self) -> list[str]:
        """The names of the event's fields: a function may be asked for more than one thing."""
        return sorted(self.event) if isinstance(self.event, dict) else []

    def count(self, name: str, sdk_call: str) -> None:
        """Take a request into account; another attempt of the same call is the same call."""
        if sdk_call == self.last_sdk_call:
            self.attempt += 1
            return
        self.last_sdk_call, self.attempt = sdk_call, 1
        self.path.append(name)


class Invocations:
    """Every invocation since the cloud started; those under way can be found by their trace."""

    def __init__(self) -> None:
        self._under_way: dict[str, Invocation] = {}
        self._by_operation: defaultdict[str, list[Invocation]] = defaultdict(list)
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def begun(self, function: str, event: Any, kill: Callable[[], None]) -> Iterator[str]:
        """Register an invocation while it runs; gives the value of its trace header."""
        invocation = Invocation(function=function, operation_id=_operation_of(event), event=event, kill=kill)
        root = f"1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}"
        with self._lock:
            earlier = self._by_operation[invocation.operation_id]
            invocation.before = [item.event_keys for item in earlier]
            self._under_way[root] = invocation
            earlier.append(invocation)
        try:
            yield f"Root={root};Parent={uuid.uuid4().hex[:16]};Sampled=0"
        finally:
            with self._lock:
                del self._under_way[root]

    def of(self, trace: str) -> Invocation | None:
        """Return the invocation that sends this trace, None for somebody else's."""
        with self._lock:
            return self._under_way.get(trace)

    def at_work_on(self, operation_id: str) -> Invocation:
        """Return the newest invocation under way for an operation; raises LookupError if there is none."""
        with self._lock:
            found = [item for item in self._under_way.values() if item.operation_id == operation_id]
        if not found:
            raise LookupError(f"no function is under way for operation {operation_id}")
        return found[-1]

    def of_operation(self, operation_id: str) -> list[Invocation]:
        """Return the invocations of an operation, oldest first."""
        with self._lock:
            return list(self._by_operation.get(operation_id, ()))


def _operation_of(event: Any) -> str:
    """Return the operation that an event names; EventBridge tells of the end of the execution that has its name."""
    if not isinstance(event, dict):
        return ""
    detail = event.get("detail")
    name = detail.get("name", "") if isinstance(detail, dict) else ""
    return str(event.get("operation_id", name))
