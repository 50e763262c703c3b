"""What RDS is asked before anything is built, to the letter, and what is made of its answers."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from utils.aws.offers import OfferedVersion, Offers, Quota, SubnetGroup
from utils.errors import AwsThrottled, PermanentError

Pair = tuple[Offers, Stubber]


@pytest.fixture
def rds() -> Pair:
    client = boto3.client("rds", region_name="us-west-2")
    stubber = Stubber(client)
    stubber.activate()
    return Offers(client), stubber


def test_an_engine_version_has_a_family_and_upgrade_targets_of_its_own_engine(rds: Pair) -> None:
    offers, stub = rds
    asked = {"Engine": "aurora-postgresql", "EngineVersion": "17.4"}
    targets = [
        {"Engine": "aurora-postgresql", "EngineVersion": "17.5"},
        {"Engine": "aurora-mysql", "EngineVersion": "8.0"},
    ]
    raw = {"EngineVersion": "17.4", "DBParameterGroupFamily": "aurora-postgresql17", "ValidUpgradeTarget": targets}
    limitless = {"EngineVersion": "17.4-limitless"}
    stub.add_response("describe_db_engine_versions", {"DBEngineVersions": [limitless, raw]}, asked)
    stub.add_response("describe_db_engine_versions", {"DBEngineVersions": []}, asked)
    assert offers.engine_version("17.4") == OfferedVersion(
        version="17.4", family="aurora-postgresql17", upgrade_targets=("17.5",)
    )
    assert offers.engine_version("17.4") is None


def test_the_zones_of_a_class_are_those_of_every_option_on_every_page(rds: Pair) -> None:
    offers, stub = rds
    asked = {"Engine": "aurora-postgresql", "EngineVersion": "17.4", "DBInstanceClass": "db.r8g.large"}
    for page, zone, marker in ((None, "us-west-2a", "more"), ("more", "us-west-2b", None)):
        answer: dict[str, Any] = {"OrderableDBInstanceOptions": [{"AvailabilityZones": [{"Name": zone}]}]}
        stub.add_response(
            "describe_orderable_db_instance_options",
            answer | ({"Marker": marker} if marker else {}),
            asked | ({"Marker": page} if page else {}),
        )
    assert offers.zones_of_class("17.4", "db.r8g.large") == {"us-west-2a", "us-west-2b"}


def test_a_subnet_group_has_a_vpc_and_the_zones_of_its_subnets(rds: Pair) -> None:
    offers, stub = rds
    subnets = [{"SubnetAvailabilityZone": {"Name": name}} for name in ("us-west-2b", "us-west-2a", "us-west-2b")]
    stub.add_response(
        "describe_db_subnet_groups",
        {"DBSubnetGroups": [{"VpcId": "vpc-1", "Subnets": subnets}]},
        {"DBSubnetGroupName": "private"},
    )
    stub.add_client_error("describe_db_subnet_groups", "DBSubnetGroupNotFoundFault")
    assert offers.subnet_group("private") == SubnetGroup(vpc_id="vpc-1", zones=("us-west-2a", "us-west-2b"))
    assert offers.subnet_group("private") is None


def test_parameter_groups_have_a_family_or_are_not_there(rds: Pair) -> None:
    offers, stub = rds
    family = {"DBParameterGroupFamily": "aurora-postgresql17"}
    stub.add_response(
        "describe_db_cluster_parameter_groups",
        {"DBClusterParameterGroups": [family]},
        {"DBClusterParameterGroupName": "mine"},
    )
    stub.add_client_error("describe_db_cluster_parameter_groups", "DBParameterGroupNotFound")
    stub.add_client_error("describe_db_cluster_parameter_groups", "DBClusterParameterGroupNotFound")
    stub.add_response("describe_db_parameter_groups", {"DBParameterGroups": [family]}, {"DBParameterGroupName": "mine"})
    stub.add_client_error("describe_db_parameter_groups", "DBParameterGroupNotFound")
    assert [offers.family_of_cluster_group("mine") for _ in range(3)] == ["aurora-postgresql17", None, None]
    assert [offers.family_of_instance_group("mine") for _ in range(2)] == ["aurora-postgresql17", None]


def test_quotas_are_known_by_aws_s_names(rds: Pair) -> None:
    offers, stub = rds
    quotas = [{"AccountQuotaName": "DBClusters", "Used": 3, "Max": 40}, {"AccountQuotaName": "Nameless"}]
    stub.add_response("describe_account_attributes", {"AccountQuotas": quotas}, {})
    assert offers.quotas() == {"DBClusters": Quota(used=3, most=40)}


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda offers: offers.engine_version("x"), "describe_db_engine_versions"),
        (lambda offers: offers.zones_of_class("x", "y"), "describe_orderable_db_instance_options"),
        (lambda offers: offers.subnet_group("x"), "describe_db_subnet_groups"),
        (lambda offers: offers.family_of_cluster_group("x"), "describe_db_cluster_parameter_groups"),
        (lambda offers: offers.family_of_instance_group("x"), "describe_db_parameter_groups"),
        (lambda offers: offers.quotas(), "describe_account_attributes"),
    ],
)
def test_an_error_that_is_no_absence_is_raised_as_ours(rds: Pair, call: Any, operation: str) -> None:
    offers, stub = rds
    stub.add_client_error(operation, "Throttling")
    stub.add_client_error(operation, "AccessDenied")
    with pytest.raises(AwsThrottled):
        call(offers)
    with pytest.raises(PermanentError):
        call(offers)
