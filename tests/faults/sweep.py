"""Runs cases and judges how they ended."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local_cloud.regions import TARGET_REGION
from tests.faults.cases import (
    BACK,
    STATE_ROW,
    VERIFY,
    Case,
    Location,
    Path,
    RoundTrip,
    cases,
    locations,
    round_trips,
    together,
)  # fmt: skip
from tests.faults.judges import audit
from tests.faults.judges.evidence import problems_of_evidence
from tests.faults.judges.messages import problems_of_messages
from tests.faults.judges.picture import (
    Picture,
    differences,
    row_picture,
    serving,
    users_let_in,
    without_finals_taken_anew,
    world_picture,
)
from tests.faults.laboratory import Ended, Laboratory
from tests.faults.playing import SETTLED_SECONDS, Played, begin
from tests.faults.situations import Situation
from tests.integration.stage.rehearsals import left_of
from tests.waiting import wait_for

# What a step says that may not do what it has to in the database.
DENIED_IN_DATABASE = (
    "CheckFailed", "DatabaseChangeRefused", "DatabaseLoginRefused", "PostRestoreSqlFailed", "UsersNotProven",
)  # fmt: skip
PLANS, USERS_STEP, SWAP_STEP = "snapshot-check", "setup-db-users", "check-swap-status"
RECORDINGS = 2


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
    """A case, how it ended, and what was wrong about it; `missed` are those of its faults that its run did not meet."""

    case: Case
    verdict: Verdict
    problems: list[str] = field(default_factory=list)
    missed: tuple[Case, ...] = ()


def baseline(laboratory: Laboratory, lane: str, situation: Situation, recordings: int = RECORDINGS) -> Baseline:
    """Play a situation without a fault; what all recordings call is what is swept."""
    runs, paths = [], []
    for number in range(recordings):
        run, earlier = begin(laboratory, lane, situation), len(laboratory.round_trips(lane))
        ends = [run.start(), *[run.end_of_what_follows(part) for part in situation.parts[1:]]]
        run.leave()
        assert (ends[0].status, ends[0].error) == (situation.status, situation.error), ends
        assert {end.status for end in ends[1:]} <= {"SUCCEEDED"}, ends
        assert run.problems == []
        runs.append(run)
        trips = laboratory.round_trips(lane)[earlier:]
        paths.append([tuple(trip["path"]) for trip in trips])
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
        round_trips=_round_trips(last, paths, [trip["time"] for trip in trips]),
    )
    laboratory.tidy(lane)
    return result


def _round_trips(run: Played, paths: list[list[Path]], times: list[str]) -> list[RoundTrip]:
    if not run.situation.brings_back:
        return round_trips(paths, SWAP_STEP if run.situation.exchanges_names else USERS_STEP)
    # Who can log in to the old data is tried, and told.
    row = run.laboratory.world.row(run.name) or {}
    turned_at = datetime.fromisoformat(row["bring_back"]["begun_at"])
    before = sum(datetime.fromisoformat(time) < turned_at for time in times)
    return round_trips(paths[::-1], f"{USERS_STEP}-{BACK}", first=before + 1, may_be_refused=True)


def judge(laboratory: Laboratory, lane: str, case: Case, fault_free: Baseline) -> Judged:
    """Play a case's situation with its faults, go on where it stopped, and compare with that without a fault."""
    run = begin(laboratory, lane, fault_free.situation)
    try:
        stops, problems, is_over = _played_to_the_end(run, case)
        missed = tuple(run.unmet())
    finally:
        run.leave()
    if not is_over:
        return Judged(case=case, verdict=Verdict.WRONG, problems=problems)
    met = [one for one in case.faults if one not in missed]
    if not met:
        return Judged(case=case, verdict=Verdict.NOT_REACHED, missed=missed)
    problems += _problems_of_what_is_left(run, together(met), fault_free, stops)
    verdict = Verdict.WRONG if problems else Verdict.RESUMED if stops else Verdict.SURVIVED
    return Judged(case=together(met), verdict=verdict, problems=problems, missed=missed)


def _played_to_the_end(run: Played, case: Case) -> tuple[int, list[str], bool]:
    """Play, and go on wherever it stopped; return how often that was, what was wrong then, and whether it is over."""
    situation, stops, problems = run.situation, 0, list[str]()
    ended, right = run.start(case), (situation.status, situation.error)
    for part in situation.parts:
        if part:
            ended, right = run.end_of_what_follows(part), ("SUCCEEDED", "")
        if any(one.location.closes for one in case.faults):
            run.wait_until_closed(ended.operation_id)
        for _ in range(max(1, sum(one.kind.is_permanent for one in case.faults))):
            # What was denied while it took back, it tells with the error that it began to take back for.
            denied = [one for one in _not_survived(case) if one not in run.unmet()] if situation.takes_back else []
            if (ended.status, ended.error) == right and len(denied) <= stops:
                break
            stops += 1
            problems += _problems_of_stopping(run, ended, case)
            ended = run.go_on(part, ended)
            right = ("SUCCEEDED", "") if situation.refused else right
        if (ended.status, ended.error) != right:
            return stops, [*problems, f"not resumed: {ended.status} {ended.error}: {ended.cause}"], False
    return stops, problems, True


def _problems_of_what_is_left(run: Played, case: Case, fault_free: Baseline, stops: int) -> list[str]:
    """Say what is not as after a run without a fault, once it is over."""
    problems, laboratory, lane = list[str](), run.laboratory, run.lane
    if not stops:
        for part, expected in fault_free.rows.items():
            problems += differences(expected, row_picture(laboratory, lane, run.name + part), f"row{part}")
    if any(one.kind.is_permanent and _leaves_a_setting_out(one) for one in case.faults):
        problems = [line for line in problems if not line.startswith("row.restore.settings.comparison.")]
    if stops < (least := stops_expected(case)):
        problems.append(f"stopped {stops} time(s) instead of {least}, although calls were denied for good")
    for part in run.situation.parts:
        problems += _problems_of_audit(run, part, case, fault_free.steps[part], stopped=stops > 0)
    problems += run.problems
    wanted, found = fault_free.world, world_picture(laboratory, lane, run.operations, run.former)
    found = without_finals_taken_anew(found, wanted, sum(_is_before_the_deletion(one) for one in case.faults))
    if stops and run.situation.refused:  # gone on with, the swap was not refused again
        wanted, found = serving(wanted), serving(found)
    problems += differences(wanted, found)
    problems += problems_of_evidence(run, case) + _problems_of_drills(run)
    return problems + problems_of_messages(run, case, stops)


def _is_before_the_deletion(case: Case) -> bool:
    """Whether it stops a run that may have its final snapshot: the resumption takes one of its own."""
    return case.kind.is_permanent and case.location.step.startswith(("delete-rds", "check-delete-status"))


def _not_survived(case: Case) -> list[Case]:
    """Return the faults that stop the run, each once."""
    return [one for one in case.faults if one.kind.is_permanent and not _may_be_denied(one)]


def stops_expected(case: Case) -> int:
    """Say how often a run that meets all faults stops at least.

    Functions are asked all at once if they are ready, and a plan tells all that it may not look at.
    """
    stopping = _not_survived(case)
    ready = [one for one in stopping if one.location.asked == VERIFY]
    looks = [one for one in stopping if one.location.step == PLANS]
    return len(stopping) - max(0, len(ready) - 1) - max(0, len(looks) - 1)


def _may_be_denied(case: Case) -> bool:
    """Whether a run that was denied this goes on; the set-up tries what may be refused, and proves the outcome."""
    where = case.location
    is_for_others = where.call == "events:PutEvents" or where.is_evidence
    # Once the row says that the old data is back, the way back is over.
    is_back = where.step == f"{USERS_STEP}-{BACK}" and where.is_audit_row and STATE_ROW in where.path
    # Whether the old data could come back under its key is a warning of the plan.
    is_warned_of = (case.situation, where.step, where.call) == ("brought-back", PLANS, "kms:DescribeKey")
    is_told = is_warned_of or _leaves_a_setting_out(case)
    return where.closes or is_for_others or is_back or is_told or isinstance(where, RoundTrip)


def _leaves_a_setting_out(case: Case) -> bool:
    """Whether the old data comes back all the same, and the setting is told: not so its protection, the last of all."""
    where, change = case.location, "rds:ModifyDBCluster"
    is_last_call = where.step == f"restore-snapshot-{BACK}" and where.call == change
    return is_last_call and isinstance(where, Location) and where.path.count(change) == 1


def _words_for_denied(case: Case) -> tuple[str, ...]:
    if isinstance(case.location, RoundTrip):
        return DENIED_IN_DATABASE
    if case.location.asked == VERIFY:
        return ("FunctionsNotReady",)
    if case.location.step == "restore-snapshot" and case.location.call == "rds:ModifyDBCluster":
        return ("AccessDenied", "RestoreFailed")  # a setting without which the cluster is not safe to open
    return ("KeyNotUsable",) if case.location.call == "kms:DescribeKey" else ("AccessDenied",)


def _problems_of_drills(run: Played) -> list[str]:
    """Say what is left of drills, in either Region."""
    world, names = run.laboratory.world, run.operations if run.situation.is_drill else []
    return [f"{name} left {left}" for name in names if (left := left_of(world, name))]


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
    at_database = any(one.location.step == USERS_STEP and isinstance(one.location, RoundTrip) for one in permanent)
    in_set_up = at_database and ended.error in DENIED_IN_DATABASE
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

    def complete() -> list[dict[str, Any]] | None:
        rows, problems = found()
        return rows if not problems else None

    # EventBridge calls the last step once more, a moment after the execution has ended; another look could be between
    # two rows of that call.
    try:
        rows, problems = wait_for(complete, "an audit trail without gaps", seconds=SETTLED_SECONDS), list[str]()
    except AssertionError:
        rows, problems = found()
    done = audit.steps_done(rows)
    unwritable = [one for one in case.faults if one.kind.is_permanent and one.location.is_audit_row]
    if any(one.location.closes and one.location.of == part for one in unwritable) and done == steps[:-1]:
        steps = done  # nobody may write the row that is missing
    # What was asked for may be over before the step that asked comes to its next try: nobody waits for it then.
    awaited = [step for step in steps if step in done or not (part and step.startswith("Check "))]
    if not stopped and done != awaited:
        problems.append(f"audit{part} of {done} instead of {awaited}")
    return problems
