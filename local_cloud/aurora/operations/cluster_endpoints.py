"""Endpoints of clusters: the writer's, the readers', and custom ones."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call, new_resource_id
from local_cloud.aurora.errors import ApiError, instance_not_found, invalid_combination
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.clusters import require_available
from local_cloud.aurora.operations.paging import keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.attachments import CustomEndpoint
from local_cloud.aurora.state.describe import ENDPOINT
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.state.tagging import requested_tags

TYPES = ("READER", "ANY")
CHANGE_SECONDS = 30


@operation(
    "CreateDBClusterEndpoint",
    identifier="DBClusterEndpointIdentifier",
    supports="DBClusterIdentifier EndpointType StaticMembers ExcludedMembers Tags",
)
def create_db_cluster_endpoint(call: Call) -> dict[str, Any]:
    """Answer CreateDBClusterEndpoint."""
    params, state = call.params, call.state
    name = validate.identifier(params, "DBClusterEndpointIdentifier")
    cluster = state.cluster(params["DBClusterIdentifier"])
    require_available(cluster, "create an endpoint of")
    custom_type = validate.one_of({"EndpointType": params["EndpointType"].upper()}, "EndpointType", "ANY", TYPES)
    static, excluded = _members(call, cluster)
    require(
        name not in state.custom_endpoints,
        ApiError("DBClusterEndpointAlreadyExistsFault", f"DB cluster endpoint {name} already exists."),
    )
    most = call.settings.quotas.custom_endpoints_of_a_cluster
    present = [item for item in state.custom_endpoints.values() if item.cluster_resource_id == cluster.resource_id]
    require(
        len(present) < most,
        ApiError("DBClusterEndpointQuotaExceededFault", f"Cannot create more than {most} custom endpoints.", 403),
    )
    endpoint = CustomEndpoint(
        identifier=name,
        arn=state.arn("cluster-endpoint", name),
        tags=requested_tags(params),
        resource_id=new_resource_id("cluster-endpoint"),
        cluster_resource_id=cluster.resource_id,
        custom_type=custom_type,
        static_members=static,
        excluded_members=excluded,
    )
    state.custom_endpoints[name] = endpoint
    _becomes_available(call, endpoint, cluster)
    return _describe_custom(call, endpoint)


@operation(
    "ModifyDBClusterEndpoint",
    identifier="DBClusterEndpointIdentifier",
    supports="EndpointType StaticMembers ExcludedMembers",
)
def modify_db_cluster_endpoint(call: Call) -> dict[str, Any]:
    """Answer ModifyDBClusterEndpoint: the members given replace those there were, of either kind."""
    endpoint = _available_endpoint(call)
    cluster = _cluster_of(call, endpoint)
    if "StaticMembers" in call.params or "ExcludedMembers" in call.params:
        endpoint.static_members, endpoint.excluded_members = _members(call, cluster)
    if "EndpointType" in call.params:
        wanted = {"EndpointType": call.params["EndpointType"].upper()}
        endpoint.custom_type = validate.one_of(wanted, "EndpointType", "ANY", TYPES)
    endpoint.status = "modifying"
    _becomes_available(call, endpoint, cluster)
    return _describe_custom(call, endpoint)


@operation("DeleteDBClusterEndpoint", identifier="DBClusterEndpointIdentifier")
def delete_db_cluster_endpoint(call: Call) -> dict[str, Any]:
    """Answer DeleteDBClusterEndpoint."""
    endpoint = _available_endpoint(call)
    endpoint.status = "deleting"

    def gone() -> None:
        call.state.custom_endpoints.pop(endpoint.identifier, None)

    call.later(_cluster_of(call, endpoint), CHANGE_SECONDS, gone)
    return _describe_custom(call, endpoint)


@operation(
    "DescribeDBClusterEndpoints",
    identifier="DBClusterIdentifier",
    supports="DBClusterEndpointIdentifier Filters MaxRecords Marker",
)
def describe_db_cluster_endpoints(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterEndpoints: the cluster's own are `creating` until it has an available writer."""
    name = call.params.get("DBClusterIdentifier")
    clusters = [call.state.cluster(name)] if name else list(call.state.clusters.values())
    custom = [_describe_custom(call, item) for item in call.state.custom_endpoints.values()]
    names = [cluster.identifier for cluster in clusters]
    found = [item for cluster in clusters for item in _describe_own(call, cluster)]
    found += [item for item in custom if item["DBClusterIdentifier"] in names]
    if wanted := call.params.get("DBClusterEndpointIdentifier"):
        found = [item for item in found if item.get("DBClusterEndpointIdentifier") == wanted.lower()]
    found = keep_matching(
        found,
        call.params,
        {
            "db-cluster-endpoint-type": lambda item, values: item["EndpointType"].lower() in values,
            "db-cluster-endpoint-custom-type": lambda item, values: (
                item.get("CustomEndpointType", "").lower() in values
            ),
            "db-cluster-endpoint-id": lambda item, values: item.get("DBClusterEndpointIdentifier") in values,
            "db-cluster-endpoint-status": lambda item, values: item["Status"] in values,
        },
    )
    shown, marker = page(found, call.params, key=_position)
    return {"DBClusterEndpoints": shown, "Marker": marker}


def _upper(values: list[str]) -> list[str]:
    return [value.upper() for value in values]


def _position(item: dict[str, Any]) -> str:
    return f"{item['DBClusterIdentifier']} {item['EndpointType']} {item.get('DBClusterEndpointIdentifier', '')}"


def _members(call: Call, cluster: Cluster) -> tuple[list[str], list[str]]:
    """Return static and excluded members; raise unless they are members of the cluster, and of one kind only."""
    static, excluded = call.params.get("StaticMembers") or [], call.params.get("ExcludedMembers") or []
    require(
        not (static and excluded),
        invalid_combination("StaticMembers and ExcludedMembers cannot be specified together."),
    )
    for name in [*static, *excluded]:
        if name.lower() not in cluster.members:
            raise instance_not_found(name)
    return [name.lower() for name in static], [name.lower() for name in excluded]


def _available_endpoint(call: Call) -> CustomEndpoint:
    name = call.params["DBClusterEndpointIdentifier"].lower()
    found = call.state.custom_endpoints.get(name)
    if found is None:
        raise ApiError("DBClusterEndpointNotFoundFault", f"DB cluster endpoint {name} not found.")
    require(
        found.status == "available",
        ApiError("InvalidDBClusterEndpointStateFault", f"DB cluster endpoint {name} is {found.status}, not available."),
    )
    return found


def _cluster_of(call: Call, endpoint: CustomEndpoint) -> Cluster:
    return next(item for item in call.state.clusters.values() if item.resource_id == endpoint.cluster_resource_id)


def _becomes_available(call: Call, endpoint: CustomEndpoint, cluster: Cluster) -> None:
    def available() -> None:
        endpoint.status = "available"

    call.later(cluster, CHANGE_SECONDS, available, freezable=True)


def _describe_custom(call: Call, endpoint: CustomEndpoint) -> dict[str, Any]:
    return {
        "DBClusterEndpointIdentifier": endpoint.identifier,
        "DBClusterIdentifier": _cluster_of(call, endpoint).identifier,
        "DBClusterEndpointResourceIdentifier": endpoint.resource_id,
        "Endpoint": ENDPOINT,
        "Status": endpoint.status,
        "EndpointType": "CUSTOM",
        "CustomEndpointType": endpoint.custom_type,
        "StaticMembers": endpoint.static_members,
        "ExcludedMembers": endpoint.excluded_members,
        "DBClusterEndpointArn": endpoint.arn,
    }


def _describe_own(call: Call, cluster: Cluster) -> list[dict[str, Any]]:
    serving = any(member.reachable_once for member in call.state.members_of(cluster))
    status = "available" if serving and cluster.status != "creating" else "creating"
    return [
        {
            "DBClusterIdentifier": cluster.identifier,
            "Endpoint": ENDPOINT,
            "Status": status,
            "EndpointType": kind,
        }
        for kind in ("WRITER", "READER")
    ]
