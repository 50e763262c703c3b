"""The cases of the sweep: every call of a recorded run, with every kind of fault."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.kinds import KINDS, SQL_KINDS, Kind
from tests.integration.stage.world import AUDIT_TABLE, STATE_TABLE

FUNCTION_PREFIX = "aurora-restore-"
SET_UP = f"{FUNCTION_PREFIX}setup-db-users"  # as which all that logs in to a database names itself
TURNS_BACK = f"{FUNCTION_PREFIX}delete-rds"  # asked with what a later step failed with
AUDIT_ROW, STATE_ROW = f"dynamodb:PutItem@{AUDIT_TABLE}", f"dynamodb:PutItem@{STATE_TABLE}"
_SQLSTATES = {"sql-error": "57P01", "sql-denied": "42501"}
CLOSING, EVIDENCE, BACK = "sns-notification", "write-evidence", "back"
ASK, ANSWER, FAILED, ROLL_BACK, VERIFY, ENDED = "ask", "answer", "failure", "roll-back", "verify", "ended"
_OF_EVERY_EVENT = ("operation_id", "execution_arn", "redrive_count", "request")
_ASKED = {
    "": "",
    "task_token": ASK,
    "answer": ANSWER,
    "error,failed_step": FAILED,
    "roll_back": ROLL_BACK,
    "verify": VERIFY,
}
# More often is the same step in the same situation: one more look at the same thing.
MOST_OCCURRENCES = 2
_CHANGES = (
    "ALTER", "COMMENT", "CREATE", "DELETE", "DROP", "GRANT", "INSERT", "REASSIGN", "REVOKE", "SET", "UPDATE",
)  # fmt: skip
Path = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Location:
    """A call of a step: what the invocation had called up to and with it, and which occurrence of that it is.

    event_keys: the fields of the invocation's event. of: what follows the run's name in that of the execution, such as
    a retirement's. after: the fields of the event with which the run turned back before, towards the old data.
    """

    function: str
    path: tuple[str, ...]
    occurrence: int
    event_keys: tuple[str, ...] = ()
    of: str = ""
    after: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """The function's name without the pipeline's, and what else than its usual work it is asked for, or when."""
        when = BACK if self.after else ""
        return "-".join(filter(None, (self.function.removeprefix(FUNCTION_PREFIX), self.asked, when)))

    @property
    def asked(self) -> str:
        """What the event asks for, empty for the usual."""
        if "detail-type" in self.event_keys:
            return ENDED
        return _ASKED.get(",".join(key for key in self.event_keys if key not in _OF_EVERY_EVENT), "otherwise")

    @property
    def closes(self) -> bool:
        """Whether the call is one of the last step, after which nothing can go otherwise."""
        return self.function == f"{FUNCTION_PREFIX}{CLOSING}" and self.asked in ("", FAILED, ENDED)

    @property
    def turns_back(self) -> bool:
        """Whether the call is one of the step that is asked for the old data, after the failure of a later one."""
        return self.function == TURNS_BACK and self.asked == FAILED

    @property
    def is_audit_row(self) -> bool:
        """Whether the call writes an audit row."""
        return self.call == AUDIT_ROW

    @property
    def is_evidence(self) -> bool:
        """Whether the call is one for the evidence, without which a run ends as well."""
        return self.function == f"{FUNCTION_PREFIX}{EVIDENCE}"

    @property
    def call(self) -> str:
        """The call itself, such as `rds:CopyDBClusterSnapshot`."""
        return self.path[-1]

    @property
    def changed_before(self) -> Path:
        """What the invocation had changed before, and the call: what was merely read is not left half done."""
        return (*(call for call in self.path[:-1] if not _is_look(call)), self.call)

    @property
    def looks_since(self) -> int:
        """How many such calls there were since the last change."""
        since = itertools.takewhile(_is_look, reversed(self.path[:-1]))
        return sum(call == self.call for call in since)


def _is_look(call: str) -> bool:
    return call.partition(":")[2].startswith(("BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan"))


@dataclass(frozen=True)
class RoundTrip:
    """A round trip of a step to a database: its number in a run (from 1), its path, and which of the same path it is.

    may_be_refused: the run goes on then, and tells another outcome.
    """

    number: int
    path: Path
    occurrence: int = 1
    step: str = "setup-db-users"
    may_be_refused: bool = False
    call: str = "sql"
    of: str = ""
    asked: str = ""
    is_audit_row: bool = False
    is_evidence: bool = False
    closes: bool = False

    @property
    def statement(self) -> str:
        """The statement's first words."""
        return self.path[-1]

    @property
    def changed_before(self) -> Path:
        """What its transaction had changed before, and the statement."""
        return (*(kind for kind in self.path[:-1] if kind.startswith(_CHANGES)), self.statement)


@dataclass(frozen=True)
class Case:
    """One fault at one call, in a situation; `also` has those that its run meets beside it."""

    case_id: str
    location: Location | RoundTrip
    kind: Kind
    also: tuple["Case", ...] = ()

    @property
    def situation(self) -> str:
        """The situation's name."""
        return self.case_id.partition("/")[0]

    @property
    def faults(self) -> tuple["Case", ...]:
        """Each by itself."""
        return (self, *self.also)

    def fault(self, operation_id: str, cluster: str) -> dict[str, Any]:
        """Return the fault in the words of the hop, or for a round trip to a database of the local Aurora."""
        where = self.location
        if isinstance(where, RoundTrip):
            code = _SQLSTATES.get(self.kind.name, "")
            kind = "sql-error" if code else self.kind.name
            return {
                "kind": kind,
                "identifier": cluster,
                "application_name": SET_UP,
                "path": where.path,
                "skip": where.occurrence - 1,
                "code": code,
                "operation_id": operation_id,
            }
        return self.kind.at(where.call) | {
            "operation_id": f"{operation_id}{where.of}",
            "function": where.function,
            "path": where.path,
            "event_keys": where.event_keys,
            "after": where.after or None,
            "occurrence": where.occurrence,
        }


def together(faults: Sequence[Case]) -> Case:
    """Return the case of a run that meets all of these."""
    first, *others = (replace(one, also=()) for one in faults)
    return replace(first, also=tuple(others))


def locations(recordings: Sequence[list[dict[str, Any]]], of: str = "", *, turn_back: bool = False) -> list[Location]:
    """Return what all recordings have in common, in the order of the first; each is the hop's list of invocations.

    turn_back: what comes after the turn towards the old data is another point than the same call before it.
    """
    parts = [_halves(invocations) if turn_back else (invocations, []) for invocations in recordings]
    found = _in_common([first for first, _ in parts], of, ())
    if turn_back:
        [turn] = {_keys(first[-1]) for first, _ in parts}
        found += _in_common([second for _, second in parts], of, turn)
    return found


def _halves(invocations: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part what came up to and with the turn back towards the old data from what came after it."""
    turns = (place for place, item in enumerate(invocations, start=1) if _turns_back(item))
    place = next(turns, len(invocations))
    return invocations[:place], invocations[place:]


def _turns_back(invocation: dict[str, Any]) -> bool:
    return Location(invocation["function"], (), 1, _keys(invocation)).turns_back


def _keys(invocation: dict[str, Any]) -> tuple[str, ...]:
    return tuple(invocation.get("event_keys", ()))


def _in_common(recordings: list[list[dict[str, Any]]], of: str, after: tuple[str, ...]) -> list[Location]:
    counted = [_counted(invocations) for invocations in recordings]
    found = []
    for function, keys, path in counted[0]:
        often = min(counts[(function, keys, path)] for counts in counted)
        numbers = range(1, min(often, MOST_OCCURRENCES) + 1)
        found += [Location(function, path, number, keys, of, after) for number in numbers]
    return found


Point = tuple[str, tuple[str, ...], tuple[str, ...]]


def _counted(invocations: list[dict[str, Any]]) -> Counter[Point]:
    counts: Counter[Point] = Counter()
    for invocation in invocations:
        path, keys = tuple(invocation["path"]), _keys(invocation)
        for length in range(1, len(path) + 1):
            counts[(invocation["function"], keys, path[:length])] += 1
    return counts


def round_trips(
    recordings: Sequence[list[Path]], step: str = "setup-db-users", *, first: int = 1, may_be_refused: bool = False
) -> list[RoundTrip]:
    """Return the round trips that all recordings have in common, in the order of the first, from the `first` on.

    Like a call, a round trip is known by what came before it: each recording has the paths of its round trips. Where
    its transaction had made the same changes it is the same, whatever it had read.
    """
    everywhere = set.intersection(*(set(paths[first - 1 :]) for paths in recordings))
    before, found = Counter(recordings[0][: first - 1]), dict[Path, RoundTrip]()
    for number, path in itertools.islice(enumerate(recordings[0], start=1), first - 1, None):
        trip = RoundTrip(number, path, before[path] + 1, step, may_be_refused)
        if path in everywhere:
            found.setdefault(trip.changed_before, trip)
    return list(found.values())


def cases(situation: str, found: Iterable[Location], trips: Iterable[RoundTrip]) -> list[Case]:
    """Return all cases; the id is `<situation>/<step>/<call's number>-<operation>/<occurrence>/<kind>`."""
    named: dict[str, Location] = {}
    for location in found:
        operation = location.call.partition(":")[2].replace(f"@{FUNCTION_PREFIX}", "@")
        name = f"{situation}/{location.step}{location.of}/{len(location.path):02}-{operation}/{location.occurrence}"
        variant = 1
        while (unique := name if variant == 1 else f"{name}~{variant}") in named:
            variant += 1
        named[unique] = location
    of_aws = [Case(f"{name}/{kind.name}", location, kind) for kind in KINDS for name, location in named.items()]
    of_sql = [
        Case(f"{situation}/{trip.step}/sql-{trip.number:03}-{trip.statement.replace(' ', '-')}/{kind.name}", trip, kind)
        for kind in SQL_KINDS
        for trip in trips
        if not (trip.may_be_refused and kind.is_permanent)
    ]
    return of_aws + of_sql
