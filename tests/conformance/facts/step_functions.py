"""Step Functions: names and starts, errors and who catches them, variables, callbacks, the end of executions."""

import json
from hashlib import sha256
from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true

_STARTING = "Step Functions API, StartExecution"
_ERRORS = "Step Functions Developer Guide, Handling errors"
_LONG_WAIT: dict[str, Any] = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}


@fact("stepfunctions", _STARTING, minutes=1)
def a_start_under_the_same_name_is_answered_once_more(bench: Bench) -> None:
    """The same name and input while it runs: the same execution. Another input, or after its end: refused."""
    states, machine, name = bench.client("stepfunctions"), bench.made.machine(_LONG_WAIT), bench.name("run")
    first = states.start_execution(stateMachineArn=machine, name=name, input='{"a": 1}')
    again = states.start_execution(stateMachineArn=machine, name=name, input='{"a": 1}')
    equal(again["executionArn"], first["executionArn"], "the execution")
    bench.refused(
        "ExecutionAlreadyExists",
        lambda: states.start_execution(stateMachineArn=machine, name=name, input='{"a": 2}'),
    )
    states.stop_execution(executionArn=first["executionArn"], error="Stopped", cause="as asked")
    ended = bench.made.end_of(first["executionArn"])
    equal((ended["status"], ended["error"], ended["cause"]), ("ABORTED", "Stopped", "as asked"), "the end")
    bench.refused(
        "ExecutionAlreadyExists",
        lambda: states.start_execution(stateMachineArn=machine, name=name, input='{"a": 1}'),
    )


@fact("stepfunctions", _STARTING)
def a_name_has_no_spaces(bench: Bench) -> None:
    """An execution's name with a space: InvalidName."""
    states, machine = bench.client("stepfunctions"), bench.made.machine(_LONG_WAIT)
    bench.refused("InvalidName", lambda: states.start_execution(stateMachineArn=machine, name="not a name"))


@fact("stepfunctions", _STARTING)
def an_input_is_json(bench: Bench) -> None:
    """An input that is no JSON: InvalidExecutionInput."""
    states, machine = bench.client("stepfunctions"), bench.made.machine(_LONG_WAIT)
    bench.refused("InvalidExecutionInput", lambda: states.start_execution(stateMachineArn=machine, input="{"))


@fact("stepfunctions", _STARTING)
def a_missing_machine_is_told(bench: Bench) -> None:
    """StartExecution of no state machine: StateMachineDoesNotExist."""
    states = bench.client("stepfunctions")
    machine = bench.made.machine(_LONG_WAIT)
    bench.refused("StateMachineDoesNotExist", lambda: states.start_execution(stateMachineArn=f"{machine}-none"))


@fact("stepfunctions", _ERRORS, minutes=1)
def an_exception_is_caught_by_the_name_of_its_class(bench: Bench) -> None:
    """A Python function that raises ClusterNotReady: ErrorEquals ClusterNotReady catches it, Error tells it."""
    machine = bench.made.machine(
        {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": bench.made.function, "Payload": {"fail": "not yet"}},
                "Catch": [
                    {
                        "ErrorEquals": ["ClusterNotReady"],
                        "Output": "{% $states.errorOutput.Error %}",
                        "Next": "Caught",
                    }
                ],
                "End": True,
            },
            "Caught": {"Type": "Succeed"},
        }
    )
    ended = bench.made.run(machine)
    equal((ended["status"], ended.get("output")), ("SUCCEEDED", '"ClusterNotReady"'), "the end")


@fact("stepfunctions", "Step Functions Developer Guide, Transforming data with JSONata", minutes=1)
def an_expression_that_fails_is_a_query_evaluation_error(bench: Bench) -> None:
    """A JSONata expression that fails ends the execution with States.QueryEvaluationError."""
    ended = bench.made.run(bench.made.machine({"Add": {"Type": "Pass", "Output": "{% 1 + 'one' %}", "End": True}}))
    equal((ended["status"], ended.get("error")), ("FAILED", "States.QueryEvaluationError"), "the end")


@fact("stepfunctions", _ERRORS, minutes=1)
def a_fail_state_tells_error_and_cause(bench: Bench) -> None:
    """The Error and Cause of a Fail state are the execution's."""
    machine = bench.made.machine({"Fail": {"Type": "Fail", "Error": "Ours", "Cause": "because"}})
    ended = bench.made.run(machine)
    equal((ended["status"], ended["error"], ended["cause"]), ("FAILED", "Ours", "because"), "the end")


@fact("stepfunctions", "Step Functions Developer Guide, Passing data with variables", minutes=1)
def expressions_of_one_assign_see_the_old_values(bench: Bench) -> None:
    """All expressions of an Assign are evaluated before any of its variables has its new value."""
    machine = bench.made.machine(
        {
            "First": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
            "Swap": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Next": "Tell"},
            "Tell": {"Type": "Pass", "Output": "{% [$a, $b] %}", "End": True},
        }
    )
    equal(json.loads(bench.made.run(machine)["output"]), [2, 1], "a and b")


@fact("stepfunctions", "Step Functions Developer Guide, Parallel state", minutes=1)
def the_output_of_parallel_branches_is_in_their_order(bench: Bench) -> None:
    """A Parallel state's output is an array, a branch after the other."""
    # The names of states are unique in a whole machine, its branches included.
    branches = [
        {"StartAt": name, "States": {name: {"Type": "Pass", "Output": number, "End": True}}}
        for name, number in (("One", 1), ("Two", 2))
    ]
    machine = bench.made.machine({"Both": {"Type": "Parallel", "Branches": branches, "End": True}})
    equal(json.loads(bench.made.run(machine)["output"]), [1, 2], "the output")


@fact("stepfunctions", "Step Functions Developer Guide, Map state in Distributed mode", minutes=1)
def a_distributed_map_tolerates_as_many_failures_as_its_expression_says(bench: Bench) -> None:
    """ToleratedFailureCount and MaxConcurrency are expressions; one failure more ends it with an error of its own."""
    fail_if_odd = {
        "Odd": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.number % 2 = 1 %}", "Next": "Fail"}],
            "Default": "Even",
        },
        "Fail": {"Type": "Fail", "Error": "Odd", "Cause": "as asked"},
        "Even": {"Type": "Succeed"},
    }
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    each = {
        "Type": "Map",
        "Items": "{% $states.input.numbers %}",
        "ItemSelector": {"number": "{% $states.context.Map.Item.Value %}"},
        "MaxConcurrency": "{% $count($states.input.numbers) %}",
        "ToleratedFailureCount": "{% $states.input.tolerated %}",
        "ItemProcessor": {"ProcessorConfig": mode, "StartAt": "Odd", "States": fail_if_odd},
        "Output": "{% 'over' %}",
        "End": True,
    }
    machine = bench.made.machine({"Each": each})
    tolerated = bench.made.run(machine, {"numbers": [1, 2, 3], "tolerated": 2})
    equal((tolerated["status"], tolerated.get("output")), ("SUCCEEDED", '"over"'), "the end with two of two tolerated")
    exceeded = bench.made.run(machine, {"numbers": [1, 2, 3], "tolerated": 1})
    equal(exceeded.get("error"), "States.ExceedToleratedFailureThreshold", "the end with two of one tolerated")


@fact("stepfunctions", "Step Functions Developer Guide, ItemReader", minutes=1)
def a_distributed_map_reads_a_json_list_in_s3_as_its_role(bench: Bench) -> None:
    """ItemReader takes expressions for bucket and key, at most MaxItems; what it cannot read is ItemReaderFailed."""
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    digest = {"Digest": {"Type": "Pass", "Output": "{% $hash($string($states.input.item), 'SHA-256') %}", "End": True}}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "MaxItems": 2},
        "Arguments": {"Bucket": "{% $states.input.bucket %}", "Key": "{% $states.input.key %}"},
    }
    each = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemSelector": {"item": "{% $states.context.Map.Item.Value %}"},
        "ItemProcessor": {"ProcessorConfig": mode, "StartAt": "Digest", "States": digest},
        "End": True,
    }
    machine, bucket = bench.made.machine({"Each": each}), bench.made.bucket
    bench.client("s3").put_object(Bucket=bucket, Key="lists/all.json", Body=b'[{"b": 1, "a": [2]}, "x", 3]')
    read = bench.made.run(machine, {"bucket": bucket, "key": "lists/all.json"})
    equal(
        json.loads(read["output"]),
        [sha256(text.encode()).hexdigest() for text in ('{"b":1,"a":[2]}', "x")],
        "the digests",
    )
    missing = bench.made.run(machine, {"bucket": bucket, "key": "lists/none.json"})
    equal(missing.get("error"), "States.ItemReaderFailed", "the end with no such object")


@fact("stepfunctions", "Step Functions Developer Guide, Start workflow executions from a task", minutes=1)
def a_started_name_that_was_there_is_an_error_of_the_integration(bench: Bench) -> None:
    """states:startExecution under the name of one that has ended: StepFunctions.ExecutionAlreadyExistsException."""
    states, name = bench.client("stepfunctions"), bench.name("run")
    other = bench.made.machine({"End": {"Type": "Succeed"}})
    bench.made.end_of(states.start_execution(stateMachineArn=other, name=name)["executionArn"])
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {"StateMachineArn": other, "Name": name, "Input": {}},
        "End": True,
    }
    ended = bench.made.run(bench.made.machine({"Start": start}))
    equal(ended.get("error"), "StepFunctions.ExecutionAlreadyExistsException", "the error")


@fact("stepfunctions", _ERRORS, minutes=1)
def a_task_beyond_its_time_is_a_timeout(bench: Bench) -> None:
    """A Task that takes longer than TimeoutSeconds: States.Timeout, which States.TaskFailed does not catch."""
    machine = bench.made.machine(
        {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": bench.made.function, "Payload": {"sleep": 2}},
                "TimeoutSeconds": 1,
                "Catch": [
                    {"ErrorEquals": ["States.TaskFailed"], "Output": "failed", "Next": "Caught"},
                    {"ErrorEquals": ["States.Timeout"], "Output": "timeout", "Next": "Caught"},
                ],
                "End": True,
            },
            "Caught": {"Type": "Succeed"},
        }
    )
    equal(bench.made.run(machine).get("output"), '"timeout"', "what was caught")


@fact("stepfunctions", "Step Functions API, SendTaskSuccess")
def a_token_that_was_never_given_is_refused(bench: Bench) -> None:
    """SendTaskSuccess with a made-up token: InvalidToken."""
    states = bench.client("stepfunctions")
    bench.refused("InvalidToken", lambda: states.send_task_success(taskToken="made-up", output="{}"))


@fact("stepfunctions", "Step Functions API, RedriveExecution", minutes=1)
def a_success_is_not_redriven(bench: Bench) -> None:
    """RedriveExecution of an execution that succeeded: ExecutionNotRedrivable."""
    states = bench.client("stepfunctions")
    ended = bench.made.run(bench.made.machine({"Done": {"Type": "Succeed"}}))
    bench.refused("ExecutionNotRedrivable", lambda: states.redrive_execution(executionArn=ended["executionArn"]))


@fact("stepfunctions", "Step Functions API, DescribeExecution")
def a_missing_execution_is_told(bench: Bench) -> None:
    """DescribeExecution of no execution: ExecutionDoesNotExist."""
    states = bench.client("stepfunctions")
    arn = f"{bench.made.machine(_LONG_WAIT).replace(':stateMachine:', ':execution:')}:none"
    bench.refused("ExecutionDoesNotExist", lambda: states.describe_execution(executionArn=arn))


@fact("stepfunctions", "Step Functions API, CreateStateMachine")
def a_definition_without_its_next_state_is_refused(bench: Bench) -> None:
    """CreateStateMachine whose Next names no state: InvalidDefinition."""
    bench.refused("InvalidDefinition", lambda: bench.made.machine({"A": {"Type": "Pass", "Next": "B"}}))


@fact("stepfunctions", "Step Functions Developer Guide, Quotas", minutes=1)
def a_state_that_passes_on_too_much_fails_and_is_not_caught(bench: Bench) -> None:
    """More than 256 KiB between states: States.DataLimitExceeded, which States.ALL does not catch."""
    machine = bench.made.machine(
        {
            "Much": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": bench.made.function, "Payload": {"text": "{% $pad('', 200000, 'x') %}"}},
                "Output": "{% [$states.result.Payload, $states.result.Payload] %}",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
                "Next": "Caught",
            },
            "Caught": {"Type": "Succeed"},
        }
    )
    ended = bench.made.run(machine)
    true(ended["status"] == "FAILED", f"the execution ended as {ended['status']}")
    equal(ended.get("error"), "States.DataLimitExceeded", "the error")
