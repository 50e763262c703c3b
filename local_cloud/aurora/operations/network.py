"""Where clusters and instances stand: subnets, security groups, network types and availability zones."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_combination, invalid_value
from local_cloud.aurora.hooks import Subnet
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Cluster, SubnetGroup

NETWORK_TYPES = ("IPV4", "DUAL")


def existing_subnets(call: Call, identifiers: list[str]) -> list[Subnet]:
    """Return subnets of one VPC; raise InvalidSubnet for one that does not exist or is of another."""
    found = call.engine.hooks.networks.subnets(call.caller.account_id, call.region, identifiers)
    missing = [name for name in identifiers if name not in [subnet.identifier for subnet in found]]
    if missing:
        raise ApiError("InvalidSubnet", f"Some input subnets in :[{', '.join(missing)}] are invalid.")
    require(
        len({subnet.vpc_id for subnet in found}) == 1,
        ApiError("InvalidSubnet", f"The subnets [{', '.join(identifiers)}] are not all in the same VPC."),
    )
    return found


def network_types(subnets: list[Subnet]) -> list[str]:
    """Return the network types that a group of these subnets supports."""
    return list(NETWORK_TYPES) if all(subnet.ipv6 for subnet in subnets) else ["IPV4"]


def chosen_network_type(params: dict[str, Any], group: SubnetGroup, default: str) -> str:
    """Return the network type; raise NetworkTypeNotSupported where the subnet group has no IPv6."""
    wanted = validate.one_of(params, "NetworkType", default, NETWORK_TYPES)
    require(
        wanted in group.network_types,
        ApiError(
            "NetworkTypeNotSupported",
            f"The network type {wanted} is not supported by the DB subnet group {group.identifier}, which supports "
            f"{', '.join(group.network_types)}.",
        ),
    )
    return wanted


def chosen_security_groups(call: Call, group: SubnetGroup, default: list[str]) -> list[str]:
    """Return VPC security groups in the VPC of the subnet group, which must exist; without a wish, its default one."""
    networks, account_id = call.engine.hooks.networks, call.caller.account_id
    wanted: list[str] = call.params.get("VpcSecurityGroupIds") or default
    if not wanted:
        return [networks.default_security_group(account_id, call.region, group.vpc_id)]
    found = networks.security_groups(account_id, call.region, wanted)
    for name in wanted:
        if name not in found:
            raise invalid_value(f"Invalid security group , groupId= {name}, groupName=.")
        require(
            found[name] == group.vpc_id,
            invalid_combination(
                "The DB instance and EC2 security group are in different VPCs. The DB instance is in "
                f"{group.vpc_id} and the EC2 security group is in {found[name]}"
            ),
        )
    return list(wanted)


def chosen_zone(call: Call, cluster: Cluster, instance_class: str) -> str:
    """Return the availability zone of a new instance: the one asked for, or one that its subnet group covers."""
    group = call.state.subnet_groups[cluster.subnet_group]
    covered = list(dict.fromkeys(zone for _, zone in group.subnets))
    offered = call.state.zones_of(instance_class)
    wanted = call.params.get("AvailabilityZone")
    if wanted is None:
        return _any_zone(cluster, group, instance_class, covered, offered)
    if wanted not in call.state.zones:
        raise invalid_value(f"Invalid availability zone: {wanted}")
    require(
        wanted in covered,
        ApiError(
            "InvalidVPCNetworkStateFault",
            f"The DB subnet group {group.identifier} has no subnet in the availability zone {wanted}; it covers "
            f"{', '.join(covered)}.",
        ),
    )
    require(
        wanted in offered,
        ApiError(
            "InsufficientDBInstanceCapacity",
            f"There is not enough capacity for {instance_class} in the availability zone {wanted}; choose from "
            f"these availability zones: {', '.join(offered)}.",
        ),
    )
    return str(wanted)


def has_free_address(call: Call, cluster: Cluster, zone: str) -> bool:
    """Tell whether the zone's subnets have an address left for one more instance."""
    group = call.state.subnet_groups[cluster.subnet_group]
    names = [name for name, _ in group.subnets]
    found = call.engine.hooks.networks.subnets(call.caller.account_id, call.region, names)
    return any(subnet.free_addresses > 0 for subnet in found if subnet.zone == zone)


def _any_zone(cluster: Cluster, group: SubnetGroup, instance_class: str, covered: list[str], offered: list[str]) -> str:
    fit = [zone for zone in covered if zone in offered]
    require(
        fit,
        ApiError(
            "InvalidVPCNetworkStateFault",
            "Cannot create a database instance because no subnets exist in availability zones with sufficient "
            f"capacity for VPC {group.vpc_id} and storage type : {cluster.storage_type} for {instance_class}. Please "
            f"first create at least one new subnet; choose from these availability zones: {', '.join(offered)}.",
        ),
    )
    return fit[len(cluster.members) % len(fit)]
