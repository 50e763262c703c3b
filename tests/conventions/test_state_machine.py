"""The state machine and the product agree both ways: errors, states, functions, and every path to an end."""

import json
import re
from typing import Any

import pytest

from tests.conventions.cfn_yaml import REPOSITORY
from utils import errors
from utils.errors import ApprovalTimedOut, AuroraRestoreError, FunctionsNotReady, PermanentError, RetryableError
from utils.operation.model import StepName
from utils.runtime.approval import ASKING, RECORDING
from utils.runtime.contract import StepStatus
from utils.runtime.verification import VerifyEvent

State = dict[str, Any]

MACHINE: State = json.loads((REPOSITORY / "statemachine/aurora_restore.asl.json").read_text())
STATES: dict[str, State] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
ASK_ALL = STATES["Ask All Functions"]
(ASK_ONE,) = (state for state in ASK_ALL["ItemProcessor"]["States"].values() if state["Type"] == "Task")
FAILURE_NOTICE = "SNS Failure Notification"
ROLL_BACK, BRING_BACK = "Roll Back Swap", "Bring Back"
# From the deletion on until the users are proven: the old data may have to come back.
AT_RISK = {
    StepName.DELETE_RDS,
    StepName.CHECK_DELETE_STATUS,
    StepName.RESTORE_SNAPSHOT,
    StepName.CHECK_RESTORE_STATUS,
    StepName.SETUP_DB_USERS,
}
ASK, RECORD = ASKING, RECORDING
OURS = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, AuroraRestoreError)}
BASES = {AuroraRestoreError, RetryableError, PermanentError}
RETRYABLE = {cls.__name__ for cls in OURS - BASES if issubclass(cls, RetryableError)}
PERMANENT = {cls.__name__ for cls in OURS - BASES if issubclass(cls, PermanentError)}
# What Step Functions and Lambda call their own transient failures; `Sandbox.Timedout` is a function's time-out,
# `Runtime.ExitError` and `Runtime.OutOfMemory` the end of its process.
TRANSIENT = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
    "States.Timeout",
}

# A function that nobody called for weeks has lost its network interface or its code's place, and gets them back.
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
NOT_READY = {
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.EC2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.ENILimitReachedException",
    "Lambda.ENINotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
    "Lambda.SubnetIPAddressLimitReachedException",
}
NOT_READY_SECONDS = 300


def exits_of(state: State) -> set[str]:
    """The states that may come next."""
    after = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {part["Next"] for part in after if "Next" in part} | ({state["Default"]} if "Default" in state else set())


def reachable_from(name: str) -> set[str]:
    """A state and every state after it."""
    seen, todo = set(), {name}
    while todo:
        current = todo.pop()
        seen.add(current)
        todo |= exits_of(STATES[current]) - seen
    return seen


def retried_by(state: State) -> list[str]:
    return [error for retry in state["Retry"] for error in retry["ErrorEquals"]]


def test_it_is_jsonata_with_a_time_limit() -> None:
    assert MACHINE["QueryLanguage"] == "JSONata"
    assert 0 < MACHINE["TimeoutSeconds"] <= 14 * 86_400


@pytest.mark.parametrize("name", TASKS)
def test_a_task_retries_exactly_what_may_pass(name: str) -> None:
    retried = retried_by(TASKS[name])
    assert len(retried) == len(set(retried))
    assert {error for error in retried if error in RETRYABLE | PERMANENT} == RETRYABLE
    # A person who does not answer is not asked again.
    assert set(retried) - RETRYABLE == (TRANSIENT - {"States.Timeout"} if name == ASK else TRANSIENT) | NOT_READY


def test_every_task_retries_alike() -> None:
    retries = [state["Retry"] for name, state in TASKS.items() if name != ASK] + [ASK_ONE["Retry"]]
    assert all(retry == retries[0] for retry in retries)
    asking, *others = TASKS[ASK]["Retry"]
    assert {**asking, "ErrorEquals": [*asking["ErrorEquals"], "States.Timeout"]} == retries[0][0]
    assert others == retries[0][1:]


@pytest.mark.parametrize("name", TASKS)
def test_a_function_that_is_not_ready_is_waited_for_five_minutes_for_certain(name: str) -> None:
    (retry,) = [retry for retry in TASKS[name]["Retry"] if set(retry["ErrorEquals"]) & NOT_READY]
    assert set(retry["ErrorEquals"]) == NOT_READY
    assert retry["JitterStrategy"] == "NONE"
    delays = [retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt for attempt in range(retry["MaxAttempts"])]
    assert sum(min(delay, retry["MaxDelaySeconds"]) for delay in delays) >= NOT_READY_SECONDS


@pytest.mark.parametrize("name", TASKS)
def test_every_retry_ends_and_spreads(name: str) -> None:
    for retry in TASKS[name]["Retry"]:
        assert retry["JitterStrategy"] == ("NONE" if set(retry["ErrorEquals"]) & NOT_READY else "FULL")
        assert 1 <= retry["MaxAttempts"] <= 10
        assert retry["BackoffRate"] > 1
        assert retry["IntervalSeconds"] < retry["MaxDelaySeconds"] <= 300


def test_a_person_has_as_long_as_the_request_says_and_then_the_run_ends_by_an_error_of_ours() -> None:
    assert TASKS[ASK]["TimeoutSeconds"] == "{% $approval_seconds %}"
    timeout, _ = TASKS[ASK]["Catch"]
    assert (timeout["ErrorEquals"], timeout["Next"]) == (["States.Timeout"], FAILURE_NOTICE)
    assert timeout["Assign"]["error"]["Error"] == ApprovalTimedOut.__name__


def test_only_an_answer_leads_from_the_question_to_a_change() -> None:
    assert {name for name, state in STATES.items() if RECORD in exits_of(state)} == {ASK}
    assert exits_of(STATES[ASK]) == {RECORD, FAILURE_NOTICE}
    assert TASKS[RECORD]["Arguments"]["Payload"]["answer"] == "{% $states.input %}"
    needed = STATES["Is Approval Needed?"]
    assert needed["Choices"] == [{"Condition": "{% $approval_seconds > 0 %}", "Next": ASK}]
    assert needed["Default"] == StepName.COPY_SNAPSHOT


@pytest.mark.parametrize("name", [name for name in TASKS if name != ASK])
def test_every_task_has_a_time_limit_longer_than_its_functions(name: str) -> None:
    longest_function = 900 if name == StepName.SETUP_DB_USERS else 120
    assert longest_function < TASKS[name]["TimeoutSeconds"] <= longest_function + 60


@pytest.mark.parametrize("name", TASKS)
def test_every_task_catches_everything(name: str) -> None:
    *others, catch = TASKS[name]["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert len(others) == (name == ASK)


def test_a_failed_step_is_told_and_ends_in_fail() -> None:
    swap = {StepName.SWAP_CLUSTERS, StepName.CHECK_SWAP_STATUS}
    steps = set(TASKS) - {FAILURE_NOTICE, StepName.SNS_NOTIFICATION, ROLL_BACK, BRING_BACK}
    assert {STATES[name]["Catch"][-1]["Next"] for name in steps - swap - AT_RISK} == {FAILURE_NOTICE}
    assert {STATES[name]["Catch"][0]["Next"] for name in swap} == {ROLL_BACK}
    assert {STATES[name]["Catch"][0]["Next"] for name in AT_RISK} == {BRING_BACK}
    for name in (ROLL_BACK, BRING_BACK):
        assert STATES[name]["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": FAILURE_NOTICE}], (
            "the first error is told"
        )
        assert FAILURE_NOTICE in exits_of(STATES[exits_of(STATES[name]).difference({FAILURE_NOTICE}).pop()])
    assert {STATES[name]["Catch"][-1]["Assign"]["error"] for name in steps} == {"{% $states.errorOutput %}"}
    ends = {name for name in reachable_from(FAILURE_NOTICE) if not exits_of(STATES[name])}
    assert {STATES[name]["Type"] for name in ends} == {"Fail"}


def test_a_notice_that_fails_changes_neither_end() -> None:
    assert STATES[STATES[StepName.SNS_NOTIFICATION]["Catch"][0]["Next"]]["Type"] == "Succeed"
    assert STATES[STATES[FAILURE_NOTICE]["Catch"][0]["Next"]]["Type"] == "Fail"


def test_the_failure_carries_the_errors_name_and_cause() -> None:
    (fail,) = [state for state in STATES.values() if state["Type"] == "Fail"]
    assert (fail["Error"], fail["Cause"]) == ("{% $error.Error %}", "{% $cause %}")
    assert STATES[FAILURE_NOTICE]["Assign"]["cause"]
    assert STATES[FAILURE_NOTICE]["Catch"][0]["Assign"]["cause"]


def test_the_steps_are_its_tasks_by_name() -> None:
    assert set(TASKS) == {name.value for name in StepName} | {FAILURE_NOTICE, ROLL_BACK, BRING_BACK, ASK, RECORD}


@pytest.mark.parametrize("step", StepName, ids=lambda step: step.value)
def test_a_state_invokes_the_function_of_its_name(step: StepName) -> None:
    words = "".join(word.capitalize() for word in step.value.split())
    task = TASKS[step]
    assert task["Resource"] == "arn:aws:states:::lambda:invoke"
    assert task["Arguments"]["FunctionName"] == f"${{{words}FunctionArn}}"


def test_the_failure_notice_is_the_last_steps_function() -> None:
    for name in (FAILURE_NOTICE, ASK, RECORD):
        assert TASKS[name]["Arguments"]["FunctionName"] == "${SnsNotificationFunctionArn}"
    assert {"error", "failed_step"} <= set(TASKS[FAILURE_NOTICE]["Arguments"]["Payload"])


@pytest.mark.parametrize("name", TASKS)
def test_every_function_gets_the_operation_and_its_execution(name: str) -> None:
    payload = TASKS[name]["Arguments"]["Payload"]
    first = name == StepName.SNAPSHOT_CHECK
    assert payload["operation_id"] == ("{% $states.context.Execution.Name %}" if first else "{% $operation_id %}")
    assert payload["execution_arn"] == "{% $states.context.Execution.Id %}"
    assert ("request" in payload) == (name == StepName.SNAPSHOT_CHECK)


def test_every_status_that_is_waited_for_is_one_that_a_step_answers() -> None:
    conditions = [choice["Condition"] for state in STATES.values() for choice in state.get("Choices", [])]
    named = {status for condition in conditions for status in re.findall(r"status = '(\w+)'", condition)}
    # What is none of these is IN_PROGRESS, and takes the Default to a Wait.
    assert named == {status.value for status in StepStatus} - {StepStatus.IN_PROGRESS.value}


def test_every_state_is_reached_and_every_state_is_there() -> None:
    assert reachable_from(MACHINE["StartAt"]) == set(STATES)


def test_the_order_of_the_steps_is_the_order_of_their_states() -> None:
    order = [name for name in STATES if name in {step.value for step in StepName}]
    assert order == [step.value for step in StepName]


def test_every_function_is_asked_before_anything_is_changed() -> None:
    assert ASK_ALL["Items"] == [TASKS[step]["Arguments"]["FunctionName"] for step in StepName]
    assert ASK_ONE["Arguments"]["FunctionName"] == "{% $states.input %}"
    VerifyEvent.model_validate(ASK_ONE["Arguments"]["Payload"])
    before_the_copy = {name for name, state in STATES.items() if StepName.COPY_SNAPSHOT in exits_of(state)}
    assert before_the_copy == {"Is Approval Needed?", RECORD, "Is the Copy Ready?"}
    assert STATES["Are All Functions Ready?"]["Choices"] == [
        {"Condition": "{% $count($states.input.problems) = 0 %}", "Next": "Is Approval Needed?"}
    ]
    assert {name for name, state in STATES.items() if "Is Approval Needed?" in exits_of(state)} == {
        "Are All Functions Ready?"
    }
    assert ASK_ALL["Catch"][0]["Next"] == FAILURE_NOTICE


def test_what_is_not_ready_fails_the_run_by_an_error_of_ours() -> None:
    refusal = STATES[STATES["Are All Functions Ready?"]["Default"]]
    assert (refusal["Assign"]["error"]["Error"], refusal["Next"]) == (FunctionsNotReady.__name__, FAILURE_NOTICE)


def test_nothing_is_deleted_before_the_copy_is_ready() -> None:
    into_deletion = {name for name, state in STATES.items() if StepName.DELETE_RDS in exits_of(state)}
    assert into_deletion == {"Is the Copy Ready?", "Is the Old Target Gone?"}
    choices = STATES["Is the Copy Ready?"]["Choices"]
    assert [choice for choice in choices if choice["Next"] == StepName.DELETE_RDS] == [
        {"Condition": "{% $states.input.status = 'READY' %}", "Next": StepName.DELETE_RDS}
    ]
