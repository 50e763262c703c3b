"""The JSON protocol of Application Auto Scaling: requests judged by botocore's service model, answers and errors."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

SERVICE = "application-autoscaling"
TARGET_PREFIX = "AnyScaleFrontendService"
CONTENT_TYPE = "application/x-amz-json-1.1"
Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


class ScalingError(Exception):
    """A refusal, by the name of its exception."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@cache
def service() -> ServiceModel:
    """Return the service model of the installed botocore."""
    return ServiceModel(Loader().load_service_model(SERVICE, "service-2"))


def request(headers: Json, body: bytes) -> tuple[str, Json]:
    """Return operation and parameters of a request; raise ValidationException for one that the model does not take."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation not in service().operation_names:
        raise ScalingError("UnknownOperationException", f"{operation} is no operation of Application Auto Scaling.")
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        raise ScalingError("SerializationException", "The request is not JSON.") from None
    if not isinstance(parameters, dict):
        raise ScalingError("SerializationException", "The request is no JSON object.")
    shape = service().operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape) if shape else None
    if report and report.has_errors():
        raise ScalingError("ValidationException", report.generate_report())
    return operation, parameters


def answer(document: Json) -> Answer:
    """Return a successful answer; times are seconds since 1970."""
    text = json.dumps(document, default=lambda value: value.timestamp() if isinstance(value, datetime) else str(value))
    return 200, {"Content-Type": CONTENT_TYPE}, text.encode()


def refusal(error: ScalingError) -> Answer:
    """Return an answer that is an error."""
    document = {"__type": error.code, "message": error.message}
    return 400, {"Content-Type": CONTENT_TYPE, "x-amzn-errortype": error.code}, json.dumps(document).encode()
