"""Others at work: the execution that holds a lock, and functions that a step calls and waits for."""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code
from utils.errors import AwsRequestRejected

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_stepfunctions.client import SFNClient


class Executions:
    """The executions of the state machine."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def stop(self, execution_arn: str) -> None:
        """Stop an execution; one that has ended, or never began, is left as it is."""
        with aws_call("states:StopExecution"):
            try:
                self._client.stop_execution(executionArn=execution_arn, cause="undone")
            except ClientError as error:
                if error_code(error) not in {"ExecutionDoesNotExist", "InvalidArn", "ValidationException"}:
                    raise

    def is_running(self, execution_arn: str) -> bool:
        """Tell whether an execution runs; one that AWS has forgotten (after 90 days) does not.

        A step that a person invoked without the state machine has no execution: its ARN is empty.
        """
        return bool(execution_arn) and self._status(execution_arn) in {"RUNNING", "PENDING_REDRIVE"}

    def has_begun(self, execution_arn: str) -> bool:
        """Tell whether there is such an execution, whatever became of it, as long as AWS remembers it (90 days)."""
        return self._status(execution_arn) is not None

    def _status(self, execution_arn: str) -> str | None:
        with aws_call("states:DescribeExecution"):
            try:
                return self._client.describe_execution(executionArn=execution_arn)["status"]
            except ClientError as error:
                if error_code(error) in {"ExecutionDoesNotExist", "InvalidArn"}:
                    return None
                raise


class Functions:
    """Calls other functions of the pipeline."""

    def __init__(self, client: "LambdaClient") -> None:
        self._client = client

    def call(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        """Return the function's answer; raises `AwsRequestRejected` with the name of the error it ended with."""
        with aws_call("lambda:InvokeFunction"):
            answer = self._client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            body: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise AwsRequestRejected(
                f"{body.get('errorType') or answer['FunctionError']} from the function {name}",
                expected="an answer",
                action="read the function's log",
            )
        return body
