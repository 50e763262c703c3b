"""RDS and EC2 know the same networks, RDS and KMS the same keys, RDS and IAM the same roles, as on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from tests.local_cloud.aurora.story import ENGINE, PASSWORD, refused

NAME = "networked"


@pytest.fixture(scope="module")
def group_elsewhere(cloud: LocalCloud) -> str:
    """A security group of a VPC that is not the default one."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_security_group(GroupName="elsewhere", Description="x", VpcId=vpc)["GroupId"])


@pytest.fixture
def rds(cloud: LocalCloud) -> Iterator[Any]:
    client = cloud.client("rds")
    yield client
    # What other tests of the session have made is theirs.
    if NAME in {cluster["DBClusterIdentifier"] for cluster in client.describe_db_clusters()["DBClusters"]}:
        named = {"DBClusterIdentifier": NAME}
        client.get_waiter("db_cluster_available").wait(**named, WaiterConfig={"Delay": 1})
        client.delete_db_cluster(**named, SkipFinalSnapshot=True)
        client.get_waiter("db_cluster_deleted").wait(**named, WaiterConfig={"Delay": 1})


def makes(rds: Any, **settings: Any) -> Any:
    return rds.create_db_cluster(
        DBClusterIdentifier=NAME,
        Engine=ENGINE,
        MasterUsername="dba",
        MasterUserPassword=PASSWORD,
        **settings,
    )["DBCluster"]


def test_the_default_subnet_group_is_that_of_ec2s_default_vpc(cloud: LocalCloud, rds: Any) -> None:
    [group] = rds.describe_db_subnet_groups(DBSubnetGroupName="default")["DBSubnetGroups"]
    subnets = {item["SubnetId"]: item for item in cloud.client("ec2").describe_subnets()["Subnets"]}

    for item in group["Subnets"]:
        subnet = subnets[item["SubnetIdentifier"]]
        assert subnet["VpcId"] == group["VpcId"]
        assert subnet["AvailabilityZone"] == item["SubnetAvailabilityZone"]["Name"]
        assert subnet["AvailableIpAddressCount"] > 0


def test_a_security_group_is_one_of_ec2s_and_of_the_same_vpc(cloud: LocalCloud, rds: Any, group_elsewhere: str) -> None:
    with refused("InvalidParameterCombination", "different VPCs"):
        makes(rds, VpcSecurityGroupIds=[group_elsewhere])
    with refused("InvalidParameterValue", "sg-0123456789abcdef1"):
        makes(rds, VpcSecurityGroupIds=["sg-0123456789abcdef1"])
    made = cloud.client("ec2").create_security_group(GroupName="here", Description="x")["GroupId"]
    groups = makes(rds, VpcSecurityGroupIds=[made])["VpcSecurityGroups"]
    assert groups == [{"VpcSecurityGroupId": made, "Status": "active"}]


def test_without_a_wish_a_cluster_gets_the_default_group_of_its_subnet_groups_vpc(cloud: LocalCloud, rds: Any) -> None:
    """API reference, CreateDBCluster, VpcSecurityGroupIds."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]][:2]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.8.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    rds.create_db_subnet_group(DBSubnetGroupName="own", DBSubnetGroupDescription="own", SubnetIds=subnets)
    [group] = makes(rds, DBSubnetGroupName="own")["VpcSecurityGroups"]
    [described] = ec2.describe_security_groups(GroupIds=[group["VpcSecurityGroupId"]])["SecurityGroups"]
    assert (described["VpcId"], described["GroupName"]) == (vpc, "default")


def test_an_asymmetric_key_is_no_key_for_rds(cloud: LocalCloud, rds: Any) -> None:
    key = cloud.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    with refused("KMSKeyNotAccessibleFault", key):
        makes(rds, StorageEncrypted=True, KmsKeyId=key)


def test_a_monitoring_role_is_one_that_trusts_rds(cloud: LocalCloud, rds: Any) -> None:
    iam = cloud.client("iam")

    def role(name: str, service: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])

    stranger = role("of-lambda", "lambda.amazonaws.com")
    for arn in (stranger, stranger.replace("of-lambda", "of-nobody")):
        with refused("InvalidParameterValue", "ENHANCED_MONITORING"):
            makes(rds, MonitoringInterval=60, MonitoringRoleArn=arn)
    watching = role("of-monitoring", "monitoring.rds.amazonaws.com")
    assert makes(rds, MonitoringInterval=60, MonitoringRoleArn=watching)["MonitoringRoleArn"] == watching
