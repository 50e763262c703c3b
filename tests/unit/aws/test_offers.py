"""What RDS is asked before anything is built, to the letter, and what is made of its answers."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from utils.aws.offers import Offers, Quota
from utils.aws.target.offered import PERFORMANCE_INSIGHTS, OfferedClass, OfferedVersion, SubnetGroup
from utils.errors import AwsThrottled, PermanentError

Pair = tuple[Offers, Stubber]


@pytest.fixture
def rds() -> Pair:
    client = boto3.client("rds", region_name="us-west-2")
    stubber = Stubber(client)
    stubber.activate()
    return Offers(client, None), stubber


@pytest.fixture
def network() -> Pair:
    client = boto3.client("ec2", region_name="us-west-2")
    stubber = Stubber(client)
    stubber.activate()
    return Offers(boto3.client("rds", region_name="us-west-2"), client), stubber


def test_security_groups_have_a_vpc_or_are_not_there(network: Pair) -> None:
    offers, stub = network
    asked = {"Filters": [{"Name": "group-id", "Values": ["sg-1", "sg-gone"]}]}
    stub.add_response("describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1"}]}, asked)
    assert offers.vpcs_of_security_groups(["sg-1", "sg-gone"]) == {"sg-1": "vpc-1"}


def test_subnets_have_free_addresses_or_are_not_there(network: Pair) -> None:
    offers, stub = network
    asked = {"Filters": [{"Name": "subnet-id", "Values": ["subnet-1", "subnet-gone"]}]}
    stub.add_response("describe_subnets", {"Subnets": [{"SubnetId": "subnet-1", "AvailableIpAddressCount": 7}]}, asked)
    assert offers.free_addresses(["subnet-1", "subnet-gone"]) == {"subnet-1": 7}


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda offers: offers.vpcs_of_security_groups(["x"]), "describe_security_groups"),
        (lambda offers: offers.free_addresses(["x"]), "describe_subnets"),
    ],
)
def test_an_error_of_the_network_is_raised_as_ours(network: Pair, call: Any, operation: str) -> None:
    offers, stub = network
    stub.add_client_error(operation, "RequestLimitExceeded")
    stub.add_client_error(operation, "UnauthorizedOperation")
    with pytest.raises(AwsThrottled):
        call(offers)
    with pytest.raises(PermanentError):
        call(offers)


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


@pytest.mark.parametrize(
    ("status", "targets", "told"),
    [("available", [], ()), ("deprecated", ["17.5"], ("17.5",)), ("deprecated", [], None), (None, [], None)],
)
def test_a_withdrawn_version_is_asked_for_its_upgrades_too(
    rds: Pair, status: str | None, targets: list[str], told: tuple[str, ...] | None
) -> None:
    offers, stub = rds
    upgrades = [{"Engine": "aurora-postgresql", "EngineVersion": target} for target in targets]
    raw = {"EngineVersion": "17.4", "Status": status, "ValidUpgradeTarget": upgrades}
    asked = {"Engine": "aurora-postgresql", "EngineVersion": "17.4", "IncludeAll": True}
    stub.add_response("describe_db_engine_versions", {"DBEngineVersions": [raw] if status else []}, asked)
    assert offers.upgrade_targets("17.4") == told


def test_the_end_of_standard_support_is_of_that_major_version_and_that_kind_of_support(rds: Pair) -> None:
    offers, stub = rds
    ends = datetime(2030, 2, 28, 23, 59, 59, tzinfo=UTC)

    def item(major: str, *lifecycles: dict[str, Any]) -> dict[str, Any]:
        return {"Engine": "aurora-postgresql", "MajorEngineVersion": major, "SupportedEngineLifecycles": lifecycles}

    def lifecycle(kind: str, end: datetime) -> dict[str, Any]:
        name = f"open-source-rds-{kind}-support"
        return {"LifecycleSupportName": name, "LifecycleSupportStartDate": end, "LifecycleSupportEndDate": end}

    of_17 = item("17", lifecycle("extended", datetime(2033, 2, 28, tzinfo=UTC)), lifecycle("standard", ends))
    of_16 = item("16", lifecycle("standard", datetime(2031, 1, 1, tzinfo=UTC)))
    asked = {"Engine": "aurora-postgresql", "MajorEngineVersion": "17"}
    stub.add_response("describe_db_major_engine_versions", {"DBMajorEngineVersions": [of_16, of_17]}, asked)
    stub.add_response("describe_db_major_engine_versions", {"DBMajorEngineVersions": [item("17")]}, asked)
    stub.add_response("describe_db_major_engine_versions", {"DBMajorEngineVersions": []}, asked)
    assert offers.end_of_standard_support("17") == ends
    assert offers.end_of_standard_support("17") is None
    assert offers.end_of_standard_support("17") is None


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
    assert offers.instance_class("17.4", "db.r8g.large", "aurora").zones == {"us-west-2a", "us-west-2b"}


def test_of_a_class_the_options_of_its_storage_count(rds: Pair) -> None:
    offers, stub = rds

    def option(zone: str, storage: str, **other: Any) -> dict[str, Any]:
        return {"AvailabilityZones": [{"Name": zone}], "StorageType": storage, **other}

    lacking = {"SupportsPerformanceInsights": False, "SupportedNetworkTypes": ["IPV4"]}
    options = [option("us-west-2a", "aurora"), option("us-west-2b", "aurora-iopt1", **lacking)]
    stub.add_response("describe_orderable_db_instance_options", {"OrderableDBInstanceOptions": options})
    assert offers.instance_class("17.4", "db.r8g.large", "aurora-iopt1") == OfferedClass(
        zones=frozenset({"us-west-2b"}),
        storage_types=frozenset({"aurora", "aurora-iopt1"}),
        network_types=frozenset({"IPV4"}),
        lacks=frozenset({PERFORMANCE_INSIGHTS}),
    )


def test_a_subnet_group_has_a_vpc_and_the_zones_of_its_subnets(rds: Pair) -> None:
    offers, stub = rds
    zones = {"subnet-1": "us-west-2b", "subnet-2": "us-west-2a", "subnet-3": "us-west-2b"}
    subnets = [{"SubnetIdentifier": name, "SubnetAvailabilityZone": {"Name": zone}} for name, zone in zones.items()]
    stub.add_response(
        "describe_db_subnet_groups",
        {"DBSubnetGroups": [{"VpcId": "vpc-1", "Subnets": subnets}]},
        {"DBSubnetGroupName": "private"},
    )
    stub.add_client_error("describe_db_subnet_groups", "DBSubnetGroupNotFoundFault")
    assert offers.subnet_group("private") == SubnetGroup(
        vpc_id="vpc-1", zones=("us-west-2a", "us-west-2b"), subnet_ids=("subnet-1", "subnet-2", "subnet-3")
    )
    assert offers.subnet_group("private") is None


def test_what_a_vpc_lacks_for_public_access_is_named() -> None:
    ec2 = boto3.client("ec2", region_name="us-west-2")
    attached = {"Filters": [{"Name": "attachment.vpc-id", "Values": ["vpc-1"]}]}
    with Stubber(ec2) as stub:
        for gateways, value in (([], False), ([{"InternetGatewayId": "igw-1"}], True)):
            stub.add_response("describe_internet_gateways", {"InternetGateways": gateways}, attached)
            for attribute in ("enableDnsSupport", "enableDnsHostnames"):
                shown = f"E{attribute[1:]}"
                asked = {"VpcId": "vpc-1", "Attribute": attribute}
                stub.add_response("describe_vpc_attribute", {"VpcId": "vpc-1", shown: {"Value": value}}, asked)
        offers = Offers(boto3.client("rds", region_name="us-west-2"), ec2)
        assert offers.missing_for_public_access("vpc-1") == [
            "an internet gateway",
            "DNS resolution",
            "DNS hostnames",
        ]
        assert offers.missing_for_public_access("vpc-1") == []


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


def test_integrations_are_those_whose_source_is_the_cluster(rds: Pair) -> None:
    offers, stub = rds
    items = [
        {"IntegrationName": "mine", "SourceArn": "arn:mine", "TargetArn": f"arn:aws:redshift:{'x' * 20}"},
        {"IntegrationName": "other", "SourceArn": "arn:mine-2", "TargetArn": f"arn:aws:redshift:{'x' * 20}"},
    ]
    stub.add_response("describe_integrations", {"Integrations": items}, {})
    assert offers.integrations_from("arn:mine") == ["mine"]


def test_only_what_a_group_forces_on_connections_is_read_of_its_parameters(rds: Pair) -> None:
    offers, stub = rds
    pages = [
        [
            {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "Source": "system"},
            {"ParameterName": "ssl_min_protocol_version", "Source": "engine-default"},
            {"ParameterName": "work_mem", "ParameterValue": "4096", "Source": "user"},
        ],
        [{"ParameterName": "ssl_ciphers", "ParameterValue": "HIGH:!aNULL:!3DES", "Source": "system"}],
    ]
    stub.add_response(
        "describe_db_cluster_parameters",
        {"Parameters": pages[0], "Marker": "next"},
        {"DBClusterParameterGroupName": "mine"},
    )
    stub.add_response(
        "describe_db_cluster_parameters",
        {"Parameters": pages[1]},
        {"DBClusterParameterGroupName": "mine", "Marker": "next"},
    )
    stub.add_client_error("describe_db_cluster_parameters", "DBParameterGroupNotFound")
    assert offers.tls_parameters("mine") == {"rds.force_ssl": "1"}
    assert offers.tls_parameters("nobodys") == {}


def test_blue_green_deployments_are_those_with_the_cluster_on_either_side_until_they_are_over(rds: Pair) -> None:
    offers, stub = rds

    def deployment(name: str, source: str, target: str, status: str = "AVAILABLE") -> dict[str, str]:
        return {"BlueGreenDeploymentName": name, "Source": source, "Target": target, "Status": status}

    items = [
        deployment("on-blue", "arn:mine", "arn:green"),
        deployment("on-green", "arn:blue", "arn:mine", "PROVISIONING"),
        deployment("over", "arn:old", "arn:mine", "SWITCHOVER_COMPLETED"),
        deployment("of-others", "arn:mine-2", "arn:mine-3"),
    ]
    stub.add_response("describe_blue_green_deployments", {"BlueGreenDeployments": items}, {})
    assert offers.blue_green_deployments_of("arn:mine") == ["on-blue", "on-green"]


def test_quotas_are_known_by_aws_s_names(rds: Pair) -> None:
    offers, stub = rds
    quotas = [{"AccountQuotaName": "DBClusters", "Used": 3, "Max": 40}, {"AccountQuotaName": "Nameless"}]
    stub.add_response("describe_account_attributes", {"AccountQuotas": quotas}, {})
    assert offers.quotas() == {"DBClusters": Quota(used=3, most=40)}


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda offers: offers.engine_version("x"), "describe_db_engine_versions"),
        (lambda offers: offers.upgrade_targets("x"), "describe_db_engine_versions"),
        (lambda offers: offers.end_of_standard_support("17"), "describe_db_major_engine_versions"),
        (lambda offers: offers.instance_class("x", "y", "aurora"), "describe_orderable_db_instance_options"),
        (lambda offers: offers.subnet_group("x"), "describe_db_subnet_groups"),
        (lambda offers: offers.family_of_cluster_group("x"), "describe_db_cluster_parameter_groups"),
        (lambda offers: offers.family_of_instance_group("x"), "describe_db_parameter_groups"),
        (lambda offers: offers.quotas(), "describe_account_attributes"),
        (lambda offers: offers.integrations_from("x"), "describe_integrations"),
        (lambda offers: offers.tls_parameters("x"), "describe_db_cluster_parameters"),
        (lambda offers: offers.blue_green_deployments_of("x"), "describe_blue_green_deployments"),
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
