"""Faults that wait for one call of one invocation."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from local_cloud.hop.invocations import Invocation

KINDS = {
    "refuse": "the call is answered with `code` and has no effect",
    "reset": "the call has its effect, the connection is reset instead of an answer",
    "hang": "the call has its effect, the answer never comes",
    "kill": "the call has its effect, the function's process is killed",
    "twice": "the call has its effect, and before its answer the function runs once more, from beginning to end",
}


@dataclass(kw_only=True)
class HopFault:
    """One thing that is to go wrong.

    path: the calls of the invocation up to and with the one that is hit. event_keys: the fields of its event, None for
    any. after: the fields of an earlier invocation's event, before which nothing is hit. occurrence: which of the
    operation's invocations of this function that get there. attempts: how many attempts of the SDK at this call are
    hit. hits: how often it happened.
    """

    kind: str
    operation_id: str
    function: str
    path: list[str]
    event_keys: list[str] | None = None
    after: list[str] | None = None
    occurrence: int = 1
    attempts: int = 1
    code: str = ""
    message: str = "A fault was asked for."
    http_status: int = 400
    hits: int = 0
    fault_id: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: found {self.kind!r}, expected one of {', '.join(KINDS)}")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> HopFault:
        """Return the fault that a JSON object describes."""
        unknown = sorted(set(document) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"found {unknown}, expected any of {sorted(item.name for item in fields(cls))}")
        return cls(**document)


class HopFaults:
    """The faults asked for; a fault hits one call of one invocation, then only that call's further attempts."""

    def __init__(self) -> None:
        self._by_operation: defaultdict[str, list[HopFault]] = defaultdict(list)
        self._ids = itertools.count(1)
        self._hit: dict[int, Invocation] = {}
        self._lock = threading.Lock()

    def add(self, fault: HopFault) -> int:
        """Let a fault wait and return its id."""
        with self._lock:
            fault.fault_id = next(self._ids)
            self._by_operation[fault.operation_id].append(fault)
            return fault.fault_id

    def of_operation(self, operation_id: str) -> list[HopFault]:
        """Return the faults of an operation, with their hits."""
        with self._lock:
            return list(self._by_operation.get(operation_id, ()))

    def take(self, invocation: Invocation) -> HopFault | None:
        """Return the fault that hits the latest attempt of the invocation's latest call."""
        with self._lock:
            waiting = self._by_operation.get(invocation.operation_id, ())
            return next((fault for fault in waiting if self._hits(fault, invocation)), None)

    def _hits(self, fault: HopFault, invocation: Invocation) -> bool:
        if fault.function != invocation.function:
            return False
        if fault.event_keys not in (None, invocation.event_keys):
            return False
        if fault.after is not None and fault.after not in invocation.before:
            return False
        if fault.path != invocation.path or invocation.attempt > fault.attempts:
            return False
        if id(fault) in self._hit:
            fault.hits += self._hit[id(fault)] is invocation
            return self._hit[id(fault)] is invocation
        if invocation.attempt != 1:
            return False
        fault.occurrence -= 1
        if fault.occurrence:
            return False
        self._hit[id(fault)] = invocation
        fault.hits += 1
        return True
