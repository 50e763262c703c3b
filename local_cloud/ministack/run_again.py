"""Invokes a function once more with the same event, for the hop."""

from __future__ import annotations

import json
from collections.abc import Callable

import boto3
from botocore.config import Config

from local_cloud.credentials import root_credentials
from local_cloud.hop.invocations import Invocation
from local_cloud.regions import TARGET_REGION

_LONGEST_FUNCTION_SECONDS = 900


def run_again(endpoint: str) -> Callable[[Invocation], None]:
    """Return what runs an invocation's function from beginning to end and waits for it."""
    credentials = root_credentials()
    session = boto3.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        region_name=TARGET_REGION,
    )
    config = Config(read_timeout=_LONGEST_FUNCTION_SECONDS, retries={"mode": "standard", "total_max_attempts": 1})
    client = session.client("lambda", endpoint_url=endpoint, config=config)

    def run(invocation: Invocation) -> None:
        client.invoke(FunctionName=invocation.function, Payload=json.dumps(invocation.event).encode())

    return run
