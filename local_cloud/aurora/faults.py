"""Faults on demand: what a test or a curious user wants to go wrong."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from local_cloud.aurora.errors import invalid_value
from local_cloud.aurora.postgres.proxy.doorkeeper import RoundTrip

KINDS = {
    "error": "the call is answered with `code` and has no effect",
    "error-after": "the call has its effect and is answered with `code`",
    "drop": "the connection is closed without an answer, no effect",
    "drop-after": "the call has its effect, the connection is closed without an answer",
    "end-in": "what the call starts ends in `status` instead of its good end",
    "freeze": "what the call starts makes no progress until it is released",
    "hide": "the describing call does not find what is there, as RDS may right after a change",
    "show": "the describing call shows `status`: an old one, one that goes back, one that nobody knows",
    "stale-certificate": "after the rename the door shows the old name's certificate until the cluster was stopped",
    "add-member": "before the call has its effect, autoscaling adds a member without tags to its cluster",
    "add-tagged-member": "the same, and somebody's automation has given the member the cluster's tags",
}
SQL_KINDS = {
    "sql-drop": "the connection breaks off before the server sees the statement",
    "sql-drop-after": "the server has executed the statement, the connection breaks off without its answer",
    "sql-delay": "the statement reaches the server `seconds` (real ones) later",
    "sql-error": "the statement is answered with the SQLSTATE `code`; class 08 and 57P end the connection",
    "sql-kill": "the server has executed the statement, the function that works on `operation_id` is killed",
    "sql-twice": "the same, but the function runs once more, from beginning to end, before the statement's answer",
}
FUNCTION_KINDS = ("sql-kill", "sql-twice")
ALL_KINDS = KINDS | SQL_KINDS
SQLSTATE = re.compile(r"[0-9A-Z]{5}")
DESCRIPTIONS = ("DescribeDBClusters", "DescribeDBInstances", "DescribeDBClusterSnapshots")


@dataclass(kw_only=True)
class Fault:
    """One thing that is to go wrong in a call, or in a statement that reaches a cluster's door.

    operation: pattern (fnmatch) for the RDS operation; for a statement its first words, or LOGIN.
    identifier: pattern for the main identifier; for a statement the cluster's. user: pattern for a statement's user.
    skip: calls that match but are let through first. times: how many calls it hits; 0 means all.
    path: the kinds of statements of its transaction up to and with it; None for any. application_name: pattern for its
    session's. operation_id: whose function is killed, or runs once more.
    """

    kind: str
    operation: str = "*"
    identifier: str = "*"
    skip: int = 0
    times: int = 1
    code: str = "InternalFailure"
    message: str = "A fault was asked for."
    http_status: int = 400
    status: str = "failed"
    user: str = "*"
    path: list[str] | None = None
    application_name: str = "*"
    seconds: float = 0.0
    operation_id: str = ""
    fault_id: int = field(default=0)

    def __post_init__(self) -> None:
        if self.kind not in ALL_KINDS:
            raise invalid_value(f"kind: found {self.kind!r}, expected one of {', '.join(ALL_KINDS)}")
        if self.kind == "sql-error" and not SQLSTATE.fullmatch(self.code):
            raise invalid_value(f"code: found {self.code!r}, expected a SQLSTATE such as 40001")
        if self.kind in FUNCTION_KINDS and not self.operation_id:
            raise invalid_value("operation_id: found nothing, expected the operation whose function it is about")
        if self.kind in {"hide", "show"} and self.operation not in DESCRIPTIONS:
            raise invalid_value(f"operation: found {self.operation!r}, expected one of {', '.join(DESCRIPTIONS)}")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Fault:
        """Return the fault a JSON object describes."""
        known = {item.name for item in fields(cls)} - {"fault_id"}
        unknown = sorted(set(document) - known)
        if unknown or "kind" not in document:
            raise invalid_value(f"found {sorted(document)}, expected kind and any of {sorted(known)}")
        return cls(**document)


class Faults:
    """The faults that wait for their call; one call is hit by at most one fault, the oldest that matches."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> int:
        """Let a fault wait for its call and return its id."""
        with self._lock:
            fault.fault_id = next(self._ids)
            self._waiting.append(fault)
            return fault.fault_id

    def clear(self, fault_ids: Collection[int] | None = None) -> None:
        """Forget these faults, or all."""
        with self._lock:
            self._waiting = [item for item in self._waiting if fault_ids is not None and item.fault_id not in fault_ids]

    def waiting(self) -> list[Fault]:
        """Return the faults that still wait."""
        with self._lock:
            return list(self._waiting)

    def take(self, operation: str, identifier: str) -> Fault | None:
        """Return the fault that hits this call and count it down."""
        return self._take(
            lambda fault: (
                fault.kind in KINDS
                and fnmatchcase(operation, fault.operation)
                and fnmatchcase(identifier, fault.identifier)
            )
        )

    def take_sql(self, round_trip: RoundTrip, cluster: str) -> Fault | None:
        """Return the fault that hits this statement and count it down."""
        return self._take(
            lambda fault: (
                fault.kind in SQL_KINDS
                and fnmatchcase(round_trip.statement, fault.operation)
                and fnmatchcase(cluster, fault.identifier)
                and fnmatchcase(round_trip.user, fault.user)
                and fnmatchcase(round_trip.application_name, fault.application_name)
                and fault.path in (None, list(round_trip.path))
            )
        )

    def _take(self, hits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if not hits(fault):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times == 1:
                    self._waiting.remove(fault)
                elif fault.times:
                    fault.times -= 1
                return fault
        return None
