"""Ends executions at their time limit, and redrives those that ended early (ministack 1.5.33 does neither)."""

from __future__ import annotations

import contextvars
import copy
import json
import os
import threading
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
_REDRIVABLE = {"FAILED", "ABORTED", "TIMED_OUT"}
_told: contextvars.ContextVar[Json | None] = contextvars.ContextVar("told_execution", default=None)


def install() -> None:
    """Add what executions lack."""
    remember_variables()
    end_at_the_time_limit()
    redrive_executions()
    tell_of_redrives()


def remember_variables() -> None:
    """Keep an execution's variables with it, for a redrive."""
    states = ministack_modules.service("stepfunctions")
    execute_task: Callable[..., Any] = states._execute_task

    def execute(state: Any, raw_input: Any, execution: Json, context: Json) -> Any:
        execution["variables"] = context["variables"]
        return execute_task(state, raw_input, execution, context)

    states._execute_task = execute


def end_at_the_time_limit() -> None:
    """End an execution as TIMED_OUT after its state machine's TimeoutSeconds, scaled as its waits are."""
    states = ministack_modules.service("stepfunctions")
    run: Callable[[str], None] = states._run_execution

    def run_within_limit(execution_arn: str) -> None:
        timer = _timer(execution_arn)
        try:
            run(execution_arn)
        finally:
            timer.cancel()

    states._run_execution = run_within_limit


def redrive_executions() -> None:
    """Answer RedriveExecution, and tell of redrives in DescribeExecution."""
    states = ministack_modules.service("stepfunctions")
    handle: Callable[..., Any] = states.handle_request
    describe: Callable[[Json], Any] = states._describe_execution

    async def handle_request(method: str, path: str, headers: Json, body: Any, query: Any) -> Any:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return states._finalize_response(_redrive(json.loads(body)))
        return await handle(method, path, headers, body, query)

    def describe_execution(data: Json) -> Any:
        status, headers, body = describe(data)
        execution = states._executions.get(data.get("executionArn"))
        if execution is None:
            return status, headers, body
        return status, headers, json.dumps(json.loads(body) | _redrives(execution)).encode()

    states.handle_request = handle_request
    states._describe_execution = describe_execution


def tell_of_redrives() -> None:
    """Put the number of redrives into the status events, where ministack always says 0."""
    states = ministack_modules.service("stepfunctions")
    events = ministack_modules.service("eventbridge")
    emit: Callable[[Json], None] = states._emit_execution_status_event
    put_events: Callable[..., Any] = events._put_events

    def emit_with_redrives(execution: Json) -> None:
        token = _told.set(execution)
        try:
            emit(execution)
        finally:
            _told.reset(token)

    def put(data: Json, **options: Any) -> Any:
        execution = _told.get()
        if execution is not None:
            for entry in data["Entries"]:
                entry["Detail"] = json.dumps(json.loads(entry["Detail"]) | _redrives(execution))
        return put_events(data, **options)

    states._emit_execution_status_event = emit_with_redrives
    events._put_events = put


def _redrives(execution: Json) -> Json:
    status = "REDRIVABLE" if execution["status"] in _REDRIVABLE else "NOT_REDRIVABLE"
    return {"redriveCount": execution.get("redriveCount", 0), "redriveStatus": status}


def _timer(execution_arn: str) -> threading.Timer:
    """Start the clock of an execution's whole time."""
    states = ministack_modules.service("stepfunctions")
    execution = states._executions[execution_arn]
    machine = states._state_machines.get(execution["stateMachineArn"]) or {"definition": "{}"}
    seconds = json.loads(machine["definition"]).get("TimeoutSeconds", 365 * 86_400)
    limit = min(seconds * float(os.environ["SFN_WAIT_SCALE"]), threading.TIMEOUT_MAX)
    timer = threading.Timer(limit, contextvars.copy_context().run, (_time_out, execution))
    timer.daemon = True
    timer.start()
    return timer


def _time_out(execution: Json) -> None:
    states = ministack_modules.service("stepfunctions")
    if execution["status"] != "RUNNING":
        return
    execution["status"], execution["stopDate"] = "TIMED_OUT", states.now_iso()
    states._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    states._emit_execution_status_event(execution)


def _redrive(data: Json) -> Any:
    """Run an execution again from its last state, with that state's input and the variables of then.

    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """
    states = ministack_modules.service("stepfunctions")
    arn = data.get("executionArn", "")
    ended = states._executions.get(arn)
    if ended is None:
        return states.error_response_json("ExecutionDoesNotExist", f"Execution {arn} not found", 400)
    if ended["status"] not in _REDRIVABLE:
        text = f"Execution {arn} is {ended['status']} and cannot be redriven"
        return states.error_response_json("ExecutionNotRedrivable", text, 400)
    # A thread of before that still waits holds the old record, which has ended.
    execution = copy.deepcopy({key: value for key, value in ended.items() if key not in {"error", "cause"}})
    count = ended.get("redriveCount", 0) + 1
    execution |= {"status": "RUNNING", "stopDate": None, "output": None, "redriveCount": count}
    execution["redriveDate"] = states.now_iso()
    states._executions[arn] = execution
    states._add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": count}})
    states._emit_execution_status_event(execution)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run_again, execution), daemon=True).start()
    return states.json_response({"redriveDate": execution["redriveDate"]})


def _run_again(execution: Json) -> None:
    states = ministack_modules.service("stepfunctions")
    machine = states._state_machines[execution["stateMachineArn"]]
    definition = json.loads(machine["definition"])
    details = [event.get("stateEnteredEventDetails") for event in execution["events"]]
    # What was entered within a Map or Parallel is its business: that begins again as a whole.
    entered = [state for state in details if state and state["name"] in definition["States"]]
    name = entered[-1]["name"] if entered else definition["StartAt"]
    value = json.loads(entered[-1]["input"] if entered else execution["input"])
    context = {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "StartTime": execution["startDate"],
            "RedriveCount": execution["redriveCount"],
            "RedriveTime": execution["redriveDate"],
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": execution.get("variables", {}),
    }
    timer = _timer(execution["executionArn"])
    try:
        _walk(definition["States"], name, value, execution, context)
    except states._ExecutionError as error:
        states._fail_execution(execution, error.error, error.cause)
    finally:
        timer.cancel()


def _walk(all_states: Json, name: str | None, value: Any, execution: Json, context: Json) -> None:
    """Go from state to state."""
    states = ministack_modules.service("stepfunctions")
    steps = {"Pass": states._execute_pass, "Choice": states._execute_choice, "Wait": states._execute_wait}
    with_execution = {
        "Task": states._execute_task,
        "Map": states._execute_map,
        "Parallel": states._execute_parallel,
    }
    while name and execution["status"] == "RUNNING":
        state = all_states[name]
        kind = state["Type"]
        context["State"] = {"Name": name, "EnteredTime": states.now_iso(), "RetryCount": 0}
        details = {"stateEnteredEventDetails": {"name": name, "input": json.dumps(value)}}
        states._add_event(execution, f"{kind}StateEntered", details)
        if kind == "Fail":
            raise states._ExecutionError(*states._fail_state_error(state, value, context))
        following: str | None = None
        if kind in with_execution:
            value, following = with_execution[kind](state, value, execution, context)
        elif kind != "Succeed":
            value, following = steps[kind](state, value, context)
        details = {"stateExitedEventDetails": {"name": name, "output": json.dumps(value)}}
        states._add_event(execution, f"{kind}StateExited", details)
        name = following
    if execution["status"] == "RUNNING":
        execution |= {"status": "SUCCEEDED", "output": json.dumps(value), "stopDate": states.now_iso()}
        details = {"executionSucceededEventDetails": {"output": execution["output"]}}
        states._add_event(execution, "ExecutionSucceeded", details)
        states._emit_execution_status_event(execution)
