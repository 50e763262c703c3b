"""A situation, played on a lane from its beginning to its end, and gone on with where it stopped."""

import contextlib
from dataclasses import dataclass, field, replace
from typing import Any

from local_cloud.regions import TARGET_REGION
from tests.faults.cases import Case, together
from tests.faults.laboratory import Asked, Ended, Laboratory
from tests.faults.people import act
from tests.faults.situations import AFTERWARDS, Situation, refusal
from tests.waiting import wait_for

# Longer than a call takes of which no answer comes.
SETTLED_SECONDS = 90.0


@dataclass
class Played:
    """A situation on a lane; `operations` are all whose rows it has, `former` the cluster that was there before."""

    laboratory: Laboratory
    lane: str
    situation: Situation
    former: str
    messages: int
    name: str = ""
    undone: str = ""
    operations: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    asked: Asked = field(default_factory=list)
    asked_of: str = ""  # the operation that is to meet them
    resumed: int = 0
    refusals: list[int] = field(default_factory=list)
    more_messages: int = 0  # than one for each time that something stopped

    def end_of_what_follows(self, part: str) -> Ended:
        """Wait until what deals with a cluster after the run, which the run has begun, is over."""
        name = self.name + part
        wait_for(lambda: self.laboratory.world.row(name), f"the row of {name}")
        self.operations.append(name)
        ended = self.laboratory.end_of(name)
        self.wait_until_closed(name)
        return ended

    def go_on(self, part: str, stopped: Ended) -> Ended:
        """Go on where an operation stopped, with nothing refused for good any more.

        A drill, and one that never had a plan, can only be started anew.
        """
        self._refuse_no_more()
        if part:
            self.resumed += 1
            return self.laboratory.go_on_with_what_follows(stopped.operation_id, self.resumed)
        has_plan = "plan" in (self.laboratory.world.row(self.name) or {})
        if self.situation.is_drill and self.laboratory.has_begun(self.name + AFTERWARDS):
            cleaned_up = self.end_of_what_follows(AFTERWARDS)
            self.problems += [] if cleaned_up.status == "SUCCEEDED" else [f"not cleaned up: {cleaned_up}"]
            self.more_messages += 1
        if not has_plan or self.situation.is_drill:
            return self._start_anew()
        self.resumed += 1
        return self._started({"resume": self.name}, f"{self.name}-resumed-{self.resumed}")

    def _start_anew(self) -> Ended:
        """Start another run, with the faults that are still to be met."""
        unmet = self.unmet()
        self.laboratory.forget(self.asked)
        self.asked = []
        return self.start(together(unmet) if unmet else None)

    def start(self, case: Case | None = None) -> Ended:
        """Start the run that the situation is about, with the fault of a case in it, and wait for its end."""
        laboratory, situation = self.laboratory, self.situation
        self.name = laboratory.new_name()
        self.operations.append(self.name)
        if situation.refused:
            self.refusals.append(laboratory.cloud.aurora_control("POST", "faults", refusal(self.lane))["id"])
        if case is not None:
            self.asked, self.asked_of = laboratory.ask_for(case, self.name, self.lane), self.name
        wishes = laboratory.request(self.lane, **situation.wishes)
        return self._started({"undo": self.undone} if self.undone else wishes, self.name)

    def leave(self) -> None:
        """Leave nothing that would happen on the lane whoever uses it."""
        self._refuse_no_more()
        self.laboratory.forget(self.asked)

    def _refuse_no_more(self) -> None:
        if self.refusals:
            self.laboratory.cloud.aurora_control("DELETE", "faults", {"ids": self.refusals})
            self.refusals = []

    def unmet(self) -> list[Case]:
        """Return the faults that the run has not met so far."""
        return self.laboratory.unmet(self.asked, self.asked_of)

    def _started(self, request: dict[str, Any], execution: str) -> Ended:
        self.laboratory.world.start(request, execution)
        self.problems += act(self.laboratory, self.situation.people, self.name, execution)
        ended = replace(self.laboratory.end_of(execution), operation_id=self.name)
        if ended.status == "ABORTED":
            self.wait_until_closed(self.name)
        return ended

    def wait_until_closed(self, name: str) -> None:
        """Wait for EventBridge to have an operation closed."""
        world = self.laboratory.world

        def is_closed() -> bool:
            row = world.row(name) or {}
            return "notified_at" in row and world.row(f"lock#{TARGET_REGION}#{self.lane}") is None

        with contextlib.suppress(AssertionError):  # what is missing is judged by who looks next
            wait_for(is_closed, f"EventBridge to close {name}", seconds=SETTLED_SECONDS)


def begin(laboratory: Laboratory, lane: str, situation: Situation) -> Played:
    """Do what comes before the run that the situation is about."""
    world = laboratory.world
    if situation.is_beside_its_source:
        laboratory.make_production_beside()
    if situation.takes_new_snapshot and not world.snapshots("source", lane, world.source):
        # One that this run makes superfluous.
        assert laboratory.run(laboratory.request(lane, source=situation.wishes["source"])).status == "SUCCEEDED"
    former = str(world.cluster(lane)["DbClusterResourceId"])
    played = Played(laboratory, lane, situation, former, len(world.mailbox.messages()))
    if situation.undoes:
        swap = laboratory.run(laboratory.request(lane, **situation.wishes))
        assert swap.status == "SUCCEEDED", swap
        played.undone = swap.operation_id
        played.operations.append(swap.operation_id)
    return played
