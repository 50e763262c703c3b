"""The hop: a function's calls are recorded with their invocation, and go wrong as a client meets it in AWS."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from tests.local_cloud.conftest import Workbench
from tooling.environments import ENVIRONMENTS

# A function has nothing but its package: boto3 is taken from where the local cloud has it.
[LIBRARIES] = (ENVIRONMENTS / "cloud").glob("lib/python3*/site-packages")
WITH_BOTO3 = f"import sys\nsys.path.append({str(LIBRARIES)!r})\n"
# Two calls of an invocation; what became of the second is the answer.
CODE = (
    f"{WITH_BOTO3}"
    """
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

def handler(event, context):
    retries = {"mode": "standard", "total_max_attempts": event.get("attempts", 1)}
    config = Config(read_timeout=event.get("patience", 60), retries=retries)
    client = boto3.client("sqs", config=config)
    client.list_queues()
    try:
        return client.create_queue(QueueName=event["queue"])["QueueUrl"]
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        return type(error).__name__
"""
)
PATH = ["sqs:ListQueues", "sqs:CreateQueue"]


@pytest.fixture(scope="module")
def hopped() -> Iterator[LocalCloud]:
    with LocalCloud.start(speed=1000, hop=True) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def bench(hopped: LocalCloud) -> Workbench:
    return Workbench(hopped)


@pytest.fixture(scope="module")
def function(bench: Workbench) -> str:
    return bench.function(CODE, bench.role({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}))


def invoke(bench: Workbench, function: str, operation_id: str, **event: Any) -> Any:
    return bench.invoke(function, {"operation_id": operation_id, "queue": operation_id, **event})


def ask(cloud: LocalCloud, function: str, kind: str, operation_id: str, **more: Any) -> None:
    fault = {"kind": kind, "operation_id": operation_id, "function": function.split(":")[-1], "path": PATH}
    cloud.hop_control("POST", "faults", fault | more)


def queues(cloud: LocalCloud, operation_id: str) -> list[str]:
    return list(cloud.client("sqs").list_queues(QueueNamePrefix=operation_id).get("QueueUrls", []))


def hits(cloud: LocalCloud, operation_id: str) -> list[int]:
    return [fault["hits"] for fault in cloud.hop_control("GET", "faults", {"operation_id": operation_id})]


def test_without_a_fault_calls_pass_and_are_recorded(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    assert invoke(bench, function, "plain").endswith("/plain")
    [invocation] = hopped.hop_control("GET", "calls", {"operation_id": "plain"})
    assert invocation == {
        "function": function.split(":")[-1],
        "event_keys": ["operation_id", "queue"],
        "path": PATH,
    }


def test_a_refused_call_has_no_effect(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "refuse", "refused", code="ThrottlingException")
    assert invoke(bench, function, "refused") == "ThrottlingException"
    assert queues(hopped, "refused") == []


def test_another_attempt_of_the_sdk_is_the_same_call(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "refuse", "again", code="ThrottlingException", attempts=2)
    assert invoke(bench, function, "again", attempts=3).endswith("/again")
    assert hits(hopped, "again") == [2]
    [invocation] = hopped.hop_control("GET", "calls", {"operation_id": "again"})
    assert invocation["path"] == PATH


@pytest.mark.parametrize(("kind", "error"), [("reset", "ConnectionClosedError"), ("hang", "ReadTimeoutError")])
def test_the_answer_is_lost_but_not_the_effect(
    hopped: LocalCloud, bench: Workbench, function: str, kind: str, error: str
) -> None:
    ask(hopped, function, kind, f"lost-{kind}")
    assert invoke(bench, function, f"lost-{kind}", patience=1) == error
    assert len(queues(hopped, f"lost-{kind}")) == 1


def test_a_function_is_killed_after_the_effect(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "kill", "killed")
    assert invoke(bench, function, "killed")["errorType"] == "Runtime.ExitError"
    assert len(queues(hopped, "killed")) == 1
    assert invoke(bench, function, "killed").endswith("/killed")


def test_a_function_runs_once_more_before_the_answer(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "twice", "doubled")
    assert invoke(bench, function, "doubled").endswith("/doubled")
    assert len(hopped.hop_control("GET", "calls", {"operation_id": "doubled"})) == 2


def test_only_the_occurrence_that_was_asked_for_is_hit(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "refuse", "second", code="Boom", occurrence=2)
    answers = [invoke(bench, function, "second") for _ in range(3)]
    assert ["Boom" in answer for answer in answers] == [False, True, False]


def test_only_what_is_asked_for_with_these_fields_is_hit(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "refuse", "asked", code="Boom", event_keys=["attempts", "operation_id", "queue"])
    assert "Boom" not in invoke(bench, function, "asked")
    assert "Boom" in invoke(bench, function, "asked", attempts=1)


def test_only_what_comes_after_an_invocation_with_these_fields_is_hit(
    hopped: LocalCloud, bench: Workbench, function: str
) -> None:
    ask(hopped, function, "refuse", "turned", code="Boom", after=["operation_id", "patience", "queue"])
    answers = [invoke(bench, function, "turned", **event) for event in ({}, {"patience": 60}, {}, {})]
    assert ["Boom" in answer for answer in answers] == [False, False, True, False]


def test_what_eventbridge_tells_of_an_execution_is_told_of_its_operation(
    hopped: LocalCloud, bench: Workbench, function: str
) -> None:
    event = {"detail-type": "Step Functions Execution Status Change", "detail": {"name": "ended"}, "queue": "ended"}
    assert bench.invoke(function, event).endswith("/ended")
    [invocation] = hopped.hop_control("GET", "calls", {"operation_id": "ended"})
    assert invocation["event_keys"] == ["detail", "detail-type", "queue"]


def test_a_fault_of_another_operation_hits_nobody_else(hopped: LocalCloud, bench: Workbench, function: str) -> None:
    ask(hopped, function, "refuse", "somebody-elses", code="Boom")
    assert invoke(bench, function, "mine").endswith("/mine")
    assert hits(hopped, "somebody-elses") == [0]


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("rds", "describe_db_clusters", {}),
        ("dynamodb", "list_tables", {}),
        ("secretsmanager", "list_secrets", {}),
        ("kms", "list_keys", {}),
        ("sns", "list_topics", {}),
        ("stepfunctions", "list_state_machines", {}),
        ("s3", "list_buckets", {}),
    ],
)
def test_a_refusal_is_understood_in_every_protocol(
    hopped: LocalCloud, bench: Workbench, service: str, method: str, arguments: dict[str, Any]
) -> None:
    code = f"""
{WITH_BOTO3}
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        boto3.client({service!r}).{method}(**{json.dumps(arguments)})
    except ClientError as error:
        return error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
"""
    function = bench.function(code, bench.role({"Effect": "Allow", "Action": "*", "Resource": "*"}))
    bench.invoke(function, {"operation_id": f"look-{service}"})
    [invocation] = hopped.hop_control("GET", "calls", {"operation_id": f"look-{service}"})
    fault = {"kind": "refuse", "operation_id": f"refused-{service}", "code": "AccessDenied", "http_status": 403}
    hopped.hop_control("POST", "faults", fault | {"function": function.split(":")[-1], "path": invocation["path"]})
    error, status = bench.invoke(function, {"operation_id": f"refused-{service}"})
    assert (error["Code"], error["Message"], status) == ("AccessDenied", "A fault was asked for.", 403)
