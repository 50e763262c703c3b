"""A fleet's list in S3: read as the state machine will, and judged before anything is started."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deployment.account import Refused, error_code, explain
from restore_command.pipeline import Pipeline
from utils.json_text import read_json

MOST_BYTES = 50_000_000  # 500 requests of 100,000 characters, the longest that a run takes


@dataclass(frozen=True, kw_only=True)
class FleetList:
    """What a list had when it was read, and when that was written."""

    operations: list[Any]
    written_at: datetime


def read_list(pipeline: Pipeline, s3_uri: str) -> FleetList:
    """Read a list; raises `Refused` where fleets may not read, or where there is no JSON list."""
    if not s3_uri.startswith(pipeline.fleet_lists) or s3_uri == pipeline.fleet_lists:
        raise _refused(s3_uri, f"a list below {pipeline.fleet_lists} (stack parameter FleetListsBucket)")
    bucket, _, key = s3_uri.removeprefix("s3://").partition("/")
    try:
        answer = pipeline.account.client("s3").get_object(Bucket=bucket, Key=key)
        size = answer["ContentLength"]
        if size > MOST_BYTES:
            raise _refused(f"{s3_uri} with {size:,} bytes", f"at most {MOST_BYTES:,}")
        content = answer["Body"].read()
    except (ClientError, BotoCoreError) as error:
        is_missing = isinstance(error, ClientError) and error_code(error) in {"NoSuchKey", "NoSuchBucket"}
        said = "there is no such object" if is_missing else explain(error)
        raise _refused(f"{s3_uri} ({said})", "a list that you and the fleet may read") from None
    try:
        operations = read_json(content.decode())
    except ValueError as error:
        raise _refused(f"{s3_uri}, which is no JSON ({error})", "a JSON list of requests") from None
    if not isinstance(operations, list):
        raise _refused(f"{s3_uri} with a JSON {type(operations).__name__}", "a JSON list of requests, [REQUEST, ...]")
    return FleetList(operations=operations, written_at=answer["LastModified"])


def _refused(found: str, expected: str) -> Refused:
    return Refused(f"operations_from: found {found}; expected {expected}")
