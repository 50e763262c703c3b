"""Reads the items of a distributed Map from a JSON array in S3, as its state machine's role may.

ministack 1.5.33 reads as nobody and knows no JSONata there.
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import json
from typing import Any

from local_cloud.ministack import ministack_modules
from local_cloud.ministack.state_machines.states_shims import role_allows

Json = dict[str, Any]
_GET_OBJECT = "arn:aws:states:::s3:getObject"
_FAILED = "States.ItemReaderFailed"


def items_of(reader: Json, role_arn: str, raw_input: Any, context: Json) -> list[Any]:
    """Return the items of a JSON array in S3, at most MaxItems; fails with States.ItemReaderFailed."""
    states = ministack_modules.service("stepfunctions")
    config = reader.get("ReaderConfig", {})
    known = {"InputType", "MaxItems"} >= set(config) and config.get("InputType") == "JSON"
    if reader.get("Resource") != _GET_OBJECT or not known:
        raise states._ExecutionError("States.Runtime", "ItemReader: only JSON by s3:getObject is in the local cloud")
    place = states._apply_jsonata_template(reader["Arguments"], raw_input, context)
    found = _parsed(_text(place["Bucket"], place["Key"], role_arn))
    if not isinstance(found, list):
        raise states._ExecutionError(_FAILED, "Attempting to map over non-iterable node.")
    most = states._apply_jsonata_template(config.get("MaxItems"), raw_input, context)
    return found[: int(most)] if most else found


def _text(bucket: str, key: str, role_arn: str) -> str:
    """Read an object; without s3:ListBucket S3 does not tell a missing one from one that may not be read."""
    states, s3 = ministack_modules.service("stepfunctions"), ministack_modules.service("s3")
    missing = _refusal(404, "NoSuchKey", "The specified key does not exist.")
    denied = _refusal(403, "AccessDenied", "Access Denied")
    if role_arn and not role_allows(role_arn, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
        raise states._ExecutionError(_FAILED, denied)
    status, _, body = s3._get_object(bucket, key, {}, {})
    if status == 200:
        return bytes(body).decode("utf-8", errors="replace")
    may_list = not role_arn or role_allows(role_arn, "s3:ListBucket", f"arn:aws:s3:::{bucket}")
    raise states._ExecutionError(_FAILED, missing if may_list else denied)


def _parsed(text: str) -> Any:
    states = ministack_modules.service("stepfunctions")
    try:
        return json.loads(text)
    except ValueError as error:
        raise states._ExecutionError(_FAILED, f"Unable to parse the dataset as JSON: {error}") from None


def _refusal(status: int, code: str, text: str) -> str:
    return f"{text} (Service: Amazon S3; Status Code: {status}; Error Code: {code})"
