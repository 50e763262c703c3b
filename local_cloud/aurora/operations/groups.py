"""DB subnet groups, DB cluster parameter groups, DB parameter groups."""

from __future__ import annotations

import re
from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.network import existing_subnets, network_types
from local_cloud.aurora.operations.paging import keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe_groups import describe_parameter_group, describe_subnet_group
from local_cloud.aurora.state.resources import ParameterGroup, SubnetGroup
from local_cloud.aurora.state.tagging import requested_tags
from local_cloud.aurora.state.versions import FAMILIES

FEWEST_ZONES = 2


@operation("CreateDBSubnetGroup", identifier="DBSubnetGroupName", supports="DBSubnetGroupDescription SubnetIds Tags")
def create_db_subnet_group(call: Call) -> dict[str, Any]:
    """Answer CreateDBSubnetGroup: subnets of one VPC, in two zones at least."""
    name = call.params["DBSubnetGroupName"].lower()
    if not re.fullmatch(r"[a-z0-9 ._-]{1,255}", name) or name == "default":
        raise invalid_value(f"Invalid DB subnet group name: {name}")
    if name in call.state.subnet_groups:
        raise ApiError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    subnets = list(dict.fromkeys(call.params["SubnetIds"]))
    found = existing_subnets(call, subnets)
    zones = list(dict.fromkeys(subnet.zone for subnet in found))
    require(
        len(zones) >= FEWEST_ZONES,
        ApiError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(zones)}. Add subnets to cover at least {FEWEST_ZONES} AZs.",
        ),
    )
    most = call.settings.quotas.subnet_groups
    require(
        len(call.state.subnet_groups) < most,
        ApiError("DBSubnetGroupQuotaExceeded", f"Cannot create more than {most} DB subnet groups."),
    )
    group = SubnetGroup(
        identifier=name,
        arn=call.state.arn("subgrp", name),
        tags=requested_tags(call.params),
        description=call.params["DBSubnetGroupDescription"],
        vpc_id=found[0].vpc_id,
        subnets=[(subnet.identifier, subnet.zone) for subnet in found],
        network_types=network_types(found),
    )
    call.state.subnet_groups[name] = group
    return {"DBSubnetGroup": describe_subnet_group(group)}


@operation("DescribeDBSubnetGroups", identifier="DBSubnetGroupName", supports="Filters MaxRecords Marker")
def describe_db_subnet_groups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBSubnetGroups."""
    name = call.params.get("DBSubnetGroupName")
    groups = [_subnet_group(call, name)] if name else list(call.state.subnet_groups.values())
    shown, marker = page(keep_matching(groups, call.params, {}), call.params)
    return {"DBSubnetGroups": [describe_subnet_group(group) for group in shown], "Marker": marker}


@operation("DeleteDBSubnetGroup", identifier="DBSubnetGroupName")
def delete_db_subnet_group(call: Call) -> dict[str, Any]:
    """Answer DeleteDBSubnetGroup."""
    group = _subnet_group(call, call.params["DBSubnetGroupName"])
    used = any(cluster.subnet_group == group.identifier for cluster in call.state.clusters.values())
    if used or group.identifier == "default":
        raise ApiError(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{group.identifier}' because it is in use or the default.",
        )
    del call.state.subnet_groups[group.identifier]
    return {}


@operation(
    "CreateDBClusterParameterGroup",
    identifier="DBClusterParameterGroupName",
    supports="DBParameterGroupFamily Description Tags",
)
def create_db_cluster_parameter_group(call: Call) -> dict[str, Any]:
    """Answer CreateDBClusterParameterGroup."""
    name = validate.identifier(call.params, "DBClusterParameterGroupName")
    group = _new_group(call, name, "cluster-pg", call.state.cluster_parameter_groups)
    return {"DBClusterParameterGroup": describe_parameter_group(group)}


@operation(
    "DescribeDBClusterParameterGroups",
    identifier="DBClusterParameterGroupName",
    supports="Filters MaxRecords Marker",
)
def describe_db_cluster_parameter_groups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterParameterGroups."""
    return _described(
        call, "DBClusterParameterGroupName", "DBClusterParameterGroups", call.state.cluster_parameter_groups
    )


@operation("DeleteDBClusterParameterGroup", identifier="DBClusterParameterGroupName")
def delete_db_cluster_parameter_group(call: Call) -> dict[str, Any]:
    """Answer DeleteDBClusterParameterGroup."""
    groups = call.state.cluster_parameter_groups
    group = group_named(call.params["DBClusterParameterGroupName"], groups)
    used = any(cluster.parameter_group == group.identifier for cluster in call.state.clusters.values())
    _delete_group(group, groups, used=used)
    return {}


@operation(
    "CreateDBParameterGroup",
    identifier="DBParameterGroupName",
    supports="DBParameterGroupFamily Description Tags",
)
def create_db_parameter_group(call: Call) -> dict[str, Any]:
    """Answer CreateDBParameterGroup."""
    name = validate.identifier(call.params, "DBParameterGroupName")
    return {"DBParameterGroup": describe_parameter_group(_new_group(call, name, "pg", call.state.parameter_groups))}


@operation("DescribeDBParameterGroups", identifier="DBParameterGroupName", supports="Filters MaxRecords Marker")
def describe_db_parameter_groups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBParameterGroups."""
    return _described(call, "DBParameterGroupName", "DBParameterGroups", call.state.parameter_groups)


@operation("DeleteDBParameterGroup", identifier="DBParameterGroupName")
def delete_db_parameter_group(call: Call) -> dict[str, Any]:
    """Answer DeleteDBParameterGroup."""
    groups = call.state.parameter_groups
    group = group_named(call.params["DBParameterGroupName"], groups)
    used = any(instance.parameter_group == group.identifier for instance in call.state.instances.values())
    _delete_group(group, groups, used=used)
    return {}


def _subnet_group(call: Call, name: str) -> SubnetGroup:
    group = call.state.subnet_groups.get(name.lower())
    if group is None:
        raise ApiError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404)
    return group


def _new_group(call: Call, name: str, kind: str, groups: dict[str, ParameterGroup]) -> ParameterGroup:
    family = call.params["DBParameterGroupFamily"]
    if family not in FAMILIES.values():
        raise invalid_value(f"ParameterGroupFamily {family} is not a valid parameter group family")
    if name in groups:
        raise ApiError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    quotas = call.settings.quotas
    most = quotas.cluster_parameter_groups if kind == "cluster-pg" else quotas.parameter_groups
    own = [group for group in groups if not group.startswith("default.")]
    require(
        len(own) < most,
        ApiError("DBParameterGroupQuotaExceeded", f"Cannot create more than {most} parameter groups."),
    )
    group = ParameterGroup(
        identifier=name,
        arn=call.state.arn(kind, name),
        kind=kind,
        tags=requested_tags(call.params),
        family=family,
        description=call.params["Description"],
    )
    groups[name] = group
    return group


def group_named(name: str, groups: dict[str, ParameterGroup]) -> ParameterGroup:
    """Return a parameter group; raise DBParameterGroupNotFound."""
    group = groups.get(name.lower())
    if group is None:
        # the cluster kind answers with this code too
        raise ApiError("DBParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}", 404)
    return group


def _described(call: Call, member: str, answer: str, groups: dict[str, ParameterGroup]) -> dict[str, Any]:
    name = call.params.get(member)
    found = [group_named(name, groups)] if name else list(groups.values())
    shown, marker = page(keep_matching(found, call.params, {}), call.params)
    return {answer: [describe_parameter_group(group) for group in shown], "Marker": marker}


def _delete_group(group: ParameterGroup, groups: dict[str, ParameterGroup], *, used: bool) -> None:
    if used or group.identifier.startswith("default."):
        raise ApiError(
            "InvalidDBParameterGroupState",
            f"One or more database instances or clusters are still members of the parameter group "
            f"{group.identifier}, or it is a default group, so the group cannot be deleted",
        )
    del groups[group.identifier]
