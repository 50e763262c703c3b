"""The state machine, state by state, as it must be: every way on, every error, number and expression."""

import json
from typing import Any

from tests.conventions.cfn_yaml import REPOSITORY

MACHINE: dict[str, Any] = json.loads((REPOSITORY / "statemachine/aurora_restore.asl.json").read_text())
RETIREMENT: dict[str, Any] = json.loads((REPOSITORY / "statemachine/aurora_retirement.asl.json").read_text())
State = dict[str, Any]
NOTICE, STEP_SECONDS, SETUP_SECONDS = "SNS Failure Notification", 150, 930

OF_LAMBDA = (
    "Lambda.ClientExecutionTimeoutException Lambda.ServiceException Lambda.AWSLambdaException "
    "Lambda.SdkClientException Lambda.TooManyRequestsException Lambda.Unknown Runtime.ExitError Runtime.OutOfMemory "
    "Sandbox.Timedout States.Timeout"
)
NOT_READY = (
    "Lambda.CodeArtifactUserPendingException Lambda.EC2ThrottledException Lambda.EC2UnexpectedException "
    "Lambda.ENILimitReachedException Lambda.ENINotReadyException Lambda.ResourceConflictException "
    "Lambda.ResourceNotReadyException Lambda.SubnetIPAddressLimitReachedException"
)
OF_AWS = "AwsThrottled AwsUnavailable OperationRowConflict"
OF_THE_CLUSTERS = "CapacityUnavailable DatabaseUnavailable QuotaReached ResourceBusy"


def retry(errors: str, first: int, times: int, growth: float, longest: int, jitter: str = "FULL") -> State:
    return {
        "ErrorEquals": errors.split(),
        "IntervalSeconds": first,
        "MaxAttempts": times,
        "BackoffRate": growth,
        "MaxDelaySeconds": longest,
        "JitterStrategy": jitter,
    }


RETRIES = [
    retry(OF_LAMBDA, 2, 6, 2, 60),
    retry(NOT_READY, 10, 10, 1.5, 60, "NONE"),
    retry(OF_AWS, 5, 8, 2, 120),
    retry(OF_THE_CLUSTERS, 30, 10, 1.5, 300),
]
RESULT = "{% $states.result.Payload %}"
CAUGHT = {"error": "{% $states.errorOutput %}", "failed_step": "{% $states.context.State.Name %}"}
FIRST_ERROR = {"error": "{% $states.input.details.error %}", "failed_step": "{% $states.input.details.failed_step %}"}
REDRIVES = "{% $exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0 %}"


def invoked(function: str, payload: State) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "TimeoutSeconds": STEP_SECONDS,
        "Retry": RETRIES,
    }


def caught(then: str = NOTICE, **what: Any) -> list[State]:
    return [{"ErrorEquals": ["States.ALL"], "Next": then, **(what or {"Assign": CAUGHT})}]


TURN_BACK = caught("Bring Back", Assign=CAUGHT)


def step(name: str, then: str, **more: Any) -> State:
    payload = {
        "operation_id": "{% $operation_id %}",
        "execution_arn": "{% $states.context.Execution.Id %}",
        "redrive_count": REDRIVES,
    } | more.pop("payload", {})
    task = invoked(f"${{{name.title().replace(' ', '')}FunctionArn}}", payload)
    return task | {"Output": RESULT, "Catch": caught(), "Next": then} | more


def choice(otherwise: str, **when: str) -> State:
    ways = [{"Condition": f"{{% $states.input.status = '{status}' %}}", "Next": then} for status, then in when.items()]
    return {"Type": "Choice", "Choices": ways, "Default": otherwise}


def wait(then: str) -> State:
    return {"Type": "Wait", "Seconds": "{% $states.input.wait_seconds %}", "Next": then}


FUNCTIONS = (
    "SnapshotCheck CopySnapshot CheckCopyStatus DeleteRds CheckDeleteStatus RestoreSnapshot CheckRestoreStatus "
    "SetupDbUsers SwapClusters CheckSwapStatus ArchiveSnapshot SnsNotification"
)
ASK_ONE = invoked(
    "{% $states.input %}",
    {
        "operation_id": "{% $operation_id %}",
        "verify": {"target_cluster_id": "{% $verify_network_of %}", "kms_key_id": "{% $verify_key %}"},
    },
) | {
    "Output": "{% ($step := $states.result.Payload.step; {'problems': "
    "[$states.result.Payload.looks[error != ''].($step & ', ' & what & ': ' & message)]}) %}",
    "Catch": caught(
        "Asked",
        Output={
            "problems": [
                "{% $split($states.input, ':function:')[1] & ' does not answer: ' & $states.errorOutput.Error & "
                "', see its log' %}"
            ]
        },
    ),
    "Next": "Asked",
}
_OF_STARTING = (
    "StepFunctions.ThrottlingException StepFunctions.AWSStepFunctionsException StepFunctions.SfnException "
    "StepFunctions.SdkClientException StepFunctions.ExecutionLimitExceeded "
    "StepFunctions.ExecutionLimitExceededException States.Timeout"
)
START_ONE: State = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution",
    "Arguments": {
        "StateMachineArn": "${RetirementStateMachineArn}",
        "Name": "{% $states.input.name %}",
        "Input": "{% $states.input.input %}",
    },
    "TimeoutSeconds": 60,
    "Retry": [retry(_OF_STARTING, 5, 8, 2, 120)],
    "Catch": [{"ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "Next": "Started"}],
    "Next": "Started",
}


def starting(items: str, then: str, start_one: str = "Start a Retirement", started: str = "Started") -> State:
    """Each of what an answer lists is started, in an execution of the other state machine."""
    one = START_ONE | {"Catch": [START_ONE["Catch"][0] | {"Next": started}], "Next": started}
    return {
        "Type": "Map",
        "Items": f"{{% [$states.input.details.{items}] %}}",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": start_one,
            "States": {start_one: one, started: {"Type": "Succeed"}},
        },
        "Catch": caught(),
        "Next": then,
    }


EXPECTED: dict[str, State] = {
    "Snapshot Check": step(
        "Snapshot Check",
        "Is It a Dry Run?",
        payload={
            "operation_id": "{% $states.context.Execution.Name %}",
            "request": "{% $states.context.Execution.Input %}",
        },
        Assign={
            "operation_id": "{% $states.result.Payload.operation_id %}",
            "verify_network_of": "{% $states.result.Payload.details.verify_network_of %}",
            "verify_key": "{% $states.result.Payload.details.verify_key %}",
            "approval_seconds": "{% $states.result.Payload.details.approval_seconds %}",
        },
        Catch=caught(Assign={"operation_id": "{% $states.context.Execution.Name %}", **CAUGHT}),
    ),
    "Is It a Dry Run?": choice(
        "Start Clean-up", DRY_RUN="SNS Notification", UNDO="Swap Clusters", AFTERWARDS_CHANGED="Done"
    ),
    "Start Clean-up": starting("clean_up", "Ask All Functions", "Start a Clean-up", "Clean-up Started"),
    "Ask All Functions": {
        "Type": "Map",
        "Items": [f"${{{name}FunctionArn}}" for name in FUNCTIONS.split()],
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Ask a Function",
            "States": {"Ask a Function": ASK_ONE, "Asked": {"Type": "Succeed"}},
        },
        "Output": {"problems": "{% [$states.result.problems] %}"},
        "Catch": caught(),
        "Next": "Are All Functions Ready?",
    },
    "Are All Functions Ready?": {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $count($states.input.problems) = 0 %}", "Next": "Is Approval Needed?"}],
        "Default": "Not All Functions Are Ready",
    },
    "Not All Functions Are Ready": {
        "Type": "Pass",
        "Assign": {
            "error": {
                "Error": "FunctionsNotReady",
                "Cause": "{% $string({'errorType': 'FunctionsNotReady', 'errorMessage': 'found ' & "
                "$join($states.input.problems, '; ') & '; expected every function to reach what its step needs; "
                "what to do: ./deploy.sh verify says more; mend what is named'}) %}",
            },
            "failed_step": "Ask All Functions",
        },
        "Next": NOTICE,
    },
    "Is Approval Needed?": {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $approval_seconds > 0 %}", "Next": "Ask for Approval"}],
        "Default": "Copy Snapshot",
    },
    "Ask for Approval": step(
        "SNS Notification",
        "Record Approval",
        payload={"task_token": "{% $states.context.Task.Token %}"},
        Resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
        TimeoutSeconds="{% $approval_seconds %}",
        Output="{% $states.result %}",
        Retry=[retry(OF_LAMBDA.removesuffix(" States.Timeout"), 2, 6, 2, 60), *RETRIES[1:]],
        Catch=[
            {
                "ErrorEquals": ["States.Timeout"],
                "Next": NOTICE,
                "Assign": {
                    "error": {
                        "Error": "ApprovalTimedOut",
                        "Cause": "{% $string({'errorType': 'ApprovalTimedOut', 'errorMessage': 'found no answer "
                        "within ' & $approval_seconds & ' seconds; expected ./restore.sh approve or reject; what to "
                        "do: resume the operation to be asked again, or start a new run; nothing was changed'}) %}",
                    },
                    "failed_step": "{% $states.context.State.Name %}",
                },
            },
            *caught(),
        ],
    ),
    "Record Approval": step("SNS Notification", "Copy Snapshot", payload={"answer": "{% $states.input %}"}),
    "Copy Snapshot": step("Copy Snapshot", "Is the Copy Ready?"),
    "Is the Copy Ready?": choice("Wait for Copy", READY="Delete RDS", COPY_AGAIN="Copy Snapshot"),
    "Wait for Copy": wait("Check Copy Status"),
    "Check Copy Status": step("Check Copy Status", "Is the Copy Ready?"),
    "Delete RDS": step("Delete RDS", "Is the Old Target Gone?", Catch=TURN_BACK),
    "Is the Old Target Gone?": choice("Wait for Delete", READY="Restore Snapshot", SNAPSHOT_READY="Delete RDS"),
    "Wait for Delete": wait("Check Delete Status"),
    "Check Delete Status": step("Check Delete Status", "Is the Old Target Gone?", Catch=TURN_BACK),
    "Restore Snapshot": step("Restore Snapshot", "Wait for Restore", Catch=TURN_BACK),
    "Wait for Restore": wait("Check Restore Status"),
    "Check Restore Status": step("Check Restore Status", "Is the Restore Ready?", Catch=TURN_BACK),
    "Is the Restore Ready?": choice("Wait for Restore", READY="Setup DB Users", CLUSTER_READY="Restore Snapshot"),
    "Setup DB Users": step("Setup DB Users", "Are the Users Ready?", TimeoutSeconds=SETUP_SECONDS, Catch=TURN_BACK),
    "Are the Users Ready?": {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.status = 'READY' %}", "Next": "Archive Snapshot"},
            {"Condition": "{% $states.input.status = 'SWAP_READY' %}", "Next": "Swap Clusters"},
            {
                "Condition": "{% $states.input.status = 'BROUGHT_BACK' %}",
                "Assign": FIRST_ERROR,
                "Next": NOTICE,
            },
        ],
        "Default": "Wait for Master Password",
    },
    "Wait for Master Password": wait("Setup DB Users"),
    "Bring Back": step(
        "Delete RDS",
        "Is the Old Target to Come Back?",
        payload={"error": "{% $error %}", "failed_step": "{% $failed_step %}"},
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": NOTICE}],
    ),
    "Is the Old Target to Come Back?": {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.status = 'READY' %}", "Assign": FIRST_ERROR, "Next": NOTICE}],
        "Default": "Wait for Delete",
    },
    "Swap Clusters": step("Swap Clusters", "Is the Swap Done?", Catch=caught("Roll Back Swap", Assign=CAUGHT)),
    "Is the Swap Done?": choice("Wait for Swap", READY="Start Retirements", SWAP_AGAIN="Swap Clusters"),
    "Wait for Swap": wait("Check Swap Status"),
    "Check Swap Status": step("Check Swap Status", "Is the Swap Done?", Catch=caught("Roll Back Swap", Assign=CAUGHT)),
    "Start Retirements": starting("retirements", "Archive Snapshot"),
    "Roll Back Swap": step(
        "Swap Clusters",
        "Is the Swap Rolled Back?",
        payload={"roll_back": True},
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": NOTICE}],
    ),
    "Is the Swap Rolled Back?": choice("Wait for Roll Back", READY=NOTICE),
    "Wait for Roll Back": wait("Roll Back Swap"),
    "Archive Snapshot": step("Archive Snapshot", "Start Afterwards"),
    "Start Afterwards": starting("afterwards", "SNS Notification", "Start What Comes After", "After Started"),
    "SNS Notification": step(
        "SNS Notification",
        "Done",
        Output="{% $states.result.Payload.details %}",
        Catch=caught(
            "Done",
            Output={
                "operation_id": "{% $operation_id %}",
                "status": "SUCCEEDED",
                "notification": "{% 'not sent: ' & $states.errorOutput.Error %}",
            },
        ),
    ),
    "Done": {"Type": "Succeed"},
    NOTICE: step(
        "SNS Notification",
        "Failed",
        payload={"error": "{% $error %}", "failed_step": "{% $failed_step %}"},
        Assign={"cause": "{% $states.result.Payload.details.message %}"},
        Catch=caught("Failed", Assign={"cause": "{% $error.Cause %}"}),
    ),
    "Failed": {"Type": "Fail", "Error": "{% $error.Error %}", "Cause": "{% $cause %}"},
}


OF_RETIREMENT: dict[str, State] = {
    "Keep the Old Cluster": {
        **wait("Delete RDS"),
        "Assign": {"operation_id": "{% $states.input.operation_id %}"},
    },
    "Delete RDS": step("Delete RDS", "Is the Old Cluster Gone?"),
    "Is the Old Cluster Gone?": {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $exists($states.input.details.operation) %}", "Next": "Done"},
            {"Condition": "{% $states.input.status = 'READY' %}", "Next": "SNS Notification"},
            {"Condition": "{% $states.input.status = 'SNAPSHOT_READY' %}", "Next": "Delete RDS"},
        ],
        "Default": "Wait for Delete",
    },
    "Wait for Delete": wait("Check Delete Status"),
    "Check Delete Status": step("Check Delete Status", "Is the Old Cluster Gone?"),
    **{name: EXPECTED[name] for name in ("SNS Notification", "Done", NOTICE, "Failed")},
}


def without_comments(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: without_comments(value) for key, value in node.items() if key != "Comment"}
    return [without_comments(value) for value in node] if isinstance(node, list) else node


def test_the_machine_starts_ends_and_reads_as_it_must() -> None:
    assert {key: value for key, value in without_comments(MACHINE).items() if key != "States"} == {
        "QueryLanguage": "JSONata",
        "StartAt": "Snapshot Check",
        "TimeoutSeconds": 7 * 86_400,
    }


def test_every_state_is_as_it_must_be() -> None:
    states = without_comments(MACHINE)["States"]
    assert list(states) == list(EXPECTED)
    assert {name: state for name, state in states.items() if state != EXPECTED[name]} == {}


def test_the_machine_of_the_retirement_is_as_it_must_be() -> None:
    machine = without_comments(RETIREMENT)
    assert list(machine["States"]) == list(OF_RETIREMENT)
    assert machine["States"] == OF_RETIREMENT
    assert {key: value for key, value in machine.items() if key != "States"} == {
        "QueryLanguage": "JSONata",
        "StartAt": "Keep the Old Cluster",
        "TimeoutSeconds": 365 * 86_400,
    }
