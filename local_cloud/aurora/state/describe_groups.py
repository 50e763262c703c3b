"""Subnet groups and parameter groups as the answers show them."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.state.resources import ParameterGroup, SubnetGroup
from local_cloud.aurora.state.versions import family_of


def describe_subnet_group(group: SubnetGroup) -> dict[str, Any]:
    """Return a DBSubnetGroup."""
    return {
        "DBSubnetGroupName": group.identifier,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet,
                "SubnetAvailabilityZone": {"Name": zone},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet, zone in group.subnets
        ],
        "DBSubnetGroupArn": group.arn,
        "SupportedNetworkTypes": group.network_types,
    }


def describe_parameter_group(group: ParameterGroup) -> dict[str, Any]:
    """Return a DBParameterGroup or DBClusterParameterGroup."""
    prefix = "DBClusterParameterGroup" if group.kind == "cluster-pg" else "DBParameterGroup"
    return {
        f"{prefix}Name": group.identifier,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        f"{prefix}Arn": group.arn,
    }


def default_parameter_group(engine_version: str) -> str:
    """Return the name of the default (cluster) parameter group of an engine version."""
    return f"default.{family_of(engine_version)}"
