"""Runs cases and judges how they ended."""

import contextlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local_cloud.regions import TARGET_REGION
from tests.faults import audit
from tests.faults.cases import Case, Location, RoundTrip, cases, locations, round_trips
from tests.faults.laboratory import Ended, Laboratory
from tests.faults.picture import Picture, differences, row_picture, users_let_in, world_picture
from tests.waiting import wait_for

# A run that restored succeeds whatever becomes of its last step: EventBridge calls that step once more.
CLOSING = "sns-notification"
SETTLED_SECONDS = 30.0
# What a step says that may not do what it has to in the database.
DENIED_IN_DATABASE = ("CheckFailed", "DatabaseChangeRefused", "PostRestoreSqlFailed", "UsersNotProven")


class Verdict(StrEnum):
    """How a case ended."""

    SURVIVED = "survived"
    RESUMED = "stopped and resumed"
    NOT_REACHED = "not reached"
    WRONG = "WRONG"


RIGHT = (Verdict.SURVIVED, Verdict.RESUMED)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A run without a fault: what there is afterwards, and what it called."""

    world: Picture
    row: Picture
    steps: list[str]
    locations: list[Location]
    round_trips: list[RoundTrip]

    @property
    def cases(self) -> list[Case]:
        """Every case of the sweep."""
        return cases(self.locations, self.round_trips)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A case, how it ended, and what was wrong about it."""

    case: Case
    verdict: Verdict
    problems: list[str] = field(default_factory=list)


def baseline(laboratory: Laboratory, lane: str) -> Baseline:
    """Run without a fault on a lane that has an old target; what two runs both call is what is swept."""
    runs, statements = [], []
    for _ in range(2):
        before = len(laboratory.round_trips(lane))
        runs.append(laboratory.run(laboratory.request(lane)))
        assert runs[-1].status == "SUCCEEDED", runs[-1]
        statements.append([trip["statement"] for trip in laboratory.round_trips(lane)[before:]])
    name = runs[-1].operation_id
    found = locations(laboratory.recorded(run.operation_id) for run in runs)
    return Baseline(
        world=world_picture(laboratory, lane, [name]),
        row=row_picture(laboratory, lane, name),
        steps=audit.steps_done(laboratory.world.audit_rows(name)),
        locations=found,
        round_trips=round_trips(statements),
    )


def judge(laboratory: Laboratory, lane: str, case: Case, fault_free: Baseline) -> Judged:
    """Run a case on a lane that has an old target, resume it if it stopped, and look at everything it left."""
    messages, trips = len(laboratory.world.mailbox.messages()), len(laboratory.round_trips(lane))
    ended = laboratory.run(laboratory.request(lane), case)
    if not _was_hit(laboratory, lane, ended, case, trips):
        return Judged(case=case, verdict=Verdict.NOT_REACHED)
    operations = [ended.operation_id]
    if case.location.step == CLOSING:
        _wait_until_closed(laboratory, lane, ended)
    problems = _problems_of_audit(laboratory, ended, case, fault_free)
    if ended.status == "SUCCEEDED":
        verdict = Verdict.SURVIVED
        if case.kind.is_permanent and not _may_be_denied(case):
            problems.append("succeeded although the call was denied for good")
        row = row_picture(laboratory, lane, ended.operation_id)
        problems += differences(fault_free.row, row, "row")
    else:
        verdict = Verdict.RESUMED
        problems += _problems_of_stopping(laboratory, lane, ended, case)
        resumed = laboratory.resume(ended, lane)
        operations.append(resumed.operation_id)
        if resumed.status != "SUCCEEDED":
            problems.append(f"not resumed: {resumed.error}: {resumed.cause}")
            return Judged(case=case, verdict=Verdict.WRONG, problems=problems)
    problems += differences(fault_free.world, world_picture(laboratory, lane, operations))
    problems += _problems_of_messages(laboratory, [lane, *operations], messages, case)
    return Judged(case=case, verdict=Verdict.WRONG if problems else verdict, problems=problems)


def _may_be_denied(case: Case) -> bool:
    """Whether a run that was denied this goes on; the set-up tries what may be refused, and proves the outcome."""
    is_closing, is_for_others = case.location.step == CLOSING, case.location.call == "events:PutEvents"
    return is_closing or is_for_others or isinstance(case.location, RoundTrip)


def _words_for_denied(case: Case) -> tuple[str, ...]:
    if isinstance(case.location, RoundTrip):
        return DENIED_IN_DATABASE
    return ("KeyNotUsable",) if case.location.call == "kms:DescribeKey" else ("AccessDenied",)


def _was_hit(laboratory: Laboratory, lane: str, ended: Ended, case: Case, trips_before: int) -> bool:
    if isinstance(case.location, RoundTrip):
        return any(trip["fault"] for trip in laboratory.round_trips(lane)[trips_before:])
    return laboratory.hits(ended.operation_id) > 0


def _wait_until_closed(laboratory: Laboratory, lane: str, ended: Ended) -> None:
    world = laboratory.world

    def is_closed() -> bool:
        row = world.row(ended.operation_id) or {}
        return "notified_at" in row and world.row(f"lock#{TARGET_REGION}#{lane}") is None

    with contextlib.suppress(AssertionError):  # what is missing is judged by who looks next
        wait_for(is_closed, f"EventBridge to close {ended.operation_id}", seconds=SETTLED_SECONDS)


def _problems_of_stopping(laboratory: Laboratory, lane: str, ended: Ended, case: Case) -> list[str]:
    """Say what is not as it should be after a run that failed."""
    problems = []
    if not case.kind.is_permanent:
        problems.append(f"did not survive: {ended.error}: {ended.cause}")
    elif ended.error not in (expected := _words_for_denied(case)):
        problems.append(f"stopped with {ended.error} instead of {' or '.join(expected)}: {ended.cause}")
    row = laboratory.world.row(ended.operation_id) or {}
    closed_as = (row.get("status"), row.get("error", {}).get("name"))
    if closed_as != ("FAILED", ended.error):
        problems.append(f"the row was closed as {closed_as}")
    if laboratory.world.row(f"lock#{TARGET_REGION}#{lane}") is not None:
        problems.append("the lock is still held")
    if isinstance(case.location, RoundTrip) and (let_in := users_let_in(laboratory, lane)):
        problems.append(f"the copy was left open to {', '.join(let_in)}")
    return problems


def _problems_of_audit(laboratory: Laboratory, ended: Ended, case: Case, fault_free: Baseline) -> list[str]:
    ends_are_certain = not case.kind.kills and not case.location.is_audit_row

    def found() -> tuple[list[dict[str, Any]], list[str]]:
        rows = laboratory.world.audit_rows(ended.operation_id)
        return rows, audit.gaps(rows, ends_are_certain=ends_are_certain)

    # EventBridge calls the last step once more, a moment after the execution has ended.
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not found()[1], "an audit trail without gaps", seconds=SETTLED_SECONDS)
    rows, problems = found()
    steps, done = fault_free.steps, audit.steps_done(rows)
    if case.kind.is_permanent and case.location.is_audit_row and case.location.step == CLOSING and done == steps[:-1]:
        steps = done  # nobody may write the row that is missing
    if ended.status == "SUCCEEDED" and done != steps:
        problems.append(f"audit of {done} instead of {steps}")
    return problems


def _problems_of_messages(laboratory: Laboratory, names: list[str], before: int, case: Case) -> list[str]:
    # What failed before it had a plan is told by the operation's name, everything else by the target's.
    received = laboratory.world.mailbox.messages()[before:]
    sent = [message for message in received if any(name in message.text for name in names)]
    expected = len(names) - 1
    # The last step tells people at least once: a second time if it could not know that it had done so.
    at_least_once = case.location.step == CLOSING
    if len(sent) == expected or (at_least_once and len(sent) > expected):
        return []
    return [f"{len(sent)} message(s) instead of {expected}: {[message.subject for message in sent]}"]
