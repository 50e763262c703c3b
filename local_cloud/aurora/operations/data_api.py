"""EnableHttpEndpoint, DisableHttpEndpoint: the switch of the Data API."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Cluster


@operation("EnableHttpEndpoint", identifier="ResourceArn")
def enable_http_endpoint(call: Call) -> dict[str, Any]:
    """Answer EnableHttpEndpoint."""
    return _switch(call, on=True)


@operation("DisableHttpEndpoint", identifier="ResourceArn")
def disable_http_endpoint(call: Call) -> dict[str, Any]:
    """Answer DisableHttpEndpoint."""
    return _switch(call, on=False)


def _switch(call: Call, *, on: bool) -> dict[str, Any]:
    arn = call.params["ResourceArn"]
    found = call.engine.store.find(arn)
    if not isinstance(found, Cluster) or found.arn not in [item.arn for item in call.state.clusters.values()]:
        raise ApiError("ResourceNotFoundFault", f"The specified resource ID was not found: {arn}", 404)
    require(
        found.status == "available",
        ApiError("InvalidResourceStateFault", f"The DB cluster {found.identifier} is {found.status}, not available."),
    )
    found.http_endpoint = on
    return {"ResourceArn": arn, "HttpEndpointEnabled": on}
