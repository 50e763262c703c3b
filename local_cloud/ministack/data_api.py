"""Puts the local Aurora's Data API behind ministack's endpoint, whose own has no server behind it.

ministack has judged by then whether the caller may call the operation on the cluster.
"""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from local_cloud.aurora.data_api.service import DataApi
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.hooks import Caller
from local_cloud.ministack import ministack_modules

Answer = tuple[int, dict[str, str], bytes]
_KEY = re.compile(r"Credential=([^/]+)/")
_JSON = "application/json"


def install(data_api: DataApi) -> None:
    """Answer ExecuteStatement; every other operation says that it is not here."""

    async def handle_request(_method: str, path: str, headers: dict[str, str], body: bytes, _query: Any) -> Answer:
        # In a thread: a statement takes a while, and the secret is asked of this endpoint.
        return await asyncio.to_thread(_answer, data_api, path, headers, body)

    ministack_modules.service("rds_data").handle_request = handle_request


def _answer(data_api: DataApi, path: str, headers: dict[str, str], body: bytes) -> Answer:
    try:
        params = _parameters(path, body)
        region = str(ministack_modules.core("responses").get_region())
        document = data_api.execute(_caller(headers), region, params)
    except ApiError as error:
        told = {"Content-Type": _JSON, "x-amzn-errortype": error.code}
        return error.http_status, told, json.dumps({"message": error.message}).encode()
    return 200, {"Content-Type": _JSON}, json.dumps(document).encode()


def _parameters(path: str, body: bytes) -> dict[str, Any]:
    if path != "/Execute":
        raise ApiError("NotSupportedByLocalCloud", f"{path} of the Data API is not supported by the local cloud")
    try:
        params = json.loads(body or b"{}")
    except ValueError:
        params = None
    shape = _service().operation_model("ExecuteStatement").input_shape
    report = ParamValidator().validate(params, shape) if shape else None
    if report and report.has_errors():
        raise ApiError("ValidationException", report.generate_report())
    return dict(params)


def _caller(headers: dict[str, str]) -> Caller:
    found = _KEY.search(headers.get("authorization", ""))
    key, account = found[1] if found else "", str(ministack_modules.core("responses").get_account_id())
    principal = ministack_modules.core("iam_evaluator").resolve_credential(key, account)
    return Caller(account_id=account, arn=str(principal.principal_arn), access_key_id=key)


@cache
def _service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("rds-data", "service-2"))
