"""The cases: every call that the sharing state machine makes in a night, with everything that may become of it."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.sharing.production import SHARED
from tests.integration.stage.outcome import ApiCall

FOR_GOOD = 0  # a fault's number of times: all
IN_THE_SAMPLE = 8
COPY, SHARE, REMOVE = "CopyDBClusterSnapshot", "ModifyDBClusterSnapshotAttribute", "DeleteDBClusterSnapshot"
LOOK = "DescribeDBClusterSnapshots"
_MAIN = {COPY: "SourceDBClusterSnapshotIdentifier"}
_NOT_FOUND = {"code": "DBClusterSnapshotNotFoundFault", "http_status": 404}
_WRONG_STATE = {"code": "InvalidDBClusterSnapshotStateFault"}


@dataclass(frozen=True)
class Call:
    """A call of a night: its operation, the pattern of what it names, and which of these in that night (from 0)."""

    operation: str
    identifier: str
    place: int

    @property
    def name(self) -> str:
        """What a case's id says of it."""
        what = {"": "all", f"{SHARED}*": "own"}.get(self.identifier, "automated")
        return f"{self.operation}/{what}-{self.place + 1}"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What becomes of a call.

    of: the operations that it may happen to, none for any; looks_by_name: also of those, only a look at one snapshot.
    passes: that night shares nevertheless. says: what the failed execution has in its error or cause. stops: somebody
    stops the execution there. is_slow: the time limit of the state machine has to come.
    """

    name: str
    fault: dict[str, Any] = field(default_factory=dict)
    of: tuple[str, ...] = ()
    passes: bool = False
    says: str = ""
    stops: bool = False
    is_slow: bool = False

    def may_happen_to(self, call: Call) -> bool:
        """Whether RDS would ever answer this call so."""
        if self.of and call.operation not in self.of:
            return False
        return not (self.fault.get("code") == _NOT_FOUND["code"] and call.identifier == "")


_THROTTLED = {"kind": "error", "code": "Throttling"}
_UNAVAILABLE = {"kind": "error", "code": "ServiceUnavailable", "http_status": 503}
_BROKEN = {"kind": "error", "code": "InternalFailure", "http_status": 500}
_DENIED = {"kind": "error", "code": "AccessDenied", "http_status": 403, "message": "is not authorized to perform"}
_ALL = {"times": FOR_GOOD}
KINDS = (
    Kind(name="throttled", fault=_THROTTLED, passes=True),
    Kind(name="unavailable", fault=_UNAVAILABLE, passes=True),
    Kind(name="broken-after", fault=_BROKEN | {"kind": "error-after"}, passes=True),
    Kind(name="cut-off", fault={"kind": "drop"}, passes=True),
    Kind(name="answer-lost", fault={"kind": "drop-after"}, passes=True),
    Kind(name="denied-once", fault=_DENIED, passes=True),
    Kind(name="not-shown-yet", fault=_NOT_FOUND | {"kind": "error"}, of=(LOOK, SHARE, REMOVE), passes=True),
    Kind(name="busy", fault=_WRONG_STATE | {"kind": "error"}, of=(COPY, SHARE, REMOVE), passes=True),
    Kind(name="throttled-for-good", fault=_THROTTLED | _ALL, says="A fault was asked for"),
    Kind(name="unavailable-for-good", fault=_UNAVAILABLE | _ALL, says="A fault was asked for"),
    Kind(name="cut-off-for-good", fault={"kind": "drop"} | _ALL, says="Connection was closed"),
    Kind(name="denied", fault=_DENIED | _ALL, says="is not authorized to perform"),
    Kind(name="busy-for-good", fault=_WRONG_STATE | _ALL | {"kind": "error"}, of=(COPY, SHARE), says="A fault was"),
    Kind(name="in-use-for-good", fault=_WRONG_STATE | _ALL | {"kind": "error"}, of=(REMOVE,), passes=True),
    Kind(name="source-gone", fault=_NOT_FOUND | _ALL | {"kind": "error"}, of=(COPY,), says="NotFound"),
    Kind(name="quota-passes", fault={"kind": "error", "code": "SnapshotQuotaExceeded"}, of=(COPY,), passes=True),
    Kind(
        name="quota-reached", fault={"kind": "error", "code": "SnapshotQuotaExceeded"} | _ALL, of=(COPY,),
        says="SnapshotQuotaExceeded",
    ),
    Kind(
        name="key-closed", fault={"kind": "error", "code": "KMSKeyNotAccessibleFault"} | _ALL, of=(COPY,),
        says="KmsKeyNotAccessible",
    ),
    Kind(name="ends-failed", fault={"kind": "end-in", "status": "failed"}, of=(COPY,), says="CopyFailed"),
    Kind(name="never-ends", fault={"kind": "freeze"}, of=(COPY,), is_slow=True),
    Kind(name="stopped-before", fault=_THROTTLED | _ALL, stops=True),
    Kind(name="stopped-after", fault={"kind": "drop-after"} | _ALL, stops=True),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One kind at one call; its id is `sharing/<operation>/<what it names>-<which>/<kind>`."""

    call: Call
    kind: Kind

    @property
    def case_id(self) -> str:
        """Where and what, for people and for `--only`."""
        return f"sharing/{self.call.name}/{self.kind.name}"

    @property
    def fault(self) -> dict[str, Any]:
        """The fault in the words of the local Aurora."""
        return {
            "operation": self.call.operation, "identifier": self.call.identifier, "skip": self.call.place,
        } | self.kind.fault  # fmt: skip


def cases(nights: Sequence[Sequence[ApiCall]]) -> list[Case]:
    """Return every case of the calls that all these nights have; how often a copy is looked at differs."""
    counted = [Counter((call.operation, _pattern(call)) for call in night) for night in nights]
    calls = [
        Call(operation, identifier, place)
        for operation, identifier in counted[0]
        for place in range(min(counts[(operation, identifier)] for counts in counted))
        if place == 0 or identifier == ""  # one more look at the same thing is the same call
    ]
    return [Case(call, kind) for kind in KINDS for call in calls if kind.may_happen_to(call)]


def sample(every: Iterable[Case], seed: str) -> list[Case]:
    """Return a case of each call, no two of a kind, and some more; by the seed others."""
    shuffled = [case for case in every if not case.kind.is_slow]
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - the same sample for the same seed
    chosen: list[Case] = []
    for calls_once in (True, False):
        for case in shuffled:
            has_kind = case.kind in [one.kind for one in chosen]
            has_call = calls_once and case.call in [one.call for one in chosen]
            if not has_kind and not has_call:
                chosen.append(case)
    return chosen[:IN_THE_SAMPLE]


def _pattern(call: ApiCall) -> str:
    name = str(call.parameters.get(_MAIN.get(call.operation, "DBClusterSnapshotIdentifier"), ""))
    if name.startswith(SHARED):
        return f"{SHARED}*"
    return "*" if name else ""
