"""Runs a Map of mode DISTRIBUTED as AWS does.

ministack 1.5.33 knows no JSONata in it, and goes on with one of which more failed than it tolerates.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import contextvars
import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from local_cloud.ministack import ministack_modules
from local_cloud.ministack.state_machines.item_readers import items_of

Json = dict[str, Any]
EXCEEDED = "States.ExceedToleratedFailureThreshold"
# Each child workflow has an execution of its own; its parent's variables are not in its reach.
_ALLOWED = {"QueryLanguage", "StateMachine"}


def install() -> None:
    """Replace ministack's Map of mode DISTRIBUTED; batches and a writer of results are not here."""
    states = ministack_modules.service("stepfunctions")

    def run(state: Json, raw_input: Any, _effective: Any, iterator: Json, execution: Json, context: Json) -> Any:
        for unknown in ("ItemBatcher", "ResultWriter", "ToleratedFailurePercentage"):
            if unknown in state:
                raise states._ExecutionError("States.Runtime", f"{unknown} is not there in the local cloud")
        if "ItemReader" in state:
            machine = states._state_machines.get(execution["stateMachineArn"]) or {}
            items = items_of(state["ItemReader"], str(machine.get("roleArn", "")), raw_input, context)
        else:
            items = states._jsonata_state_field(state, "Items", "array", raw_input, context)
        work = [_child_input(state, raw_input, context, index, item) for index, item in enumerate(items)]
        map_run = MapRun(
            parent=execution,
            context=context,
            iterator=iterator,
            label=str(state.get("Label") or uuid.uuid4()),
            most_at_once=_number(state, "MaxConcurrency", raw_input, context),
            tolerated=_number(state, "ToleratedFailureCount", raw_input, context),
        )
        results = map_run.of(work)
        output = states._apply_jsonata_output(state, raw_input, context, result=results, default=results)
        states._apply_state_assign(state, raw_input, context, result=results)
        return output, states._next_or_end(state)

    states._run_distributed_map = run


@dataclass(kw_only=True)
class MapRun:
    """The child workflows of one Map: so many at a time, until more have failed than are tolerated."""

    parent: Json
    context: Json
    iterator: Json
    label: str
    most_at_once: int
    tolerated: int
    failed: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, work: list[Any]) -> list[Any]:
        """Run a child for each input and return their outputs; raises when more failed than are tolerated."""
        states = ministack_modules.service("stepfunctions")
        pool = ThreadPoolExecutor(self.most_at_once or len(work) or 1)
        run: Callable[[Any], Any] = self._child
        pending = [pool.submit(contextvars.copy_context().run, run, item) for item in work]
        try:
            while wait(pending, timeout=0.1).not_done and not self._is_over():
                pass
        finally:
            # What a child waits for goes on; its thread ends with it, and nobody hears of that.
            pool.shutdown(wait=False, cancel_futures=True)
        if self.failed > self.tolerated:
            raise states._ExecutionError(EXCEEDED, "The specified tolerated failure threshold was exceeded")
        return [future.result() for future in pending if future.done() and not future.cancelled()]

    def _is_over(self) -> bool:
        if self.failed > self.tolerated or self.parent["status"] != "RUNNING":
            self.over.set()
        return self.over.is_set()

    def _child(self, child_input: Any) -> Any:
        states = ministack_modules.service("stepfunctions")
        if self._is_over():
            return None
        name, machine = str(uuid.uuid4()), f"{self.parent['stateMachineArn']}/{self.label}"
        arn = f"{machine.replace(':stateMachine:', ':execution:', 1)}:{name}"
        child = {
            "executionArn": arn, "stateMachineArn": machine, "name": name, "status": "RUNNING",
            "startDate": states.now_iso(), "stopDate": None, "input": json.dumps(child_input),
            "inputDetails": {"included": True}, "output": None, "outputDetails": {"included": True}, "events": [],
            "testCase": None, "mockAttempts": {},
        }  # fmt: skip
        states._executions[arn] = child
        context = {name: value for name, value in self.context.items() if name in _ALLOWED}
        context |= {"Execution": {"Id": arn, "Input": child_input, "Name": name, "StartTime": child["startDate"]}}
        try:
            output = states._run_sub_machine(
                self.iterator["States"], self.iterator["StartAt"], child_input, child, context | {"variables": {}}
            )
        except states._ExecutionError as error:
            with self._lock:
                self.failed += 1
            child |= {"status": "FAILED", "error": error.error, "cause": error.cause, "stopDate": states.now_iso()}
            return {"Error": error.error, "Cause": error.cause}
        child |= {"status": "SUCCEEDED", "output": json.dumps(output), "stopDate": states.now_iso()}
        return output


def _child_input(state: Json, raw_input: Any, context: Json, index: int, item: Any) -> Any:
    states = ministack_modules.service("stepfunctions")
    if "ItemSelector" not in state:
        return item
    of_item = {**context, "Map": {"Item": {"Index": index, "Value": item}}}
    return states._apply_jsonata_template(state["ItemSelector"], raw_input, of_item)


def _number(state: Json, name: str, raw_input: Any, context: Json) -> int:
    states = ministack_modules.service("stepfunctions")
    return int(states._jsonata_state_field(state, name, "number", raw_input, context)) if name in state else 0
