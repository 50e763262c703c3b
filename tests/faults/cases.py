"""The cases of the sweep: every call of a recorded run, with every kind of fault."""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.integration.stage.world import AUDIT_TABLE

FUNCTION_PREFIX = "aurora-restore-"
AUDIT_ROW = f"dynamodb:PutItem@{AUDIT_TABLE}"
# The SDK's attempts at one call: the product says it in utils/aws/clients.py.
SDK_ATTEMPTS = 4
# A login, or a transaction.
_BEGINNINGS = ("LOGIN", "BEGIN")
# More often is the same step in the same situation: one more look at the same thing.
MOST_OCCURRENCES = 2

_THROTTLED = {
    "rds": ("Throttling", 400),
    "sns": ("Throttling", 400),
    "s3": ("SlowDown", 503),
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
}
_DENIED = {
    "rds": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "s3": ("AccessDenied", 403),
}
_BROKEN = {"dynamodb": ("InternalServerError", 500), "s3": ("InternalError", 500)}


@dataclass(frozen=True, order=True)
class Location:
    """A call of a step: what the invocation had called up to and with it, and which occurrence of that it is."""

    function: str
    path: tuple[str, ...]
    occurrence: int

    @property
    def step(self) -> str:
        """The function's name without the pipeline's."""
        return self.function.removeprefix(FUNCTION_PREFIX)

    @property
    def is_audit_row(self) -> bool:
        """Whether the call writes an audit row."""
        return self.call == AUDIT_ROW

    @property
    def call(self) -> str:
        """The call itself, such as `rds:CopyDBClusterSnapshot`."""
        return self.path[-1]


@dataclass(frozen=True)
class RoundTrip:
    """A round trip of the user set-up to the restored database: its number in the run (from 1), and its first words."""

    number: int
    statement: str
    step: str = "setup-db-users"
    call: str = "sql"
    is_audit_row: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of fault; `is_permanent` means that trying again does not help, so that the run has to stop."""

    name: str
    is_permanent: bool = False
    is_slow: bool = False

    @property
    def kills(self) -> bool:
        """Whether the function's process ends, so that it can no longer tell anybody."""
        return self.name in {"killed", "sql-kill"}

    def at(self, call: str) -> dict[str, Any]:
        """Return the hop's words for it."""
        service = call.partition(":")[0]
        code, http_status = self._refusal(service)
        how = {"reset": "reset", "timeout": "hang", "killed": "kill", "twice": "twice"}.get(self.name, "refuse")
        attempts = SDK_ATTEMPTS if self.name.endswith("-until-given-up") else 1
        return {"kind": how, "attempts": attempts, "code": code, "http_status": http_status}

    def _refusal(self, service: str) -> tuple[str, int]:
        if self.name.startswith("throttled"):
            return _THROTTLED.get(service, ("ThrottlingException", 400))
        if self.name == "unavailable-until-given-up":
            return ("ServiceUnavailable", 503)
        if self.name == "denied":
            return _DENIED.get(service, ("AccessDeniedException", 400))
        return _BROKEN.get(service, ("InternalFailure", 500))


KINDS = (
    Kind("killed"),  # the function's process gets SIGKILL right after the call took effect
    Kind("twice"),  # the whole step runs once more between the call and its answer
    Kind("reset"),  # the call took effect, the connection is reset instead of an answer
    Kind("denied", is_permanent=True),
    Kind("throttled-until-given-up"),  # all four attempts of the SDK: the state machine has to try again
    Kind("unavailable-until-given-up"),
    Kind("throttled"),  # once: the SDK tries again
    Kind("unavailable"),
    Kind("timeout", is_slow=True),  # the call took effect, the answer never comes: the client's read time-out ends it
)


SQL_KINDS = (
    Kind("sql-kill"),  # the server executed it, the function's process gets SIGKILL
    Kind("sql-twice"),  # the server executed it, the whole step runs once more before the answer
    Kind("sql-drop-after"),  # the server executed it, the connection is reset instead of an answer
    Kind("sql-drop"),  # the connection is reset before the server saw it
    Kind("sql-error"),  # SQLSTATE 57P01: the server is shut down
    Kind("sql-denied", is_permanent=True),  # SQLSTATE 42501: the master may not
)
_SQLSTATES = {"sql-error": "57P01", "sql-denied": "42501"}


@dataclass(frozen=True)
class Case:
    """One fault at one call."""

    case_id: str
    location: Location | RoundTrip
    kind: Kind

    def fault(self, operation_id: str, lane: str) -> dict[str, Any]:
        """Return the fault in the words of the hop, or for a round trip to the database of the local Aurora."""
        where = self.location
        if isinstance(where, RoundTrip):
            code = _SQLSTATES.get(self.kind.name, "")
            kind = "sql-error" if code else self.kind.name
            return {
                "kind": kind,
                "identifier": lane,
                "skip": where.number - 1,
                "code": code,
                "operation_id": operation_id,
            }
        return self.kind.at(where.call) | {
            "operation_id": operation_id,
            "function": where.function,
            "path": where.path,
            "occurrence": where.occurrence,
        }


def locations(recordings: Iterable[list[dict[str, Any]]]) -> list[Location]:
    """Return what all recordings have in common, in the order of the first; each is the hop's list of invocations."""
    counted = [_counted(invocations) for invocations in recordings]
    first = counted[0]
    found = []
    for function, path in first:
        often = min(counts[(function, path)] for counts in counted)
        found += [Location(function, path, number + 1) for number in range(min(often, MOST_OCCURRENCES))]
    return found


def _counted(invocations: list[dict[str, Any]]) -> Counter[tuple[str, tuple[str, ...]]]:
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for invocation in invocations:
        path = tuple(invocation["path"])
        for length in range(1, len(path) + 1):
            counts[(invocation["function"], path[:length])] += 1
    return counts


def round_trips(recordings: Iterable[list[str]]) -> list[RoundTrip]:
    """Return the round trips that all recordings begin with; each is a list of statements' first words.

    Like a call, a round trip is known by what came before it: the kinds of statements of its transaction.
    """
    alike = itertools.takewhile(lambda same: len(set(same)) == 1, zip(*recordings, strict=False))
    found = []
    before: list[str] = []
    often: Counter[tuple[str, ...]] = Counter()
    for number, (statement, *_) in enumerate(alike, start=1):
        if statement.startswith(_BEGINNINGS):
            before = []
        situation = (*before, statement)
        often[situation] += 1
        if often[situation] <= MOST_OCCURRENCES:
            found.append(RoundTrip(number, statement))
        if statement not in before:
            before.append(statement)
    return found


def cases(found: Iterable[Location], trips: Iterable[RoundTrip]) -> list[Case]:
    """Return all cases; the id is `<step>/<call's number>-<operation>/<occurrence>/<kind>`."""
    named: dict[str, Location] = {}
    for location in found:
        operation = location.call.partition(":")[2].replace(f"@{FUNCTION_PREFIX}", "@")
        name = f"{location.step}/{len(location.path):02}-{operation}/{location.occurrence}"
        variant = 1
        while (unique := name if variant == 1 else f"{name}~{variant}") in named:
            variant += 1
        named[unique] = location
    of_aws = [Case(f"{name}/{kind.name}", location, kind) for kind in KINDS for name, location in named.items()]
    of_sql = [
        Case(f"{trip.step}/sql-{trip.number:03}-{trip.statement.replace(' ', '-')}/{kind.name}", trip, kind)
        for kind in SQL_KINDS
        for trip in trips
    ]
    return of_aws + of_sql
