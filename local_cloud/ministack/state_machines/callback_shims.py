"""Makes ministack's Step Functions wait for a task token as AWS does (ministack 1.5.33)."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
_LOOK_SECONDS = 0.2
# The state, its input, its execution and the context of the task that is at work.
_task: contextvars.ContextVar[tuple[Json, Any, Json, Json]] = contextvars.ContextVar("task")
_machines: dict[str, str] = {}  # of every token that was given out: a late answer is judged as well


def install() -> None:
    """Correct how a task waits for its token, and who may send it."""
    know_the_task_at_work()
    wait_for_the_token()
    take_one_answer()
    judge_an_answer_by_its_state_machine()


def know_the_task_at_work() -> None:
    """Let what waits for a token know its execution: ministack hands over the state alone."""
    states = ministack_modules.service("stepfunctions")
    execute_task: Callable[..., Any] = states._execute_task

    def execute(state: Json, raw_input: Any, execution: Json, context: Json) -> Any:
        token = _task.set((state, raw_input, execution, context))
        try:
            return execute_task(state, raw_input, execution, context)
        finally:
            _task.reset(token)

    states._execute_task = execute


def wait_for_the_token() -> None:
    """Fail a task whose call fails, evaluate and scale its time limit, and end it with its execution.

    ministack waits after a function that failed as well, for what is over, and takes an expression for a number.
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
    """
    states = ministack_modules.service("stepfunctions")

    def invoke(resource: str, arguments: Any, token: str, state: Json) -> Any:
        _, raw_input, execution, context = _task.get()
        answered = threading.Event()
        states._task_tokens[token] = {
            "event": answered, "result": None, "error": None, "heartbeat": None, "execution": execution,
        }  # fmt: skip
        _machines[token] = execution["stateMachineArn"]
        try:
            try:
                states._invoke_resource(resource.replace(".waitForTaskToken", ""), arguments)
            except states._ExecutionError:
                if not answered.is_set():  # an answer ends the task, whatever becomes of the call
                    raise
            seconds = states._jsonata_state_field(state, "TimeoutSeconds", "number", raw_input, context)
            _wait(answered, float(seconds) * float(os.environ["SFN_WAIT_SCALE"]), execution)
        finally:
            info = states._task_tokens.pop(token, {})
        if info.get("error"):
            raise states._ExecutionError(info["error"]["Error"], info["error"]["Cause"])
        return states.json.loads(info["result"])

    states._invoke_with_callback = invoke


def _wait(answered: threading.Event, seconds: float, execution: Json) -> None:
    states = ministack_modules.service("stepfunctions")
    end = time.monotonic() + seconds
    while not answered.wait(min(_LOOK_SECONDS, max(end - time.monotonic(), 0.0))):
        if execution["status"] != "RUNNING":
            raise states._ExecutionError("States.TaskFailed", "the execution is over")  # which ends it no other way
        if time.monotonic() >= end:
            raise states._ExecutionError("States.Timeout", "")


def take_one_answer() -> None:
    """Refuse made-up tokens, and what comes after the first answer or the end of the execution, from that moment on.

    ministack takes it until the task has noticed, in the place of the first one, and has one word for the others.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
    """
    states = ministack_modules.service("stepfunctions")
    for name in ("_send_task_success", "_send_task_failure", "_send_task_heartbeat"):
        setattr(states, name, _of_open_tasks_only(getattr(states, name)))


def _of_open_tasks_only(send: Callable[[Json], Any]) -> Callable[[Json], Any]:
    states = ministack_modules.service("stepfunctions")

    def send_if_open(data: Json) -> Any:
        token = data.get("taskToken")
        task = states._task_tokens.get(token)
        if task and not task["event"].is_set() and task["execution"]["status"] == "RUNNING":
            return send(data)
        if task or token in _machines:
            return states.error_response_json("TaskTimedOut", "the task of this token is closed already", 400)
        return states.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)

    return send_if_open


def judge_an_answer_by_its_state_machine() -> None:
    """Take the state machine as the resource of SendTaskSuccess and its like; ministack takes none.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
    """
    actions = ministack_modules.core("iam_actions")
    original: Callable[..., str] = actions.extract_resource_arn

    def with_machines(service: str, *arguments: Any) -> str:
        arn = original(service, *arguments)
        if service != "states":
            return arn
        body = next((item for item in arguments if isinstance(item, bytes)), b"")
        return next((machine for token, machine in list(_machines.items()) if token.encode() in body), arn)

    actions.extract_resource_arn = with_machines
