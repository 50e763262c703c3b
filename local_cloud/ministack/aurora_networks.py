"""What the local Aurora sees of ministack's VPCs and IAM roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.aurora.hooks import Subnet
from local_cloud.ministack import ministack_modules
from local_cloud.ministack.clients_of_this_machine import groups_of_function
from local_cloud.regions import TARGET_REGION

ClientOf = Callable[[str, str, str], Any]


class MinistackNetworks:
    """The VPCs, subnets and security groups that RDS may be told to use."""

    def __init__(self, client: ClientOf) -> None:
        self._client = client

    def default_subnets(self, account_id: str, region: str) -> list[Subnet]:
        """Return the subnets of the default VPC."""
        described = self._client("ec2", account_id, region).describe_subnets()["Subnets"]
        return [_subnet(item) for item in described if item["DefaultForAz"]]

    def default_security_group(self, account_id: str, region: str, vpc_id: str) -> str:
        """Return the id of a VPC's default security group."""
        described = self._client("ec2", account_id, region).describe_security_groups()["SecurityGroups"]
        [group] = [item for item in described if (item["VpcId"], item["GroupName"]) == (vpc_id, "default")]
        return str(group["GroupId"])

    def subnets(self, account_id: str, region: str, identifiers: Sequence[str]) -> list[Subnet]:
        """Return those of the subnets that exist."""
        described = self._client("ec2", account_id, region).describe_subnets()["Subnets"]
        found = {item["SubnetId"]: _subnet(item) for item in described}
        return [found[name] for name in identifiers if name in found]

    def security_groups(self, account_id: str, region: str, identifiers: Sequence[str]) -> dict[str, str]:
        """Return those of the security groups that exist, each with the id of its VPC."""
        described = self._client("ec2", account_id, region).describe_security_groups()["SecurityGroups"]
        found = {item["GroupId"]: str(item["VpcId"]) for item in described}
        return {name: found[name] for name in identifiers if name in found}

    def lets_in(self, account_id: str, region: str, identifiers: Sequence[str], client_port: int) -> bool:
        """Let in whom a rule lets in; a group that nobody gave a rule is not looked at here, and lets everybody in.

        A rule that names other groups lets in the functions that have one of them; everybody else on this machine has
        none.
        """
        if not identifiers:
            return True
        # Not by a call: each of the sixty connections of a run's set-up asks.
        groups = ministack_modules.service("ec2")._security_groups
        found = [groups.get_scoped(account_id, region, name, {}) for name in identifiers]
        rules = [group.get("IpPermissions", []) for group in found]
        if any(not of_group or any(rule.get("IpRanges") for rule in of_group) for of_group in rules):
            return True
        named = {pair["GroupId"] for of_group in rules for rule in of_group for pair in rule["UserIdGroupPairs"]}
        return bool(named & groups_of_function(client_port))


def _subnet(item: Any) -> Subnet:
    return Subnet(
        identifier=item["SubnetId"],
        vpc_id=item["VpcId"],
        zone=item["AvailabilityZone"],
        free_addresses=item["AvailableIpAddressCount"],
        ipv6=bool(item.get("Ipv6CidrBlockAssociationSet")),
    )


class MinistackRoles:
    """The roles that RDS may be told to take on."""

    def __init__(self, client: ClientOf) -> None:
        self._client = client

    def trusted_services(self, arn: str) -> frozenset[str] | None:
        """Return the services that the role's trust policy names, None if there is no such role."""
        owner = arn.split(":")[4]
        try:
            role = self._client("iam", owner, TARGET_REGION).get_role(RoleName=arn.rpartition("/")[2])["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return None
            raise
        statements = role["AssumeRolePolicyDocument"]["Statement"]
        principals = [item.get("Principal", {}) for item in statements if item["Effect"] == "Allow"]
        named = [item["Service"] for item in principals if isinstance(item, dict) and "Service" in item]
        return frozenset(name for names in named for name in ([names] if isinstance(names, str) else names))
