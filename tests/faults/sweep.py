"""Runs cases and judges how they ended."""

import contextlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local_cloud.regions import TARGET_REGION
from tests.faults.cases import BACK, CLOSING, VERIFY, Case, Location, RoundTrip, cases, locations, round_trips
from tests.faults.judges import audit
from tests.faults.judges.evidence import problems_of_evidence
from tests.faults.judges.picture import Picture, differences, row_picture, users_let_in, world_picture
from tests.faults.laboratory import Ended, Laboratory
from tests.faults.playing import SETTLED_SECONDS, Played, begin
from tests.faults.situations import Situation
from tests.integration.stage.mailbox import Message
from tests.integration.stage.rehearsals import left_of
from tests.waiting import wait_for

# What a step says that may not do what it has to in the database.
DENIED_IN_DATABASE = (
    "CheckFailed", "DatabaseChangeRefused", "DatabaseLoginRefused", "PostRestoreSqlFailed", "UsersNotProven",
)  # fmt: skip
USERS_STEP, SWAP_STEP = "setup-db-users", "check-swap-status"
RECORDINGS = 2
_LANE = re.compile(r"lane-\d+")
# What is alike whichever of both clusters has the target's name.
SERVING = ("cluster", "instances", "database", "lock")


class Verdict(StrEnum):
    """How a case ended."""

    SURVIVED = "survived"
    RESUMED = "stopped and resumed"
    NOT_REACHED = "not reached"
    WRONG = "WRONG"


RIGHT = (Verdict.SURVIVED, Verdict.RESUMED)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A situation without a fault: what there is afterwards, and what it called; rows and steps by execution."""

    situation: Situation
    world: Picture
    rows: dict[str, Picture]
    steps: dict[str, list[str]]
    locations: list[Location]
    round_trips: list[RoundTrip]

    @property
    def cases(self) -> list[Case]:
        """Every case of the situation."""
        return cases(self.situation.name, self.locations, self.round_trips)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A case, how it ended, and what was wrong about it."""

    case: Case
    verdict: Verdict
    problems: list[str] = field(default_factory=list)


def baseline(laboratory: Laboratory, lane: str, situation: Situation, recordings: int = RECORDINGS) -> Baseline:
    """Play a situation without a fault; what all recordings call is what is swept."""
    runs, statements = [], []
    for number in range(recordings):
        run = begin(laboratory, lane, situation)
        ends = [run.start(), *[run.end_of_what_follows(part) for part in situation.parts[1:]]]
        assert (ends[0].status, ends[0].error) == (situation.status, situation.error), ends
        assert {end.status for end in ends[1:]} <= {"SUCCEEDED"}, ends
        assert run.problems == []
        runs.append(run)
        statements.append([trip["statement"] for trip in laboratory.round_trips(lane)[run.round_trips :]])
        if number < recordings - 1:
            laboratory.tidy(lane)
    found = [
        location
        for part in situation.parts
        for location in locations(
            [laboratory.recorded(run.name + part) for run in runs], part, turn_back=situation.brings_back
        )
        if situation.has(location)
    ]
    last = runs[-1]
    result = Baseline(
        situation=situation,
        world=world_picture(laboratory, lane, last.operations, last.former),
        rows={part: row_picture(laboratory, lane, last.name + part) for part in situation.parts},
        steps={part: audit.steps_done(laboratory.world.audit_rows(last.name + part)) for part in situation.parts},
        locations=found,
        round_trips=_round_trips(last, statements),
    )
    laboratory.tidy(lane)
    return result


def _round_trips(run: Played, statements: list[list[str]]) -> list[RoundTrip]:
    if not run.situation.brings_back:
        return round_trips(statements, SWAP_STEP if run.situation.exchanges_names else USERS_STEP)
    # Who can log in to the old data is tried, and told.
    row = run.laboratory.world.row(run.name) or {}
    turned_at = datetime.fromisoformat(row["bring_back"]["begun_at"])
    trips = run.laboratory.round_trips(run.lane)[run.round_trips :]
    before = sum(datetime.fromisoformat(trip["time"]) < turned_at for trip in trips)
    return round_trips(statements, f"{USERS_STEP}-{BACK}", first=before + 1, may_be_refused=True)


def judge(laboratory: Laboratory, lane: str, case: Case, fault_free: Baseline) -> Judged:
    """Play a case's situation with its fault, go on where it stopped, and compare with that without a fault."""
    situation = fault_free.situation
    run = begin(laboratory, lane, situation)
    ended, right, problems, stopped = run.start(case), (situation.status, situation.error), list[str](), False
    for part in situation.parts:
        if part:
            ended, right = run.end_of_what_follows(part), ("SUCCEEDED", "")
        if any(one.location.closes for one in case.faults):
            run.wait_until_closed(ended.operation_id)
        if (ended.status, ended.error) != right or _is_never_left_alone(case, situation):
            stopped = True
            problems += _problems_of_stopping(run, ended, case)
            ended = run.go_on(part, ended)
            if (ended.status, ended.error) != (("SUCCEEDED", "") if situation.refused else right):
                problems.append(f"not resumed: {ended.status} {ended.error}: {ended.cause}")
                return Judged(case=case, verdict=Verdict.WRONG, problems=problems)
    if not _was_hit(run, case):
        return Judged(case=case, verdict=Verdict.NOT_REACHED)
    if not stopped:
        problems += _problems_of_going_on(run, case, fault_free)
    for part in situation.parts:
        problems += _problems_of_audit(run, part, case, fault_free.steps[part], stopped=stopped)
    problems += run.problems
    expected, found = fault_free.world, world_picture(laboratory, lane, run.operations, run.former)
    if stopped and situation.refused:  # gone on with, the swap was not refused again
        expected, found = ({name: picture[name] for name in SERVING} for picture in (expected, found))
    problems += differences(expected, found)
    problems += problems_of_evidence(run, case) + _problems_of_drills(run)
    problems += _problems_of_messages(run, case, stopped=stopped)
    verdict = Verdict.WRONG if problems else Verdict.RESUMED if stopped else Verdict.SURVIVED
    return Judged(case=case, verdict=verdict, problems=problems)


def _is_never_left_alone(case: Case, situation: Situation) -> bool:
    """Whether taking back was denied, which the run tells with the error that it began to take back for."""
    return situation.takes_back and any(one.kind.is_permanent and not _may_be_denied(one) for one in case.faults)


def _problems_of_going_on(run: Played, case: Case, fault_free: Baseline) -> list[str]:
    """Say what is not as it should be after a run that ended as one without a fault."""
    problems = []
    for part, expected in fault_free.rows.items():
        problems += differences(expected, row_picture(run.laboratory, run.lane, run.name + part), f"row{part}")
    if any(one.kind.is_permanent and not _may_be_denied(one) for one in case.faults):
        problems.append("ended as if nothing had been although a call was denied for good")
    return problems


def _may_be_denied(case: Case) -> bool:
    """Whether a run that was denied this goes on; the set-up tries what may be refused, and proves the outcome."""
    where = case.location
    is_for_others = where.call == "events:PutEvents" or where.is_evidence
    return where.closes or is_for_others or isinstance(where, RoundTrip)


def _words_for_denied(case: Case) -> tuple[str, ...]:
    if isinstance(case.location, RoundTrip):
        return DENIED_IN_DATABASE
    if case.location.asked == VERIFY:
        return ("FunctionsNotReady",)
    return ("KeyNotUsable",) if case.location.call == "kms:DescribeKey" else ("AccessDenied",)


def _problems_of_drills(run: Played) -> list[str]:
    """Say what is left of drills, in either Region."""
    world, names = run.laboratory.world, run.operations if run.situation.is_drill else []
    return [f"{name} left {left}" for name in names if (left := left_of(world, name))]


def _was_hit(run: Played, case: Case) -> bool:
    # One that could not be gone on with was started anew, under another name.
    laboratory, names = run.laboratory, {name + part for name in run.operations for part in run.situation.parts}
    trips = laboratory.round_trips(run.lane)[run.round_trips :]
    hits = sum(laboratory.hits(name) for name in names) + sum(bool(trip["fault"]) for trip in trips)
    return hits >= len(case.faults)


def _problems_of_stopping(run: Played, ended: Ended, case: Case) -> list[str]:
    """Say what is not as it should be after a run that failed."""
    world, problems = run.laboratory.world, []
    permanent = [one for one in case.faults if one.kind.is_permanent]
    expected = [word for one in permanent for word in _words_for_denied(one)]
    if run.situation.takes_back:
        expected.append(run.situation.error)
    if not permanent:
        problems.append(f"did not survive: {ended.error}: {ended.cause}")
    elif ended.error not in expected:
        problems.append(f"stopped with {ended.error} instead of {' or '.join(expected)}: {ended.cause}")
    row = world.row(ended.operation_id) or {}
    closed_as = (row.get("status"), row.get("error", {}).get("name"))
    if closed_as != ("FAILED", ended.error):
        problems.append(f"the row was closed as {closed_as}")
    if world.row(f"lock#{TARGET_REGION}#{run.lane}") is not None:
        problems.append("the lock is still held")
    in_set_up = any(one.location.step == USERS_STEP and isinstance(one.location, RoundTrip) for one in permanent)
    # A drill's cluster goes as a whole.
    if in_set_up and not run.situation.is_drill and (let_in := users_let_in(run.laboratory, run.lane)):
        problems.append(f"the copy was left open to {', '.join(let_in)}")
    return problems


def _problems_of_audit(run: Played, part: str, case: Case, steps: list[str], *, stopped: bool) -> list[str]:
    ends_are_certain = not any(one.kind.kills or one.location.is_audit_row for one in case.faults)
    world = run.laboratory.world

    def found() -> tuple[list[dict[str, Any]], list[str]]:
        rows = world.audit_rows(run.name + part)
        return rows, audit.gaps(rows, ends_are_certain=ends_are_certain)

    # EventBridge calls the last step once more, a moment after the execution has ended.
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not found()[1], "an audit trail without gaps", seconds=SETTLED_SECONDS)
    rows, problems = found()
    done = audit.steps_done(rows)
    unwritable = [one for one in case.faults if one.kind.is_permanent and one.location.is_audit_row]
    if any(one.location.closes and one.location.of == part for one in unwritable) and done == steps[:-1]:
        steps = done  # nobody may write the row that is missing
    if not stopped and done != steps:
        problems.append(f"audit{part} of {done} instead of {steps}")
    return problems


def _problems_of_messages(run: Played, case: Case, *, stopped: bool) -> list[str]:
    received = run.laboratory.world.mailbox.messages()[run.messages :]
    sent = [message for message in received if is_of(run.lane, run.operations, message)]
    expected = run.situation.messages + stopped + run.more_messages
    # The last step tells people at least once: a second time if it could not know that it had done so.
    at_least_once = any(one.location.step.startswith(CLOSING) for one in case.faults)
    if len(sent) == expected or (at_least_once and len(sent) > expected):
        return []
    return [f"{len(sent)} messages instead of {expected}: {[message.subject for message in sent]}"]


def is_of(lane: str, operations: list[str], message: Message) -> bool:
    """Tell by the subject, which has the target where there was a plan; a plan's text names other lanes' copies too."""
    named = _LANE.search(message.subject)
    return named[0] == lane if named else any(name in message.text for name in [lane, *operations])
