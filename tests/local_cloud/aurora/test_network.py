"""What stands in the way of a cluster before it is made: its network, its class, its groups, its key, its quota."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from local_cloud.aurora import AuroraSettings, KmsKey, LocalAurora, Subnet, permissive_hooks
from local_cloud.aurora.permissive import AnyNetwork
from tests.local_cloud.aurora.story import ACCOUNT, CLASS, ENGINE, PASSWORD, Region, refused, wait_until

NETWORK = AnyNetwork()


class Keys:
    """Knows an RSA key besides those that are fit for RDS."""

    def find_key(self, account_id: str, region: str, key_id: str) -> KmsKey | None:
        name = key_id.rpartition("/")[2]
        return KmsKey(arn=f"arn:aws:kms:{region}:{account_id}:key/{name}", symmetric=name != "rsa")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAurora]:
    hooks = replace(permissive_hooks(ACCOUNT), networks=NETWORK, keys=Keys())
    running = LocalAurora(AuroraSettings(run_dir=tmp_path_factory.mktemp("networked"), speed=2000), hooks)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def world(local: LocalAurora) -> Region:
    """us-east-1 with the cluster `here` in the default VPC, and the subnet group `app` of another one."""
    region = Region(local.endpoint, "us-east-1", local.ca_path)
    NETWORK.placed_subnets |= {
        "subnet-a": Subnet(identifier="subnet-a", vpc_id="vpc-app", zone="us-east-1a", ipv6=True),
        "subnet-b": Subnet(identifier="subnet-b", vpc_id="vpc-app", zone="us-east-1b", ipv6=True),
        "subnet-full": Subnet(identifier="subnet-full", vpc_id="vpc-app", zone="us-east-1c", free_addresses=0),
        "subnet-twin": Subnet(identifier="subnet-twin", vpc_id="vpc-app", zone="us-east-1a"),
        "subnet-gone": None,
    }
    NETWORK.placed_groups |= {"sg-app": "vpc-app", "sg-gone": None}
    region.rds.create_db_subnet_group(
        DBSubnetGroupName="app", DBSubnetGroupDescription="app", SubnetIds=["subnet-a", "subnet-b"]
    )
    region.has_cluster("here", instances=0)
    return region


def makes(world: Region, name: str, **settings: Any) -> None:
    world.rds.create_db_cluster(
        DBClusterIdentifier=name, Engine=ENGINE, MasterUsername="dba", MasterUserPassword=PASSWORD, **settings
    )


def test_a_subnet_group_tells_vpc_zones_and_network_types(world: Region) -> None:
    [group] = world.rds.describe_db_subnet_groups(DBSubnetGroupName="app")["DBSubnetGroups"]

    assert (group["VpcId"], group["SupportedNetworkTypes"]) == ("vpc-app", ["IPV4", "DUAL"])
    zones = {item["SubnetIdentifier"]: item["SubnetAvailabilityZone"]["Name"] for item in group["Subnets"]}
    assert zones == {"subnet-a": "us-east-1a", "subnet-b": "us-east-1b"}


@pytest.mark.parametrize(
    ("subnets", "code", "message"),
    [
        (["subnet-a", "subnet-gone"], "InvalidSubnet", "subnet-gone"),
        (["subnet-a", "subnet-elsewhere"], "InvalidSubnet", "not all in the same VPC"),
        (["subnet-a", "subnet-twin"], "DBSubnetGroupDoesNotCoverEnoughAZs", "Current AZ coverage: us-east-1a."),
    ],
)
def test_a_subnet_group_covers_two_zones_of_one_vpc(world: Region, subnets: list[str], code: str, message: str) -> None:
    with refused(code, message):
        world.rds.create_db_subnet_group(DBSubnetGroupName="odd", DBSubnetGroupDescription="odd", SubnetIds=subnets)


def test_security_groups_exist_and_are_of_the_subnet_groups_vpc(world: Region) -> None:
    with refused("InvalidParameterValue", "Invalid security group , groupId= sg-gone"):
        makes(world, "lost", VpcSecurityGroupIds=["sg-gone"])
    with refused("InvalidParameterCombination", "the EC2 security group is in vpc-app"):
        makes(world, "lost", VpcSecurityGroupIds=["sg-app"])
    with refused("InvalidParameterCombination", "are in different VPCs. The DB instance is in vpc-app"):
        makes(world, "lost", DBSubnetGroupName="app", VpcSecurityGroupIds=["sg-0123"])
    with refused("InvalidParameterCombination", "different VPCs"):
        world.rds.modify_db_cluster(DBClusterIdentifier="here", VpcSecurityGroupIds=["sg-app"])


def test_both_protocols_need_subnets_that_have_both(world: Region) -> None:
    with refused("NetworkTypeNotSupported", "default"):
        makes(world, "dual", NetworkType="DUAL")
    makes(world, "dual", DBSubnetGroupName="app", VpcSecurityGroupIds=["sg-app"], NetworkType="DUAL")
    world.wait_for_cluster("dual")
    assert world.cluster("dual")["NetworkType"] == "DUAL"
    world.rds.modify_db_cluster(DBClusterIdentifier="dual", NetworkType="IPV4")
    wait_until(lambda: world.cluster("dual")["NetworkType"], "IPV4")


def test_an_instance_is_placed_where_its_subnet_group_and_its_class_are(local: LocalAurora, world: Region) -> None:
    makes(world, "placed", DBSubnetGroupName="app", VpcSecurityGroupIds=["sg-app"])
    world.wait_for_cluster("placed")
    wanted: Any = {"DBInstanceIdentifier": "placed-1", "Engine": ENGINE, "DBClusterIdentifier": "placed"}
    with refused("InvalidVPCNetworkStateFault", "no subnet in the availability zone us-east-1c"):
        world.rds.create_db_instance(**wanted, DBInstanceClass=CLASS, AvailabilityZone="us-east-1c")
    local.control.offer_class_in(ACCOUNT, "us-east-1", "db.r8g.8xlarge", ["us-east-1b", "us-east-1c"])
    with refused("InsufficientDBInstanceCapacity", "us-east-1b, us-east-1c"):
        world.rds.create_db_instance(**wanted, DBInstanceClass="db.r8g.8xlarge", AvailabilityZone="us-east-1a")
    world.rds.create_db_instance(**wanted, DBInstanceClass="db.r8g.8xlarge")
    world.wait_for_instance("placed-1")
    assert world.instance("placed-1")["AvailabilityZone"] == "us-east-1b"
    local.control.offer_class_in(ACCOUNT, "us-east-1", "db.r8g.8xlarge", ["us-east-1c"])
    with refused("InvalidVPCNetworkStateFault", "choose from these availability zones: us-east-1c"):
        world.rds.create_db_instance(**wanted | {"DBInstanceIdentifier": "placed-2"}, DBInstanceClass="db.r8g.8xlarge")


def test_an_instance_without_a_free_address_ends_in_an_incompatible_network(world: Region) -> None:
    """Aurora User Guide, "Viewing DB instance status", incompatible-network: no IP address is left in the subnets."""
    world.rds.create_db_subnet_group(
        DBSubnetGroupName="full", DBSubnetGroupDescription="full", SubnetIds=["subnet-a", "subnet-full"]
    )
    makes(world, "crowded", DBSubnetGroupName="full", VpcSecurityGroupIds=["sg-app"])
    world.wait_for_cluster("crowded")
    world.rds.create_db_instance(
        DBInstanceIdentifier="crowded-1",
        DBInstanceClass=CLASS,
        Engine=ENGINE,
        DBClusterIdentifier="crowded",
        AvailabilityZone="us-east-1c",
    )
    world.wait_for_instance("crowded-1", "incompatible-network")


def test_what_can_be_ordered_is_listed_with_its_zones(local: LocalAurora, world: Region) -> None:
    local.control.offer_class_in(ACCOUNT, "us-east-1", "db.r7g.large", ["us-east-1a"])
    options = world.rds.describe_orderable_db_instance_options(
        Engine=ENGINE, EngineVersion="17.6", DBInstanceClass="db.r7g.large"
    )["OrderableDBInstanceOptions"]

    assert [item["StorageType"] for item in options] == ["aurora", "aurora-iopt1"]
    assert [zone["Name"] for zone in options[0]["AvailabilityZones"]] == ["us-east-1a"]
    pages = world.rds.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine=ENGINE, EngineVersion="17.6"
    )
    classes = {item["DBInstanceClass"] for answer in pages for item in answer["OrderableDBInstanceOptions"]}
    assert {"db.serverless", "db.t4g.medium", "db.r8g.48xlarge"} <= classes
    assert not {"db.r8g.32xlarge", "db.r6g.24xlarge", "db.m7g.large"} & classes


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("db.z9z.42xlarge", "InvalidParameterValue", "Invalid DB Instance class: db.z9z.42xlarge"),
        ("db.m7g.large", "InvalidParameterCombination", "DBInstanceClass=db.m7g.large, Engine=aurora-postgresql"),
        ("db.serverless", "InvalidParameterCombination", "Serverless v2 scaling configuration"),
        ("db.r5.large", "InvalidParameterCombination", "EngineVersion=17.6"),
    ],
)
def test_a_class_that_cannot_be_ordered_is_refused(
    local: LocalAurora, world: Region, name: str, code: str, message: str
) -> None:
    local.control.offer_class_in(ACCOUNT, "us-east-1", "db.r5.large", [])
    with refused(code, message):
        world.rds.create_db_instance(
            DBInstanceIdentifier="unfit", DBInstanceClass=name, Engine=ENGINE, DBClusterIdentifier="here"
        )
    assert not world.rds.describe_orderable_db_instance_options(Engine=ENGINE, DBInstanceClass="db.r5.large")[
        "OrderableDBInstanceOptions"
    ]


def test_a_parameter_group_is_of_the_versions_family_and_says_whether_tls_is_forced(world: Region) -> None:
    """Aurora User Guide, "Security with Amazon Aurora PostgreSQL": rds.force_ssl is 1 since version 17, 0 before."""
    for name, family in (("strict16", "aurora-postgresql16"), ("lax17", "aurora-postgresql17")):
        world.rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description=name
        )

    def force_ssl(group: str) -> tuple[str, str]:
        parameters = world.rds.describe_db_cluster_parameters(DBClusterParameterGroupName=group)["Parameters"]
        [found] = [item for item in parameters if item["ParameterName"] == "rds.force_ssl"]
        return found["ParameterValue"], found["Source"]

    assert [force_ssl(group) for group in ("strict16", "lax17")] == [("0", "system"), ("1", "system")]
    for group, value in (("strict16", "1"), ("lax17", "0")):
        world.rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName=group,
            Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": value, "ApplyMethod": "pending-reboot"}],
        )
    assert [force_ssl(group) for group in ("strict16", "lax17")] == [("1", "user"), ("0", "user")]
    suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    wanted = {"ssl_min_protocol_version": "TLSv1.3", "ssl_ciphers": suites}
    world.rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="strict16",
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in wanted.items()
        ],
    )
    shown = world.rds.describe_db_cluster_parameters(DBClusterParameterGroupName="strict16", Source="user")
    assert {item["ParameterName"]: item["ParameterValue"] for item in shown["Parameters"]} == wanted | {
        "rds.force_ssl": "1"
    }
    for name, value in (("ssl_min_protocol_version", "SSLv3"), ("ssl_ciphers", f"{suites},NULL")):
        with refused("InvalidParameterValue", name):
            world.rds.modify_db_cluster_parameter_group(
                DBClusterParameterGroupName="strict16",
                Parameters=[{"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}],
            )
    with refused("NotSupportedByLocalAurora", "work_mem"):
        world.rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName="lax17",
            Parameters=[{"ParameterName": "work_mem", "ParameterValue": "1", "ApplyMethod": "immediate"}],
        )
    with refused("InvalidParameterCombination", "aurora-postgresql16"):
        makes(world, "mismatched", EngineVersion="17.6", DBClusterParameterGroupName="strict16")
    own = world.rds.describe_db_parameters(DBParameterGroupName="default.aurora-postgresql17")["Parameters"]
    assert [item["ParameterName"] for item in own] == ["log_statement", "max_connections"]


def test_an_asymmetric_key_is_not_accessible(world: Region) -> None:
    with refused("KMSKeyNotAccessibleFault", "alias/rsa"):
        makes(world, "sealed", StorageEncrypted=True, KmsKeyId="alias/rsa")


def test_one_too_many_is_refused(local: LocalAurora, world: Region) -> None:
    local.control.set_quota("clusters", 1)
    local.control.set_quota("instances", 0)
    try:
        with refused("DBClusterQuotaExceededFault"):
            makes(world, "surplus")
        with refused("InstanceQuotaExceeded"):
            world.asks_for_instance("here", "surplus")
    finally:
        local.control.set_quota("clusters", 40)
        local.control.set_quota("instances", 40)
