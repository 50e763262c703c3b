"""A pipeline as restore.sh sees it: its tables in moto, its executions and its stack made up."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from deployment import stacks
from deployment.account import Account
from deployment.names import Names
from restore_command.output import Output, SafeConsole
from restore_command.pipeline import AUDIT_TABLE, STATE_TABLE, Pipeline
from tests.unit.operation.tables import make_table
from utils.operation.audit_log import AuditEvent, AuditRow, DynamoDbAuditLog
from utils.operation.state_table import DynamoDbOperationStore

MACHINE = "arn:aws:states:us-west-2:123456789012:stateMachine:aurora-restore-pipeline"
FLEETS = MACHINE.replace("-pipeline", "-fleet")
LISTS = "s3://lists/fleets/"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


@dataclass
class FakeStates:
    """Step Functions with executions that end at the look that is asked for."""

    running_looks: int = 0
    status: str = "SUCCEEDED"
    output: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    interrupted_at: int | None = None
    names: list[str] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0

    def start_execution(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"executionArn": execution(request["name"])}

    def describe_execution(self, **_asked: Any) -> dict[str, Any]:
        self.looks += 1
        if self.looks == self.interrupted_at:
            raise KeyboardInterrupt
        is_running = self.looks <= self.running_looks
        asked = self.started[-1]["input"] if self.started else "{}"
        return {
            "status": "RUNNING" if is_running else self.status,
            "input": asked,
            "startDate": NOW,
            **({} if is_running else {"stopDate": NOW + timedelta(minutes=9), "output": json.dumps(dict(self.output))}),
            **({"error": self.error, "cause": self.cause} if self.error and not is_running else {}),
        }

    def get_paginator(self, name: str) -> "FakeStates._Pages":
        return FakeStates._Pages(self, name)

    @dataclass
    class _Pages:
        states: "FakeStates"
        name: str

        def paginate(self, **_asked: Any) -> list[dict[str, Any]]:
            if self.name == "list_executions":
                names = self.states.names
                return [{"executions": [{"executionArn": execution(n), "name": n, "status": "FAILED"} for n in names]}]
            entered = [
                {"id": number, "type": "TaskStateEntered", "timestamp": NOW, "stateEnteredEventDetails": {"name": name}}
                for number, name in enumerate(("Snapshot Check", "Copy Snapshot")[: max(self.states.looks, 1)], 1)
            ]
            return [{"events": entered}]


class Desk:
    """A pipeline, and what its commands print."""

    def __init__(self, states: FakeStates | None = None, **parameters: str) -> None:
        self.states = states or FakeStates()
        self.state = make_table(STATE_TABLE, "operation_id")
        self.audit = make_table(AUDIT_TABLE, "operation_id", "timestamp")
        self.store = DynamoDbOperationStore(self.state)
        self.pipeline = _Pipeline(self, {"SourceRegion": "us-east-1", **parameters})
        self._printed, self._noted = io.StringIO(), io.StringIO()

    def output(self, *, as_json: bool = False, terminal: bool = False) -> Output:
        made = Output(as_json)
        made.console = SafeConsole(
            file=self._printed, width=100, markup=False, highlight=False, force_terminal=terminal
        )
        made.notes = SafeConsole(file=self._noted, width=500, markup=False, highlight=False)
        return made

    def leaves_in_trail(self, operation_id: str, step: str, at: datetime, **more: Any) -> None:
        row = AuditRow(operation_id=operation_id, step=step, event=AuditEvent.LEFT, actor="arn:x", at=at, **more)
        DynamoDbAuditLog(self.audit).append(row)

    @property
    def printed(self) -> str:
        return self._printed.getvalue()

    @property
    def noted(self) -> str:
        return self._noted.getvalue()


class _Pipeline(Pipeline):
    def __init__(self, desk: Desk, parameters: Mapping[str, str]) -> None:
        session = boto3.session.Session(region_name="us-west-2")
        super().__init__(Account("us-west-2", "123456789012", "arn:aws:iam::123456789012:user/ops", session))
        self._desk, self.names = desk, Names()
        outputs = {"StateMachineArn": MACHINE, "FleetStateMachineArn": FLEETS, "FleetLists": LISTS}
        self._stack = stacks.Stack("aurora-restore", "CREATE_COMPLETE", parameters, outputs)
        self.states = desk.states

    def table(self, name: str) -> Any:
        return self._desk.state if name == STATE_TABLE else self._desk.audit


def execution(name: str) -> str:
    """Return the ARN of an execution."""
    return f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
