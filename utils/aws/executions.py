"""Step Functions, asked whether the execution that holds a lock still runs."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class Executions:
    """The executions of the state machine."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def is_running(self, execution_arn: str) -> bool:
        """Tell whether an execution runs; one that AWS has forgotten (after 90 days) does not.

        A step that a person invoked without the state machine has no execution: its ARN is empty.
        """
        if not execution_arn:
            return False
        with aws_call("states:DescribeExecution"):
            try:
                answer = self._client.describe_execution(executionArn=execution_arn)
            except ClientError as error:
                if error_code(error) in {"ExecutionDoesNotExist", "InvalidArn"}:
                    return False
                raise
        return answer["status"] in {"RUNNING", "PENDING_REDRIVE"}
