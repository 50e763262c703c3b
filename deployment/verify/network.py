"""What EC2 says about the way from setup-db-users to the database and to AWS's services, when it is in a VPC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Account, error_code
from utils.request.target import Target

_POSTGRESQL, _HTTPS = 5432, 443
_VPC_HINT = "deploy with --set VpcSubnetIds=subnet-…,subnet-… --set VpcSecurityGroupIds=sg-…"
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something is in a network."""

    vpc_id: str
    subnet_ids: Sequence[str]
    group_ids: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class DatabasePath:
    """What is known of the way to the target cluster."""

    endpoint: str = ""
    is_judged: bool = False
    shut_by: list[str] = field(default_factory=list)
    hint: str = ""


def path_to_database(account: Account, function: str, cluster_id: str, target: Target | None) -> DatabasePath:
    """Judge the way to the target cluster, or to where the request will put it."""
    here = _place_of_function(account, function)
    cluster = _find_cluster(account, cluster_id)
    endpoint = f"{cluster['Endpoint']}:{cluster['Port']}" if cluster and cluster.get("Endpoint") else ""
    if here is None:
        reason = f"{function} is outside a VPC, a cluster is reached only from its own: {_VPC_HINT}"
        return DatabasePath(endpoint=endpoint, shut_by=[reason] if endpoint else [], hint=reason)
    there, port = _place_of_database(account, cluster, target)
    if there is None:
        hint = "name target.subnet_group in the request, or verify again after the first restore"
        return DatabasePath(endpoint=endpoint, hint=hint)
    return DatabasePath(endpoint=endpoint, is_judged=True, shut_by=_shut_between(account, here, there, port))


def what_shuts_services(account: Account, function: str) -> str:
    """Say why a function gets no answer from AWS's services, as far as routes, endpoints and groups show it."""
    here = _place_of_function(account, function)
    if here is None:
        return f"{function} is outside a VPC: compare its environment with infrastructure/lambda.yaml"
    ec2 = account.client("ec2")
    found = _groups(ec2, here.group_ids).values()
    reasons = []
    if not any(_covers(rule, _HTTPS) for group in found for rule in group["IpPermissionsEgress"]):
        reasons.append(f"security groups {', '.join(here.group_ids)} let no TCP {_HTTPS} out: add an egress rule")
    closed = [subnet for subnet in here.subnet_ids if not _has_way_out(ec2, here.vpc_id, subnet)]
    missing = _missing_endpoints(ec2, account.region, here.vpc_id) if closed else []
    if missing:
        reasons.append(
            f"{', '.join(closed)}: no NAT, and no endpoint in {here.vpc_id} for {', '.join(missing)}: "
            "deploy infrastructure/network.yaml"
        )
    return "; ".join(reasons) or "routes, endpoints and groups look right: look at the network ACLs and DNS of the VPC"


def _place_of_function(account: Account, function: str) -> Place | None:
    vpc = account.client("lambda").get_function_configuration(FunctionName=function).get("VpcConfig", {})
    if not vpc.get("SubnetIds"):
        return None
    vpc_id = _subnets(account.client("ec2"), vpc["SubnetIds"])[0]["VpcId"]
    return Place(vpc_id=vpc_id, subnet_ids=vpc["SubnetIds"], group_ids=vpc["SecurityGroupIds"])


def _find_cluster(account: Account, cluster_id: str) -> Json | None:
    if not cluster_id:
        return None
    try:
        found: Json = account.client("rds").describe_db_clusters(DBClusterIdentifier=cluster_id)["DBClusters"][0]
    except ClientError as error:
        if error_code(error) != "DBClusterNotFoundFault":
            raise
        return None
    return found


def _place_of_database(account: Account, cluster: Json | None, target: Target | None) -> tuple[Place | None, int]:
    wanted = target.subnet_group if target else None
    name = wanted or (cluster or {}).get("DBSubnetGroup")
    if not name:
        return None, 0
    found = account.client("rds").describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]
    groups = target.security_group_ids if target and target.security_group_ids else None
    of_cluster = [group["VpcSecurityGroupId"] for group in (cluster or {}).get("VpcSecurityGroups", [])]
    place = Place(
        vpc_id=found["VpcId"],
        subnet_ids=[subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
        group_ids=list(groups or of_cluster),
    )
    return place, (target.port if target and target.port else None) or (cluster or {}).get("Port") or _POSTGRESQL


def _shut_between(account: Account, here: Place, there: Place, port: int) -> list[str]:
    if here.vpc_id != there.vpc_id:
        return [f"the function is in {here.vpc_id}, the database in {there.vpc_id}: {_VPC_HINT} of {there.vpc_id}"]
    if not there.group_ids:
        return []  # the VPC's default group, which RDS takes then, is not known before
    ec2 = account.client("ec2")
    groups = _groups(ec2, [*here.group_ids, *there.group_ids])
    out = (rule for group in here.group_ids for rule in groups[group]["IpPermissionsEgress"])
    into = (rule for group in there.group_ids for rule in groups[group]["IpPermissions"])
    reasons = []
    if not _lets(out, port, there.group_ids, _cidrs(ec2, there)):
        reasons.append(
            f"security groups {', '.join(here.group_ids)} of the function let no TCP {port} out to the database: "
            "add an egress rule"
        )
    if not _lets(into, port, here.group_ids, _cidrs(ec2, here)):
        reasons.append(
            f"security groups {', '.join(there.group_ids)} of the database let no TCP {port} in from the function: "
            f"add an ingress rule for {here.group_ids[0]}"
        )
    return reasons


def _lets(rules: Iterable[Json], port: int, peer_groups: Sequence[str], peer_cidrs: Sequence[str]) -> bool:
    for rule in rules:
        if not _covers(rule, port):
            continue
        if {pair["GroupId"] for pair in rule.get("UserIdGroupPairs", [])} & set(peer_groups):
            return True
        ranges = [ip_network(item["CidrIp"]) for item in rule.get("IpRanges", [])]
        if peer_cidrs and all(any(ip_network(cidr).overlaps(range_) for range_ in ranges) for cidr in peer_cidrs):
            return True
    return False


def _covers(rule: Json, port: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in {"tcp", "6"} and rule["FromPort"] <= port <= rule["ToPort"]


def _cidrs(ec2: Any, place: Place) -> list[str]:
    return [subnet["CidrBlock"] for subnet in _subnets(ec2, place.subnet_ids)]


def _subnets(ec2: Any, subnet_ids: Sequence[str]) -> list[Json]:
    return list(ec2.describe_subnets(SubnetIds=list(subnet_ids))["Subnets"])


def _groups(ec2: Any, group_ids: Sequence[str]) -> dict[str, Json]:
    found = ec2.describe_security_groups(GroupIds=sorted(set(group_ids)))["SecurityGroups"]
    return {group["GroupId"]: group for group in found}


def _has_way_out(ec2: Any, vpc_id: str, subnet_id: str) -> bool:
    """Whether the subnet's default route leads through anything but an internet gateway, which no function can use."""
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"]
    of_subnet = [item for item in tables if any(a.get("SubnetId") == subnet_id for a in item["Associations"])]
    main = [item for item in tables if any(a.get("Main") for a in item["Associations"])]
    routes = [route for table in (of_subnet or main)[:1] for route in table["Routes"]]
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and not route.get("GatewayId", "").startswith("igw-")
        for route in routes
    )


def _missing_endpoints(ec2: Any, region: str, vpc_id: str) -> list[str]:
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["VpcEndpoints"]
    there = {item["ServiceName"] for item in found if item["State"].lower() == "available"}
    return [name for name in ("dynamodb", "rds", "secretsmanager") if f"com.amazonaws.{region}.{name}" not in there]
