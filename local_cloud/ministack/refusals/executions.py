"""Executions: the form of name and input, and 256 KiB for what goes into a state or comes out of one.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
MOST_BYTES = 262_144
LONGEST_NAME = 80
_LONGEST_REASON = {"error": 256, "cause": 32_768}
_FORBIDDEN = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff\U0010ffff]""")
_TOO_LARGE = "States.DataLimitExceeded"
# "A terminal error that can't be caught by the States.ALL error type" (Developer Guide, "Handling errors").
_TERMINAL = (_TOO_LARGE, "States.Runtime")
_STATES = ("_execute_task", "_execute_pass", "_execute_wait", "_execute_choice", "_execute_parallel", "_execute_map")


def install() -> None:
    """Refuse what StartExecution refuses, and end an execution whose data grows too large."""
    judge_what_is_started()
    judge_what_is_answered()
    bound_what_states_pass_on()
    let_nothing_general_catch_terminal_errors()


def judge_what_is_started() -> None:
    """Refuse names and inputs of the wrong form or size, whoever starts: a caller, a rule, a schedule, a machine."""
    states = ministack_modules.service("stepfunctions")
    start: Callable[[Json], Any] = states._start_execution

    def start_if_well_formed(data: Json) -> Any:
        refused = _refusal(data.get("name"), data.get("input", "{}"))
        if refused:
            return states.error_response_json(*refused, 400)
        same = _same_that_runs(states, data)
        if same is None:
            return start(data)
        return states.json_response({"executionArn": same["executionArn"], "startDate": same["startDate"]})

    states._start_execution = start_if_well_formed


def judge_what_is_answered() -> None:
    """Refuse an answer to a task, or a reason to stop, of the wrong form or size.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
    """
    states = ministack_modules.service("stepfunctions")

    def judged(name: str, refusal: Callable[[Json], tuple[str, str] | None]) -> None:
        answer: Callable[[Json], Any] = getattr(states, name)

        def answer_if_well_formed(data: Json) -> Any:
            refused = refusal(data)
            return states.error_response_json(*refused, 400) if refused else answer(data)

        setattr(states, name, answer_if_well_formed)

    judged("_send_task_success", lambda data: _no_output(data.get("output", "{}")))
    judged("_send_task_failure", _too_long_a_reason)
    judged("_stop_execution", _too_long_a_reason)


def bound_what_states_pass_on() -> None:
    """End an execution with States.DataLimitExceeded when a task answers, or a state passes on, too much."""
    states = ministack_modules.service("stepfunctions")
    invoke: Callable[..., Any] = states._invoke_resource

    def invoke_within_limit(resource: str, effective: Any) -> Any:
        result = invoke(resource, effective)
        # The optimized integration adds a few words of its own around the payload.
        given = result.get("Payload", result) if isinstance(result, dict) else result
        _bound(states, given, f"The state/task '{resource}' returned a result")
        return result

    states._invoke_resource = invoke_within_limit
    for name in _STATES:
        setattr(states, name, _bounded(states, getattr(states, name)))


def let_nothing_general_catch_terminal_errors() -> None:
    """Let neither States.ALL nor States.TaskFailed retry or catch what is terminal; ministack lets both."""
    states = ministack_modules.service("stepfunctions")
    matches: Callable[[list[str], str], bool] = states._error_matches

    def error_matches(names: list[str], error: str) -> bool:
        return error in names if error in _TERMINAL else matches(names, error)

    states._error_matches = error_matches


def _same_that_runs(states: Any, data: Json) -> Json | None:
    """Return the execution of that name and input if it runs: a standard workflow's start may be asked for again."""
    name = data.get("name")
    machine = states._state_machines.get(states._resolve_state_machine_arn(data.get("stateMachineArn", "")))
    if not name or machine is None or machine.get("type") == "EXPRESS":
        return None
    found = states._executions.get(machine["stateMachineArn"].replace(":stateMachine:", ":execution:", 1) + f":{name}")
    is_same = found is not None and found["status"] == "RUNNING" and found["input"] == data.get("input", "{}")
    return found if is_same else None


def _refusal(name: str | None, text: str) -> tuple[str, str] | None:
    if name is not None and len(name) > LONGEST_NAME:
        return _constraint("name", f"have length less than or equal to {LONGEST_NAME}")
    if name is not None and (not name or _FORBIDDEN.search(name)):
        return "InvalidName", f"Invalid Name: '{name}'"
    if len(text.encode()) > MOST_BYTES:
        return _constraint("input", f"have length less than or equal to {MOST_BYTES}")
    problem = _problem_of_json(text)
    return ("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'") if problem else None


def _no_output(text: str) -> tuple[str, str] | None:
    if len(text.encode()) > MOST_BYTES:
        return _constraint("output", f"have length less than or equal to {MOST_BYTES}")
    problem = _problem_of_json(text)
    return ("InvalidOutput", f"Invalid Output: '{problem}'") if problem else None


def _too_long_a_reason(data: Json) -> tuple[str, str] | None:
    for member, longest in _LONGEST_REASON.items():
        if len(data.get(member) or "") > longest:
            return _constraint(member, f"have length less than or equal to {longest}")
    return None


def _problem_of_json(text: str) -> str:
    """Say why a text is no JSON; Python takes NaN and Infinity, and gives up on what is nested very deep."""
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


def _no_constant(name: str) -> None:
    raise ValueError(f"Unrecognized token '{name}'")


def _constraint(member: str, rule: str) -> tuple[str, str]:
    text = f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must {rule}"
    return "ValidationException", text


def _bounded(states: Any, execute: Callable[..., Any]) -> Callable[..., Any]:
    def execute_within_limit(state: Json, *rest: Any) -> Any:
        output, following = execute(state, *rest)
        _bound(states, output, f"The state of type '{state.get('Type')}' passed on an output")
        return output, following

    return execute_within_limit


def _bound(states: Any, value: Any, what: str) -> None:
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_BYTES:
        text = f"{what} with a size exceeding the maximum number of bytes service limit."
        raise states._ExecutionError(_TOO_LARGE, text)
