"""Lets a state machine call RDS, Step Functions and SNS by itself (`aws-sdk:rds:…`), with its role's rights.

ministack 1.5.33 asks no IAM, and for RDS its own, which nobody else sees, in place of the local Aurora. The names of
members and errors are those of the SDK for Java 2, which in a member spells the first word alone in its own way:
DbClusterIdentifier, but SourceDBClusterSnapshotArn; Rds.InvalidDbClusterSnapshotStateException.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.model import ListShape, OperationModel, Shape, StructureShape

from local_cloud.ministack import ministack_modules
from local_cloud.ministack.state_machines.states_shims import role_at_work

_Service = Literal["rds", "stepfunctions", "sns"]
_ACTIONS = "aws-sdk:"
# Our own client's name of a service, by Step Functions' name of it.
_SERVICES: dict[str, _Service] = {"rds": "rds", "sfn": "stepfunctions", "sns": "sns"}
_making = threading.Lock()


def install(rds_endpoint: str) -> None:
    """Send what a state machine asks of RDS to `rds_endpoint`, and what it asks of the others to this cloud."""
    states = ministack_modules.service("stepfunctions")
    invoke: Callable[[str, Any], Any] = states._invoke_aws_sdk_integration

    def invoke_integration(resource: str, arguments: Any) -> Any:
        service, _, action = resource.partition(_ACTIONS)[2].partition(":")
        if service not in _SERVICES:
            return invoke(resource, arguments)
        endpoint = rds_endpoint if service == "rds" else os.environ["AWS_ENDPOINT_URL"]
        return _call(service, endpoint, action, arguments)

    states._invoke_aws_sdk_integration = invoke_integration


def _call(service: str, endpoint: str, action: str, arguments: dict[str, Any]) -> Any:
    states = ministack_modules.service("stepfunctions")
    client = _client(_SERVICES[service], endpoint, role_at_work())
    names = {name[0].lower() + name[1:]: name for name in client.meta.service_model.operation_names}
    if action not in names:
        raise states._ExecutionError("States.Runtime", f"{service} has no action {action}")
    operation: OperationModel = client.meta.service_model.operation_model(names[action])
    parameters = _as_api(arguments, operation.input_shape)
    try:
        answer = getattr(client, botocore.xform_name(operation.name))(**parameters)
    except ParamValidationError as error:
        raise states._ExecutionError("States.Runtime", str(error)) from None
    except ClientError as error:
        told = error.response["Error"]
        raise states._ExecutionError(_java_error(service, operation, told["Code"]), told["Message"]) from None
    except BotoCoreError as error:  # no answer
        raise states._ExecutionError(f"{service.capitalize()}.SdkClientException", str(error)) from None
    return _as_java({name: value for name, value in answer.items() if name != "ResponseMetadata"})


def _client(service: _Service, endpoint: str, role_arn: str) -> Any:
    """Return a service in the name of a state machine's role."""
    with _making:  # reading RDS's description takes longer than all calls of an execution
        return _client_in(service, str(ministack_modules.core("responses").get_region()), endpoint, role_arn)


@functools.cache
def _client_in(service: _Service, region: str, endpoint: str, role_arn: str) -> Any:
    """Make one that has a session which STS knows."""
    account = role_arn.split(":")[4]
    digest = hashlib.sha256(f"states:{role_arn}".encode()).hexdigest()
    key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:48], digest[48:]
    name = role_arn.rpartition("/")[2]
    ministack_modules.service("sts").register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/execution",
            "UserId": f"{name}:execution",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return boto3.Session().client(
        service, region_name=region, endpoint_url=endpoint, config=Config(retries={"max_attempts": 1}),
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
    )  # fmt: skip


def _member(name: str) -> str:
    capital = name[0].upper() + name[1:]
    return re.sub(r"^[A-Z]+(?=[A-Z][a-z]|$)", lambda acronym: acronym[0].capitalize(), capital)


def _exception(service: str, shape_name: str) -> str:
    words = re.sub(r"[A-Z]+(?=[A-Z][a-z]|$)", lambda acronym: acronym[0].capitalize(), shape_name)
    return f"{service.capitalize()}.{words.removesuffix('Fault').removesuffix('Exception')}Exception"


def _as_api(value: Any, shape: Shape | None) -> Any:
    """Return arguments under the names of the API; the API's own names are refused, as Step Functions does."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {_member(name): name for name in shape.members}
        unknown = sorted(value.keys() - names.keys())
        if unknown:
            states = ministack_modules.service("stepfunctions")
            raise states._ExecutionError(
                "States.Runtime", f"The field {unknown[0]!r} is not supported by Step Functions: {sorted(names)}"
            )
        return {names[key]: _as_api(item, shape.members[names[key]]) for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_as_api(item, shape.member) for item in value]
    return value


def _as_java(value: Any) -> Any:
    if isinstance(value, dict):
        return {_member(name): _as_java(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_java(item) for item in value]
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _java_error(service: str, operation: OperationModel, code: str) -> str:
    """Return the name of an exception of the SDK for Java; a fault that is not declared has the service's."""
    for shape in operation.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return _exception(service, str(shape.name))
    return f"{service.capitalize()}.{service.capitalize()}Exception"
