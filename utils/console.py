"""Where a person looks at an execution, and how one is started again from a shell."""

import json
import shlex

_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def execution_url(execution_arn: str) -> str | None:
    """Return the page of an execution in the AWS console; None for a step that was called by hand."""
    if not execution_arn:
        return None
    _, partition, _, region, *_ = execution_arn.split(":")
    host = _CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{host}/states/home?region={region}#/v2/executions/details/{execution_arn}"


def resume_command(operation_id: str, execution_arn: str) -> str | None:
    """Return the command that starts an execution which goes on with an operation; None as above."""
    if not execution_arn:
        return None
    region = execution_arn.split(":")[3]
    machine = execution_arn.replace(":execution:", ":stateMachine:", 1).rpartition(":")[0]
    request = shlex.quote(json.dumps({"resume": operation_id}))
    return " \\\n  ".join(
        [
            f"aws stepfunctions start-execution --region {region}",
            f"--state-machine-arn {machine}",
            f"--input {request}",
        ]
    )
