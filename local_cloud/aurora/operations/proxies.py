"""RDS Proxy: proxies and the cluster behind each; nobody can connect through one here."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call, new_resource_id
from local_cloud.aurora.errors import ApiError, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.network import existing_subnets
from local_cloud.aurora.operations.paging import page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.attachments import Proxy
from local_cloud.aurora.state.describe import ENDPOINT
from local_cloud.aurora.state.tagging import requested_tags

DEFAULT_GROUP = "default"
RDS = "rds.amazonaws.com"
DEFAULTS = {"RequireTLS": False, "IdleClientTimeout": 1800, "DebugLogging": False, "Auth": []}
POOL = {"MaxConnectionsPercent": 100, "MaxIdleConnectionsPercent": 50, "ConnectionBorrowTimeout": 120}


@operation(
    "CreateDBProxy",
    identifier="DBProxyName",
    supports="EngineFamily Auth RoleArn VpcSubnetIds VpcSecurityGroupIds RequireTLS IdleClientTimeout DebugLogging "
    "Tags",
)
def create_db_proxy(call: Call) -> dict[str, Any]:
    """Answer CreateDBProxy: available at once, with an empty target group."""
    params, state = call.params, call.state
    name = validate.identifier(params, "DBProxyName")
    if params["EngineFamily"] != "POSTGRESQL":
        raise invalid_value(f"Invalid engine family: {params['EngineFamily']}. Valid values here: POSTGRESQL")
    require(name not in state.proxies, ApiError("DBProxyAlreadyExistsFault", f"DB proxy {name} already exists."))
    most = call.settings.quotas.proxies
    require(
        len(state.proxies) < most,
        ApiError("DBProxyQuotaExceededFault", f"Cannot create more than {most} proxies."),
    )
    subnets = existing_subnets(call, params["VpcSubnetIds"])
    call.pass_role(params["RoleArn"], RDS)
    kept = ("EngineFamily", "Auth", "RoleArn", "VpcSubnetIds", "VpcSecurityGroupIds", *DEFAULTS)
    proxy = Proxy(
        identifier=name,
        arn=state.arn("db-proxy", new_resource_id("prx").lower()),
        tags=requested_tags(params),
        settings={member: params.get(member, DEFAULTS.get(member)) for member in kept},
        vpc_id=subnets[0].vpc_id,
        target_group_arn=state.arn("target-group", new_resource_id("prx-tg").lower()),
        create_time=call.now,
        status="available",
    )
    state.proxies[name] = proxy
    return {"DBProxy": _describe(proxy)}


@operation("DescribeDBProxies", identifier="DBProxyName", supports="MaxRecords Marker")
def describe_db_proxies(call: Call) -> dict[str, Any]:
    """Answer DescribeDBProxies."""
    found = [_named(call)] if call.params.get("DBProxyName") else list(call.state.proxies.values())
    shown, marker = page(found, call.params)
    return {"DBProxies": [_describe(proxy) for proxy in shown], "Marker": marker}


@operation("DeleteDBProxy", identifier="DBProxyName")
def delete_db_proxy(call: Call) -> dict[str, Any]:
    """Answer DeleteDBProxy."""
    proxy = _named(call)
    del call.state.proxies[proxy.identifier]
    proxy.status = "deleting"
    return {"DBProxy": _describe(proxy)}


@operation("DescribeDBProxyTargetGroups", identifier="DBProxyName", supports="TargetGroupName MaxRecords Marker")
def describe_db_proxy_target_groups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBProxyTargetGroups: each proxy has its default group."""
    proxy = _with_group(call)
    group = {
        "DBProxyName": proxy.identifier,
        "TargetGroupName": DEFAULT_GROUP,
        "TargetGroupArn": proxy.target_group_arn,
        "IsDefault": True,
        "Status": "available",
        "ConnectionPoolConfig": POOL,
        "CreatedDate": proxy.create_time,
        "UpdatedDate": proxy.create_time,
    }
    return {"TargetGroups": [group]}


@operation("RegisterDBProxyTargets", identifier="DBProxyName", supports="TargetGroupName DBClusterIdentifiers")
def register_db_proxy_targets(call: Call) -> dict[str, Any]:
    """Answer RegisterDBProxyTargets, for a cluster."""
    proxy = _with_group(call)
    cluster = call.state.cluster(_one_cluster(call))
    require(
        not _targets(call, proxy),
        ApiError(
            "DBProxyTargetAlreadyRegisteredFault",
            f"The proxy {proxy.identifier} is already associated with a registered target.",
        ),
    )
    proxy.cluster_resource_id, proxy.registered_at = cluster.resource_id, call.now
    return {"DBProxyTargets": _targets(call, proxy)}


@operation("DeregisterDBProxyTargets", identifier="DBProxyName", supports="TargetGroupName DBClusterIdentifiers")
def deregister_db_proxy_targets(call: Call) -> dict[str, Any]:
    """Answer DeregisterDBProxyTargets, for a cluster."""
    proxy = _with_group(call)
    name = _one_cluster(call)
    registered = {item.get("TrackedClusterId") or item["RdsResourceId"] for item in _targets(call, proxy)}
    require(
        name.lower() in registered,
        ApiError(
            "DBProxyTargetNotFoundFault", f"The cluster {name} is no target of the proxy {proxy.identifier}.", 404
        ),
    )
    proxy.cluster_resource_id, proxy.registered_at = "", None
    return {}


@operation("DescribeDBProxyTargets", identifier="DBProxyName", supports="TargetGroupName MaxRecords Marker")
def describe_db_proxy_targets(call: Call) -> dict[str, Any]:
    """Answer DescribeDBProxyTargets: the tracked cluster and its members; a cluster that is gone is no target."""
    found = _targets(call, _with_group(call))
    shown, marker = page(found, call.params, key=lambda item: f"{item['Type']} {item['RdsResourceId']}")
    return {"Targets": shown, "Marker": marker}


def _named(call: Call) -> Proxy:
    name = call.params["DBProxyName"]
    found = call.state.proxies.get(name.lower())
    if found is None:
        raise ApiError("DBProxyNotFoundFault", f"DB proxy {name} not found.", 404)
    return found


def _with_group(call: Call) -> Proxy:
    proxy = _named(call)
    group = call.params.get("TargetGroupName", DEFAULT_GROUP)
    require(
        group == DEFAULT_GROUP,
        ApiError("DBProxyTargetGroupNotFoundFault", f"Target group {group} of {proxy.identifier} not found.", 404),
    )
    return proxy


def _one_cluster(call: Call) -> str:
    names = call.params.get("DBClusterIdentifiers") or []
    if len(names) != 1:
        raise invalid_value("A proxy of Aurora has one DB cluster as its target; specify one DBClusterIdentifier.")
    return str(names[0])


def _targets(call: Call, proxy: Proxy) -> list[dict[str, Any]]:
    clusters = call.state.clusters.values()
    cluster = next((item for item in clusters if item.resource_id == proxy.cluster_resource_id), None)
    if cluster is None:
        return []
    targets: list[dict[str, Any]] = [{"RdsResourceId": cluster.identifier, "Type": "TRACKED_CLUSTER"}]
    for position, member in enumerate(call.state.members_of(cluster)):
        healthy = member.status == "available"
        targets.append(
            {
                "TargetArn": member.arn,
                "Endpoint": ENDPOINT,
                "TrackedClusterId": cluster.identifier,
                "RdsResourceId": member.identifier,
                "Port": cluster.server.port,
                "Type": "RDS_INSTANCE",
                "Role": "READ_WRITE" if position == 0 else "READ_ONLY",
                "TargetHealth": {"State": "AVAILABLE" if healthy else "UNAVAILABLE"}
                | ({} if healthy else {"Reason": "UNREACHABLE"}),
            }
        )
    return targets


def _describe(proxy: Proxy) -> dict[str, Any]:
    return {
        **proxy.settings,
        "DBProxyName": proxy.identifier,
        "DBProxyArn": proxy.arn,
        "Status": proxy.status,
        "VpcId": proxy.vpc_id,
        "Endpoint": ENDPOINT,
        "CreatedDate": proxy.create_time,
        "UpdatedDate": proxy.create_time,
    }
