"""Lambda: how failures, time-outs and missing functions are told."""

import json
from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true


def _invoked(bench: Bench, event: object) -> tuple[dict[str, Any], Any]:
    answer = bench.client("lambda").invoke(FunctionName=bench.made.function, Payload=json.dumps(event))
    return answer, json.loads(answer["Payload"].read())


@fact("lambda", "Lambda Developer Guide, Invoking a function synchronously", minutes=1)
def a_result_is_answered(bench: Bench) -> None:
    """Invoke answers what the handler returned, with status 200 and no FunctionError."""
    answer, payload = _invoked(bench, {"a": [1, None, "ä"]})
    equal(
        (answer["StatusCode"], answer.get("FunctionError"), payload), (200, None, {"a": [1, None, "ä"]}), "the answer"
    )


@fact("lambda", "Lambda Developer Guide, Python function errors", minutes=1)
def an_exception_is_told_by_its_class(bench: Bench) -> None:
    """An exception of the handler: FunctionError Unhandled, errorType is the class's name, errorMessage its text."""
    answer, payload = _invoked(bench, {"fail": "not yet"})
    equal(answer["FunctionError"], "Unhandled", "FunctionError")
    equal((payload["errorType"], payload["errorMessage"]), ("ClusterNotReady", "not yet"), "the error")
    true(isinstance(payload["stackTrace"], list), "there is no stack trace")


@fact("lambda", "Lambda Developer Guide, Configure Lambda function timeout", minutes=1)
def a_function_beyond_its_time_is_told(bench: Bench) -> None:
    """A handler that takes longer than Timeout: FunctionError Unhandled, and the message says timed out."""
    answer, payload = _invoked(bench, {"sleep": 5})
    equal(answer["FunctionError"], "Unhandled", "FunctionError")
    true("timed out" in payload["errorMessage"].lower(), f"the message is {payload['errorMessage']}")


@fact("lambda", "Lambda API, Invoke")
def a_missing_function_is_told(bench: Bench) -> None:
    """Invoke of no function: ResourceNotFoundException."""
    functions = bench.client("lambda")
    bench.refused("ResourceNotFoundException", lambda: functions.invoke(FunctionName=bench.name("none")))


@fact("lambda", "Lambda API, Invoke: Payload")
def an_event_is_json(bench: Bench) -> None:
    """A payload that is no JSON: InvalidRequestContentException."""
    functions = bench.client("lambda")
    bench.refused(
        "InvalidRequestContentException", lambda: functions.invoke(FunctionName=bench.made.function, Payload=b"{")
    )


@fact("lambda", "Lambda Developer Guide, Lambda quotas")
def the_environment_has_four_kilobytes(bench: Bench) -> None:
    """Environment variables of more than 4 KB: InvalidParameterValueException."""
    functions = bench.client("lambda")
    bench.refused(
        "InvalidParameterValueException",
        lambda: functions.update_function_configuration(
            FunctionName=bench.made.function, Environment={"Variables": {"A": "x" * 5000}}
        ),
        saying="4KB",
    )
