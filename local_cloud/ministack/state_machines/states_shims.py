"""Makes ministack's Step Functions refuse what AWS refuses, and meet functions that are not ready (1.5.33)."""

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

# A tag of a function: how often it is still not ready; after a colon, of which execution's calls, all if left out.
NOT_READY_TAG = "local-cloud:not-ready"
NOT_READY = "Lambda.ResourceNotReadyException"
_counting = threading.Lock()
_role_arn: contextvars.ContextVar[str] = contextvars.ContextVar("role_arn", default="")


def install(shortest_wait: float) -> None:
    """Correct what state machines may do; a Wait lasts `shortest_wait` real seconds at least."""
    invoke_functions_as_the_state_machines_role()
    meet_functions_that_are_not_ready()
    give_expressions_time()
    let_waits_last(shortest_wait)
    let_one_assign_see_the_old_values()


def invoke_functions_as_the_state_machines_role() -> None:
    """Let a state machine invoke and start only what its role allows; ministack invokes and starts anything."""
    states = ministack_modules.service("stepfunctions")
    functions = ministack_modules.service("lambda_svc")
    execute_task: Callable[..., Any] = states._execute_task
    call_lambda: Callable[[str, Any], Any] = states._call_lambda
    start_nested: Callable[[str, Any], Any] = states._invoke_nested_start_execution

    def execute_with_role(state: Any, raw_input: Any, execution: Any, context: Any) -> Any:
        # A child of a distributed Map works with its machine's role: machine/label.
        machine = states._state_machines.get(execution["stateMachineArn"].partition("/")[0]) or {}
        token = _role_arn.set(str(machine.get("roleArn", "")))
        try:
            return execute_task(state, raw_input, execution, context)
        finally:
            _role_arn.reset(token)

    def call_if_allowed(function: str, event: Any) -> Any:
        _, config, _ = functions._get_func_record_for_ref(function)
        role = _role_arn.get()
        if config and role and not role_allows(role, "lambda:InvokeFunction", config["FunctionArn"]):
            name = role.rpartition("/")[2]
            session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/execution"
            raise states._ExecutionError(
                "Lambda.AWSLambdaException",
                f"User: {session} is not authorized to perform: lambda:InvokeFunction on resource: "
                f"{config['FunctionArn']} because no identity-based policy of {name} allows the "
                "lambda:InvokeFunction action (Service: Lambda, Status Code: 403)",
            )
        return call_lambda(function, event)

    def start_if_allowed(resource: str, arguments: Any) -> Any:
        role, machine = _role_arn.get(), str(arguments.get("StateMachineArn", ""))
        if role and not role_allows(role, "states:StartExecution", machine):
            raise states._ExecutionError(
                "StepFunctions.AccessDeniedException",
                f"{role} is not authorized to perform: states:StartExecution on resource: {machine} "
                "(Service: Sfn, Status Code: 400)",
            )
        try:
            return start_nested(resource, arguments)
        except states._ExecutionError as refused:
            # As the integration names the service's errors.
            raise states._ExecutionError(f"StepFunctions.{refused.error}Exception", refused.cause) from None

    states._execute_task = execute_with_role
    states._invoke_nested_start_execution = start_if_allowed
    states._call_lambda = call_if_allowed


def meet_functions_that_are_not_ready() -> None:
    """Let functions answer as those do that nobody called for weeks, as often as their tag says.

    `aws lambda tag-resource --resource ARN --tags local-cloud:not-ready=3`, or `=3:NAME` for the calls that have the
    name of an execution;
    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """
    states = ministack_modules.service("stepfunctions")
    functions = ministack_modules.service("lambda_svc")
    call_lambda: Callable[[str, Any], Any] = states._call_lambda

    def call_if_ready(reference: str, event: Any) -> Any:
        function, _, name = functions._get_func_record_for_ref(reference)
        if function and _is_not_ready(function.setdefault("tags", {}), event):
            raise states._ExecutionError(
                NOT_READY,
                f"The operation cannot be performed at this time. The function {name} is currently in the following "
                "state: Inactive (Service: Lambda, Status Code: 502)",
            )
        return call_lambda(reference, event)

    states._call_lambda = call_if_ready


def _is_not_ready(tags: dict[str, str], event: Any) -> bool:
    with _counting:
        times, _, whose = tags.get(NOT_READY_TAG, "0").partition(":")
        is_asleep = int(times) > 0 and whose in json.dumps(event)
        if is_asleep:
            tags[NOT_READY_TAG] = f"{int(times) - 1}:{whose}"
        return is_asleep


def give_expressions_time() -> None:
    """Let a JSONata expression take a minute: AWS's second is for its own machines, not for a busy one of two cores."""
    engine = ministack_modules.service("stepfunctions").jsonata.Jsonata
    original: Callable[..., Any] = engine.jsonata

    def jsonata(expression: str, **options: Any) -> Any:
        return original(expression, **{**options, "timeout": 60_000})

    engine.jsonata = staticmethod(jsonata)


def let_waits_last(seconds: float) -> None:
    """Let a Wait last some real seconds, however fast time runs, so that looking leaves what is looked at its time."""
    states = ministack_modules.service("stepfunctions")
    wait: Callable[..., Any] = states._execute_wait

    def execute_wait(*args: Any, **options: Any) -> Any:
        began = time.monotonic()
        result = wait(*args, **options)
        time.sleep(max(seconds - (time.monotonic() - began), 0.0))
        return result

    states._execute_wait = execute_wait


def let_one_assign_see_the_old_values() -> None:
    """Evaluate all expressions of an Assign before any variable is new; ministack goes from one to the next.

    https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
    """
    states = ministack_modules.service("stepfunctions")
    apply: Callable[..., None] = states._apply_state_assign

    def assign(state: Any, raw_input: Any, context: Any, **more: Any) -> None:
        wanted = state.get("Assign")
        if context is None or not isinstance(wanted, dict):
            return
        old: dict[str, Any] = context.setdefault("variables", {})
        new: dict[str, Any] = {}
        for name, expression in wanted.items():
            alone = {**context, "variables": dict(old)}
            apply({**state, "Assign": {name: expression}}, raw_input, alone, **more)
            new |= {key: value for key, value in alone["variables"].items() if key == name}
        old.update(new)

    states._apply_state_assign = assign


def role_at_work() -> str:
    """Return the ARN of the role of the state machine whose task this is."""
    return _role_arn.get()


def role_allows(role_arn: str, action: str, resource_arn: str) -> bool:
    """Tell whether a role's own policies allow an action on a resource."""
    evaluator = ministack_modules.core("iam_evaluator")
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    context = evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource_arn,
        region=resource_arn.split(":")[3],
    )
    return bool(evaluator.evaluate(context, evaluator._gather_role_policies(name, account)).decision == "Allow")
