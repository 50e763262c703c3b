"""The way from setup-db-users to the database and to AWS's services, as EC2's own descriptions show it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from deployment.account import Account
from deployment.verify.network import path_to_database, what_shuts_services
from utils.request.target import Target

FUNCTION = "aurora-restore-setup-db-users"
ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]


@dataclass
class Vpc:
    """A VPC with subnets for the function and for the database, and a closed security group for each."""

    account: Account
    vpc_id: str
    function_subnet: str
    function_group: str
    database_group: str

    @property
    def ec2(self) -> Any:
        return self.account.client("ec2")

    def deploy_function(self, *, inside: bool = True) -> None:
        iam, functions = self.account.client("iam"), self.account.client("lambda")
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17"}))
        vpc = {"SubnetIds": [self.function_subnet], "SecurityGroupIds": [self.function_group]} if inside else {}
        functions.create_function(
            FunctionName=FUNCTION, Runtime="python3.13", Role=role["Role"]["Arn"], Handler="m.h",
            Code={"ZipFile": b"x"}, VpcConfig=vpc,
        )  # fmt: skip

    def let_out(self, port: int, **peer: Any) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}
        self.ec2.authorize_security_group_egress(GroupId=self.function_group, IpPermissions=[rule])

    def let_in(self, port: int, **peer: Any) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}
        self.ec2.authorize_security_group_ingress(GroupId=self.database_group, IpPermissions=[rule])

    def pair(self, group: str) -> dict[str, Any]:
        return {"UserIdGroupPairs": [{"GroupId": group}]}

    def shut_by(self, **target: Any) -> str:
        wanted = {"subnet_group": "db", "security_group_ids": [self.database_group], **target}
        path = path_to_database(self.account, FUNCTION, "staging", Target(cluster_id="staging", **wanted))
        assert path.is_judged
        return "; ".join(path.shut_by)


@pytest.fixture
def vpc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vpc]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # moto reads a CPU second of them for each test
    with mock_aws():
        account = Account.of_environment("us-west-2")
        ec2 = account.client("ec2")
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{'abc'[n]}")
            ["Subnet"]["SubnetId"] for n in range(3)
        ]  # fmt: skip
        groups = [
            ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
            for name in ("function", "database")
        ]
        for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
        account.client("rds").create_db_subnet_group(
            DBSubnetGroupName="db", DBSubnetGroupDescription="db", SubnetIds=subnets[1:]
        )
        yield Vpc(account, vpc_id, subnets[0], *groups)


def test_security_groups_that_name_each_other_are_open(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(5432, **vpc.pair(vpc.database_group))
    vpc.let_in(5432, **vpc.pair(vpc.function_group))
    assert vpc.shut_by() == ""


def test_address_ranges_that_cover_the_subnets_are_open(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(5432, IpRanges=[{"CidrIp": "10.0.1.0/24"}, {"CidrIp": "10.0.2.0/24"}])
    vpc.let_in(5432, IpRanges=[{"CidrIp": "10.0.0.0/24"}])
    assert vpc.shut_by() == ""


def test_a_range_that_covers_only_one_of_the_databases_subnets_is_named(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(5432, IpRanges=[{"CidrIp": "10.0.1.0/24"}])
    vpc.let_in(5432, **vpc.pair(vpc.function_group))
    assert "of the function let no TCP 5432 out" in vpc.shut_by()


def test_a_database_that_lets_nobody_in_is_named(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(5432, IpRanges=ANYWHERE)
    assert vpc.shut_by() == (
        f"security groups {vpc.database_group} of the database let no TCP 5432 in from the function: "
        f"add an ingress rule for {vpc.function_group}"
    )


def test_the_port_of_the_request_counts(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(5432, IpRanges=ANYWHERE)
    vpc.let_in(5432, **vpc.pair(vpc.function_group))
    assert "TCP 6000 out" in vpc.shut_by(port=6000)


def test_another_vpc_is_named(vpc: Vpc) -> None:
    ec2 = vpc.account.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    vpc.function_subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    vpc.function_group = ec2.create_security_group(GroupName="o", Description="o", VpcId=other)["GroupId"]
    vpc.deploy_function()
    assert f"the function is in {other}, the database in {vpc.vpc_id}" in vpc.shut_by()


def test_a_function_outside_a_vpc_is_an_open_question_until_there_is_a_cluster(vpc: Vpc) -> None:
    vpc.deploy_function(inside=False)
    path = path_to_database(vpc.account, FUNCTION, "staging", None)
    assert (path.is_judged, path.shut_by) == (False, [])
    assert "outside a VPC" in path.hint


def test_a_subnet_without_nat_and_endpoints_is_named_with_what_is_missing(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(443, IpRanges=ANYWHERE)
    advice = what_shuts_services(vpc.account, FUNCTION)
    assert f"{vpc.function_subnet}: no NAT, and no endpoint in {vpc.vpc_id} for dynamodb, rds, secretsmanager" in advice


def test_an_internet_gateway_is_no_way_out_for_a_function(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(443, IpRanges=ANYWHERE)
    gateway = vpc.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    vpc.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc.vpc_id)
    route(vpc, GatewayId=gateway)
    assert "no NAT" in what_shuts_services(vpc.account, FUNCTION)


def test_nat_and_an_egress_rule_are_enough(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(443, IpRanges=ANYWHERE)
    address = vpc.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = vpc.ec2.create_nat_gateway(SubnetId=vpc.function_subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    route(vpc, NatGatewayId=nat)
    assert "look right" in what_shuts_services(vpc.account, FUNCTION)


def test_endpoints_are_enough(vpc: Vpc) -> None:
    vpc.deploy_function()
    vpc.let_out(443, IpRanges=ANYWHERE)
    for service in ("secretsmanager", "rds", "dynamodb"):
        vpc.ec2.create_vpc_endpoint(VpcId=vpc.vpc_id, ServiceName=f"com.amazonaws.us-west-2.{service}")
    assert "look right" in what_shuts_services(vpc.account, FUNCTION)


def test_a_group_that_lets_no_https_out_is_named(vpc: Vpc) -> None:
    vpc.deploy_function()
    assert f"security groups {vpc.function_group} let no TCP 443 out" in what_shuts_services(vpc.account, FUNCTION)


def route(vpc: Vpc, **through: str) -> None:
    filters = [{"Name": "vpc-id", "Values": [vpc.vpc_id]}]
    [table] = vpc.ec2.describe_route_tables(Filters=filters)["RouteTables"]
    vpc.ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", **through)
