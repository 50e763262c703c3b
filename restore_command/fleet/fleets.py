"""A fleet: an execution that starts a run for each of its requests, and the runs that came of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from deployment.account import Refused
from restore_command import execution as executions
from restore_command.execution import NoSuchExecution
from restore_command.fleet.lists import read_list
from restore_command.fleet.requests import target_named_in
from restore_command.pipeline import Pipeline
from restore_command.records import Run, records_of
from utils.operation.model import OperationStatus
from utils.report.advice import Advice, advice_after
from utils.request.parsing import RESUME

NOT_STARTED = "NOT_STARTED"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One request of a fleet; `run` is None while nothing has come of it."""

    operation_id: str
    request: Any
    run: Run | None
    of_dry_fleet: bool = False

    @property
    def target(self) -> str:
        """The cluster that it restores, empty where that is the stack's default or not known."""
        return self.run.target if self.run else target_named_in(self.request)

    @property
    def status(self) -> str:
        """How it stands."""
        return self.run.status.value if self.run else NOT_STARTED

    @property
    def failed(self) -> bool:
        """Whether its run failed."""
        return self.run is not None and self.run.status is OperationStatus.FAILED

    @property
    def is_dry_run(self) -> bool:
        """Whether it restores nothing, and only makes its plan."""
        asked = isinstance(self.request, dict) and self.request.get("dry_run") is True
        return self.of_dry_fleet or asked or (self.run is not None and self.run.is_dry_run)

    @property
    def again(self) -> Any:
        """What goes on with it: its operation where that can be resumed, else a run of its own with its request."""
        operation = self.run.operation if self.run else None
        if operation is None or operation.error is None:
            return self.request
        is_resumed = advice_after(operation.error.name, operation) is Advice.RESUME
        return {RESUME: operation.operation_id} if is_resumed else self.request

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "operation_id": self.operation_id,
            "target_cluster_id": self.target or None,
            "status": self.status,
            "run": self.run.document() if self.run else None,
        }


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The requests of a fleet; `unknown` says why they cannot be told any more, empty where they can."""

    given: list[Any]
    unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A fleet as it stands."""

    arn: str
    name: str
    status: str
    started_at: datetime
    stopped_at: datetime | None
    cause: str
    members: list[Member]
    asked: dict[str, Any]  # its input, as far as that is an object
    requests: Requests

    @property
    def is_over(self) -> bool:
        """Whether it has ended; runs of one that was stopped may go on."""
        return self.status != "RUNNING"

    @property
    def is_dry_run(self) -> bool:
        """Whether none of its runs restores anything."""
        return bool(self.members) and all(member.is_dry_run for member in self.members)

    @property
    def counts(self) -> dict[str, int]:
        """How many stand how, such as `{"SUCCEEDED": 45, "FAILED": 5}`."""
        return dict(sorted(Counter(member.status for member in self.members).items()))

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "fleet": self.name,
            "status": self.status,
            "started_at": self.started_at.isoformat(),
            "stopped_at": self.stopped_at.isoformat() if self.stopped_at else None,
            "cause": self.cause or None,
            "list_unknown": self.requests.unknown or None,
            "counts": self.counts,
            "operations": [member.document() for member in self.members],
        }


def find(pipeline: Pipeline, name: str | None) -> Fleet:
    """Return the fleet of that name, the newest without one; raises `Refused`."""
    try:
        arn = executions.find(pipeline.states, pipeline.fleet_machine_arn, name)
    except NoSuchExecution as error:
        raise Refused(str(error).replace("No operation", "No fleet")) from None
    return at(pipeline, arn)


def at(pipeline: Pipeline, arn: str, requests: Requests | None = None) -> Fleet:
    """Return a fleet as it stands now; its requests are read unless an earlier look has them."""
    found = pipeline.states.describe_execution(executionArn=arn)
    fleet = arn.rpartition(":")[2]
    asked = json.loads(found["input"])
    asked = asked if isinstance(asked, dict) else {}
    requests = requests or _requests_of(pipeline, asked, found["startDate"])
    # By the names of executions: one may go on with an operation of before. A run from before the fleet is another's.
    runs = {
        name: run
        for run in records_of(pipeline).runs()
        for name in (execution.rpartition(":")[2] for execution in run.execution_arns)
        if name != run.operation_id or run.started_at >= found["startDate"]
    }
    names = [operation_id(fleet, number) for number in range(1, len(requests.given) + 1)]
    if requests.unknown:
        names = sorted(name for name in runs if re.fullmatch(rf"{re.escape(fleet)}-\d{{3}}", name))
    return Fleet(
        arn=arn,
        name=fleet,
        status=found["status"],
        started_at=found["startDate"],
        stopped_at=found.get("stopDate"),
        cause=found.get("cause", ""),
        members=[
            Member(operation_id=own, request=request, run=runs.get(own), of_dry_fleet=asked.get("dry_run") is True)
            for own, request in zip_longest(names, requests.given)
        ],
        asked=asked,
        requests=requests,
    )


def _requests_of(pipeline: Pipeline, asked: dict[str, Any], started_at: datetime) -> Requests:
    """Return what a fleet was asked for; a list in S3 counts as long as nobody wrote it again."""
    given, place = asked.get("operations"), asked.get("operations_from")
    if not isinstance(place, str):
        return Requests(given=given if isinstance(given, list) else [])
    try:
        found = read_list(pipeline, place)
    except Refused as error:
        return Requests(given=[], unknown=str(error))
    # S3 tells whole seconds.
    if found.written_at > started_at:
        return Requests(given=[], unknown=f"{place} was written again after the fleet had begun")
    return Requests(given=found.operations)


def operation_id(fleet: str, number: int) -> str:
    """Name the run of a fleet's request, counted from 1, as the state machine does."""
    return f"{fleet}-{number:03}"
