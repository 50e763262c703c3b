"""An execution of the pipeline: starts it, finds it, follows it state by state."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Refused, error_code

_MOST_SHOWN = 20
_WRONG_NAMES = {
    "ExecutionAlreadyExists": "which an execution has; expected a new name, or none: one is made then",
    "InvalidName": "expected 1 to 80 letters, digits, - and _",
}
# States that take no time and that nobody waits for.
_DECISIONS = ("ChoiceStateEntered", "ChoiceStateExited", "PassStateEntered", "PassStateExited")


@dataclass
class Visit:
    """All the time that an execution spent in one state."""

    state: str
    seconds: float = 0.0
    times: int = 0
    entered_at: datetime | None = None

    @property
    def seconds_so_far(self) -> float:
        """The real time in it, with that of a visit which lasts."""
        now = datetime.now(self.entered_at.tzinfo) if self.entered_at else None
        return self.seconds + ((now - self.entered_at).total_seconds() if now and self.entered_at else 0.0)


@dataclass
class Progress:
    """How far an execution is: its states in the order of their first visit."""

    operation_id: str
    status: str = "RUNNING"
    visits: dict[str, Visit] = field(default_factory=dict)
    current: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    started_at: datetime | None = None
    stopped_at: datetime | None = None

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take one event of the history into account."""
        entered, exited = event.get("stateEnteredEventDetails"), event.get("stateExitedEventDetails")
        if event["type"] in _DECISIONS:
            return
        if entered:
            visit = self.visits.setdefault(entered["name"], Visit(entered["name"]))
            visit.entered_at, visit.times = event["timestamp"], visit.times + 1
            self.current = visit.state
        elif exited:
            visit = self.visits[exited["name"]]
            if visit.entered_at:
                visit.seconds += (event["timestamp"] - visit.entered_at).total_seconds()
                visit.entered_at = None

    def leave_last_state(self) -> None:
        """End the visit that the execution ended in: a Fail state, or one that was stopped, has no event for that."""
        for visit in self.visits.values():
            if visit.entered_at and self.stopped_at:
                visit.seconds += max((self.stopped_at - visit.entered_at).total_seconds(), 0.0)
                visit.entered_at = None

    @property
    def seconds(self) -> float:
        """The real time that the whole execution took, or takes so far."""
        if self.started_at is None:
            return 0.0
        end = self.stopped_at or datetime.now(self.started_at.tzinfo)
        return (end - self.started_at).total_seconds()

    @property
    def resumes(self) -> str:
        """The operation that this execution resumes, empty for a run of its own."""
        return str(self.request.get("resume", ""))


class NoSuchExecution(Exception):
    """There is no execution of that name; the message says which there are."""


def start(states: Any, state_machine_arn: str, request: Mapping[str, Any], name: str = "") -> str:
    """Start an execution and return its ARN; its name is the operation's id. Raises `Refused` for no new name."""
    name = name or new_name()
    try:
        arn = states.start_execution(stateMachineArn=state_machine_arn, name=name, input=json.dumps(request))
    except ClientError as error:
        wrong = _WRONG_NAMES.get(error_code(error))
        if wrong is None:
            raise
        raise Refused(f"--name: found {name!r}, {wrong}; nothing was started") from None
    return str(arn["executionArn"])


def new_name(verb: str = "restore") -> str:
    """Return a name that no execution has."""
    return f"{verb}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}"


def follow(states: Any, execution_arn: str, *, seconds: float) -> Iterator[Progress]:
    """Yield the progress every so many seconds until the execution has ended; the last one is its end."""
    progress = Progress(operation_id=execution_arn.rpartition(":")[2])
    seen = 0
    while True:
        description = states.describe_execution(executionArn=execution_arn)
        for event in _events(states, execution_arn):
            if event["id"] > seen:
                progress.apply(event)
                seen = event["id"]
        progress.status = description["status"]
        progress.request = _document(description["input"])
        progress.started_at, progress.stopped_at = description["startDate"], description.get("stopDate")
        if progress.status != "RUNNING":
            progress.output = _document(description.get("output", "{}"))
            progress.error, progress.cause = description.get("error", ""), description.get("cause", "")
            progress.leave_last_state()
        yield progress
        if progress.status != "RUNNING":
            return
        time.sleep(seconds)


def find(states: Any, state_machine_arn: str, name: str | None) -> str:
    """Return the ARN of the execution of that name, the newest if none is given; raises `NoSuchExecution`."""
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn)
    found: list[str] = []
    for page in pages:
        for execution in page["executions"]:  # newest first
            if name in (None, execution["name"]):
                return str(execution["executionArn"])
            found.append(f"  {execution['name']} ({execution['status']})")
    if not found:
        raise NoSuchExecution("Nothing has run here yet.")
    more = [f"  and {len(found) - _MOST_SHOWN} older ones"] if len(found) > _MOST_SHOWN else []
    raise NoSuchExecution("\n".join([f"No operation {name}. There is:", *found[:_MOST_SHOWN], *more]))


def _events(states: Any, execution_arn: str) -> Iterator[Mapping[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    for page in pages:
        yield from page["events"]


def _document(text: str) -> dict[str, Any]:
    value = json.loads(text)
    return value if isinstance(value, dict) else {"output": value}
