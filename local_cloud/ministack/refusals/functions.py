"""Functions: an event is JSON, and the environment variables of one have 4 KB in all.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
MOST_BYTES_OF_VARIABLES = 4096


def install() -> None:
    """Refuse events that are no JSON and environments that are too large."""
    functions = ministack_modules.service("lambda_svc")
    create: Callable[[Json], Any] = functions._create_function
    update: Callable[[str, Json], Any] = functions._update_config
    handle: Callable[..., Any] = functions.handle_request

    def refused(data: Json) -> Any:
        variables = (data.get("Environment") or {}).get("Variables", {})
        if len(json.dumps(variables, ensure_ascii=False, separators=(",", ":")).encode()) <= MOST_BYTES_OF_VARIABLES:
            return None
        return functions.error_response_json(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit.",
            400,
        )

    async def handle_json(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if path.endswith("/invocations") and body:
            try:
                json.loads(body)
            except ValueError as error:
                return functions.error_response_json(
                    "InvalidRequestContentException", f"Could not parse request body into json: {error}", 400
                )
        return await handle(method, path, headers, body, query)

    functions._create_function = lambda data: refused(data) or create(data)
    functions._update_config = lambda name, data: refused(data) or update(name, data)
    functions.handle_request = handle_json
