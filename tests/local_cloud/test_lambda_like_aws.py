"""Lambda and Step Functions of the local cloud fail, log and import as AWS's do."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.ministack.lambda_shims import MOST_ENVIRONMENTS
from tests.local_cloud.conftest import Workbench
from tests.waiting import wait_for
from tooling import environments

pytestmark = pytest.mark.local_cloud
FAILS = """
class SnapshotNotFound(Exception):
    pass
def handler(event, context):
    print("looking for", event)
    raise SnapshotNotFound("no snapshot of shop")
"""


def test_an_exception_is_answered_with_its_class_message_trace_and_request_id(bench: Workbench) -> None:
    payload = bench.invoke(bench.function(FAILS, bench.role()))

    assert list(payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert payload["errorType"] == "SnapshotNotFound"
    assert payload["errorMessage"] == "no snapshot of shop"
    assert payload["stackTrace"][-1].startswith('  File "/var/task/module.py", line 6, in handler')


def test_the_environment_stays_warm_after_an_exception(bench: Workbench) -> None:
    function = bench.function(
        "calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    raise ValueError(calls)",
        bench.role(),
    )

    assert [bench.invoke(function)["errorMessage"] for _ in range(2)] == ["1", "2"]


FAILS_TWICE = """
def handler(event, context):
    with open(event["detail"]["file"], "a+") as file:
        file.write("called\\n")
        file.seek(0)
        if len(file.readlines()) < 3:
            raise ValueError("not yet")
"""


def test_what_a_rule_invokes_is_invoked_again_when_it_fails(bench: Workbench, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.touch()
    function = bench.function(FAILS_TWICE, bench.role())
    events = bench.cloud.client("events")
    rule = events.put_rule(Name="retried", EventPattern=json.dumps({"source": ["test.retried"]}))
    bench.cloud.client("lambda").add_permission(
        FunctionName=function, StatementId="rule", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com", SourceArn=rule["RuleArn"],
    )  # fmt: skip
    events.put_targets(Rule="retried", Targets=[{"Id": "function", "Arn": function}])
    detail = json.dumps({"file": str(calls)})
    events.put_events(Entries=[{"Source": "test.retried", "DetailType": "try", "Detail": detail}])
    wait_for(lambda: len(calls.read_text().splitlines()) == 3, "the third invocation")


@pytest.mark.parametrize(
    ("code", "error_type"),
    [
        ("import not_in_the_package", "Runtime.ImportModuleError"),
        ("import pydantic", "Runtime.ImportModuleError"),  # it is in ministack's environment, not in the package
        ("import utils", "Runtime.ImportModuleError"),  # it is in this checkout
        ("nothing = 1", "Runtime.HandlerNotFound"),
        ("raise KeyError('at import')", "KeyError"),
        ("def handler(event, context):\n    return object()", "Runtime.MarshalError"),
        ("import os\ndef handler(event, context):\n    os._exit(1)", "Runtime.ExitError"),
        ("import os\nos._exit(1)", "Runtime.ExitError"),
        ("import time\ndef handler(event, context):\n    time.sleep(9)", "Sandbox.Timedout"),
    ],
)
def test_what_lambda_itself_refuses_has_awss_error_type(bench: Workbench, code: str, error_type: str) -> None:
    function = bench.function(code, bench.role())
    if "sleep" in code:
        bench.cloud.client("lambda").update_function_configuration(FunctionName=function, Timeout=1)

    assert bench.invoke(function)["errorType"] == error_type


def test_environments_that_do_not_start_leave_their_places(bench: Workbench) -> None:
    function = bench.function("import os\nos._exit(1)", bench.role())

    answers = [bench.invoke(function)["errorType"] for _ in range(MOST_ENVIRONMENTS + 1)]

    assert answers == ["Runtime.ExitError"] * len(answers)


REGISTERS = """
import sys, threading
from local_cloud.ministack import iam_shims, ministack_modules

iam_shims.register_one_session_at_a_time()
sessions = ministack_modules.service("sts")
sys.setswitchinterval(1e-6)

def register(function):
    for number in range(300):
        sessions.register_session(f"{function}-{number}", {"Arn": "of its role"})

threads = [threading.Thread(target=register, args=(function,)) for function in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(sessions._sessions))
"""


def test_functions_that_start_at_the_same_moment_all_have_a_session_of_their_role() -> None:
    python = environments.environment_bin("cloud") / "python"

    done = subprocess.run(
        [str(python), "-c", REGISTERS], cwd=environments.REPOSITORY, check=False, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip

    assert (done.stdout, done.stderr) == ("2400\n", "")


def test_a_function_sees_its_own_environment_and_nothing_of_the_host(bench: Workbench) -> None:
    code = "import os, sys\ndef handler(event, context):\n    return dict(os.environ, PATHS=sys.path)"
    function = bench.function(code, bench.role(), Environment={"Variables": {"STATE_TABLE_NAME": "t"}})

    seen = bench.invoke(function)

    assert seen["STATE_TABLE_NAME"] == "t"
    assert seen["AWS_REGION"] == "us-west-2"
    assert seen["AWS_ENDPOINT_URL_RDS"] == bench.cloud.rds_endpoint
    assert not {"MINISTACK_ACCOUNT_ID", "PYTHONPATH", "AUTH"} & set(seen)
    assert not [path for path in seen["PATHS"] if "site-packages" in path]


def test_what_a_function_prints_is_in_its_log_group(bench: Workbench) -> None:
    function = bench.function(FAILS, bench.role())
    bench.invoke(function, {"cluster": "shop"})
    group = f"/aws/lambda/{function.rpartition(':')[2]}"

    events = bench.cloud.client("logs").filter_log_events(logGroupName=group)["events"]
    text = "\n".join(event["message"] for event in events)

    assert "looking for {'cluster': 'shop'}" in text
    assert "[ERROR] SnapshotNotFound: no snapshot of shop" in text


def test_a_state_machine_catches_an_exception_by_its_class(bench: Workbench) -> None:
    function = bench.function(FAILS, bench.role())

    execution = run_machine(bench, function, bench.role(allow("lambda:InvokeFunction", function)))

    error = json.loads(execution["output"])
    assert error["Error"] == "SnapshotNotFound"
    assert json.loads(error["Cause"])["errorMessage"] == "no snapshot of shop"


def test_a_state_machine_whose_role_may_not_invoke_fails(bench: Workbench) -> None:
    function = bench.function(FAILS, bench.role())

    execution = run_machine(bench, function, bench.role(allow("lambda:InvokeFunction", f"{function}-other")))

    assert execution["status"] == "FAILED"
    assert execution["error"] == "Lambda.AWSLambdaException"
    assert "lambda:InvokeFunction" in execution["cause"]


def test_waits_are_shortened_by_the_speed(cloud: LocalCloud, bench: Workbench) -> None:
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name="waits",
        roleArn=bench.role(),
        definition=json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}),
    )["stateMachineArn"]
    started = time.monotonic()

    wait_for_end(states, states.start_execution(stateMachineArn=machine)["executionArn"])

    assert time.monotonic() - started < 5


def run_machine(bench: Workbench, function: str, role: str) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {}},
        "Catch": [{"ErrorEquals": ["SnapshotNotFound"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}],
        "End": True,
    }
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Task",
        "States": {"Task": task, "Caught": {"Type": "Succeed"}},
    }
    states = bench.cloud.client("stepfunctions")
    name = f"machine-{function[-8:]}-{role[-8:]}"
    machine = states.create_state_machine(name=name, roleArn=role, definition=json.dumps(definition))
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"])
    return wait_for_end(states, started["executionArn"])


def wait_for_end(states: Any, execution: str) -> dict[str, Any]:
    for _ in range(200):
        description: dict[str, Any] = states.describe_execution(executionArn=execution)
        if description["status"] != "RUNNING":
            return description
        time.sleep(0.05)
    raise AssertionError("the execution does not end")


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}
