from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from typing import Any
from xml.etree import ElementTree

import pytest

from local_cloud.aurora import LocalAurora
from local_cloud.aurora.front.authorization import RULES
from local_cloud.aurora.operations.registry import OPERATIONS
from local_cloud.aurora.wire.model import operation_model
from tests.local_cloud.aurora.story import ENGINE, Region, code_of, refused

SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/rds/aws4_request, SignedHeaders=host, Signature=0"


def raw_code(aurora: LocalAurora, form: dict[str, str], authorization: str = SIGNED) -> tuple[int, str]:
    """Send a request as no SDK would, and return HTTP status and wire code."""
    request = urllib.request.Request(  # noqa: S310
        aurora.endpoint, urllib.parse.urlencode(form).encode(), {"Authorization": authorization}
    )
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=5)  # noqa: S310
    with raised.value as answer:
        namespace = {"r": "http://rds.amazonaws.com/doc/2014-10-31/"}
        return answer.code, ElementTree.fromstring(answer.read()).findtext("r:Error/r:Code", "", namespace)  # noqa: S314


def test_every_operation_is_complete() -> None:
    assert set(RULES) == set(OPERATIONS)
    for operation in OPERATIONS.values():
        model = operation_model(operation.name)
        assert model
        assert model.input_shape
        assert operation.supports | set(operation.only) <= set(model.input_shape.members), operation.name


def test_what_aurora_can_but_the_local_one_cannot_says_so(prod: Region) -> None:
    with refused("NotSupportedByLocalAurora", "BacktrackDBCluster is not supported by the local Aurora"):
        prod.rds.backtrack_db_cluster(DBClusterIdentifier="prod", BacktrackTo="2026-01-01T00:00:00Z")
    with refused("NotSupportedByLocalAurora", "WithExpressConfiguration"):
        prod.rds.create_db_cluster(DBClusterIdentifier="x", Engine=ENGINE, WithExpressConfiguration=True)
    with refused("NotSupportedByLocalAurora", "aurora-mysql"):
        prod.rds.create_db_cluster(DBClusterIdentifier="x", Engine="aurora-mysql")


def test_malformed_requests(aurora: LocalAurora) -> None:
    assert raw_code(aurora, {"Action": "DeleteDBCluster"}) == (400, "MissingParameter")
    assert raw_code(aurora, {"Action": "DropEverything"}) == (400, "InvalidAction")
    assert raw_code(aurora, {"Action": "DescribeDBClusters", "MaxRecords": "many"}) == (400, "InvalidParameterValue")
    assert raw_code(aurora, {"Action": "DescribeDBClusters"}, "") == (403, "MissingAuthenticationToken")


@pytest.mark.parametrize("name", ["1st", "ends-", "two--hyphens", "under_score", "x" * 64])
def test_identifiers_are_checked(east: Region, name: str) -> None:
    with refused("InvalidParameterValue", "not a valid identifier"):
        east.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="prod")


def test_what_is_not_there_has_its_own_code(east: Region) -> None:
    assert code_of(lambda: east.cluster("nowhere")) == "DBClusterNotFoundFault"
    assert code_of(lambda: east.instance("nowhere")) == "DBInstanceNotFound"
    assert code_of(lambda: east.snapshot("nowhere")) == "DBClusterSnapshotNotFoundFault"
    with refused("DBSubnetGroupNotFoundFault"):
        east.rds.describe_db_subnet_groups(DBSubnetGroupName="nowhere")
    with refused("DBParameterGroupNotFound"):
        east.rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName="nowhere")
    with refused("DBClusterParameterGroupNotFound"):
        east.has_cluster("x", DBClusterParameterGroupName="nowhere")


def test_regions_and_accounts_are_worlds_of_their_own(prod: Region, west: Region, stranger: Region) -> None:
    assert code_of(lambda: west.cluster("prod")) == "DBClusterNotFoundFault"
    assert code_of(lambda: stranger.cluster("prod")) == "DBClusterNotFoundFault"
    assert prod.cluster(prod.arn("cluster", "prod"))["DBClusterIdentifier"] == "prod"


def test_pages_and_filters(prod: Region) -> None:
    for number in range(25):
        prod.rds.create_db_parameter_group(
            DBParameterGroupName=f"page-{number:02}", DBParameterGroupFamily="aurora-postgresql17", Description="d"
        )
    pages = list(prod.rds.get_paginator("describe_db_parameter_groups").paginate(PaginationConfig={"PageSize": 20}))
    assert [len(page["DBParameterGroups"]) for page in pages] == [20, 9]
    with refused("InvalidParameterValue", "Invalid value 19 for MaxRecords. Must be between 20 and 100"):
        prod.rds.describe_db_clusters(MaxRecords=19)
    with refused("InvalidParameterValue", "Unrecognized filter name: colour"):
        prod.rds.describe_db_clusters(Filters=[{"Name": "colour", "Values": ["red"]}])
    found = prod.rds.describe_db_cluster_snapshots(
        Filters=[
            {"Name": "db-cluster-id", "Values": [prod.arn("cluster", "prod")]},
            {"Name": "snapshot-type", "Values": ["manual"]},
        ]
    )["DBClusterSnapshots"]
    assert "prod-base" in [item["DBClusterSnapshotIdentifier"] for item in found]
    with refused("InvalidParameterCombination"):
        prod.rds.describe_db_cluster_snapshots(DBClusterIdentifier="prod", DBClusterSnapshotIdentifier="prod-base")


def test_tags_come_and_go(prod: Region) -> None:
    arn = prod.arn("cluster-snapshot", "prod-base")
    prod.rds.add_tags_to_resource(
        ResourceName=arn, Tags=[{"Key": "keep", "Value": "yes"}, {"Key": "drop", "Value": ""}]
    )
    prod.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["drop", "never-there"])
    tags = {tag["Key"]: tag["Value"] for tag in prod.rds.list_tags_for_resource(ResourceName=arn)["TagList"]}
    assert tags == {"stage": "prod", "keep": "yes"}
    prod.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["keep"])
    with refused("InvalidParameterValue", "reserved prefix"):
        prod.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "aws:mine", "Value": ""}])
    with refused("DBClusterNotFoundFault"):
        prod.rds.list_tags_for_resource(ResourceName=prod.arn("cluster", "nowhere"))


def test_subnet_groups(east: Region) -> None:
    wanted: Any = {"DBSubnetGroupName": "private", "DBSubnetGroupDescription": "private subnets"}
    with refused("DBSubnetGroupDoesNotCoverEnoughAZs"):
        east.rds.create_db_subnet_group(**wanted, SubnetIds=["subnet-1"])
    group = east.rds.create_db_subnet_group(**wanted, SubnetIds=["subnet-1", "subnet-2"])["DBSubnetGroup"]
    assert len({item["SubnetAvailabilityZone"]["Name"] for item in group["Subnets"]}) == 2
    east.has_cluster("in-private", instances=0, DBSubnetGroupName="private")
    with refused("InvalidDBSubnetGroupStateFault"):
        east.rds.delete_db_subnet_group(DBSubnetGroupName="private")
    east.rds.delete_db_cluster(DBClusterIdentifier="in-private", SkipFinalSnapshot=True)
    east.wait_until_cluster_is_gone("in-private")
    east.rds.delete_db_subnet_group(DBSubnetGroupName="private")


def test_parameter_groups_belong_to_a_family(east: Region) -> None:
    for family in ("aurora-postgresql16", "aurora-postgresql17"):
        east.rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"own-{family[-2:]}", DBParameterGroupFamily=family, Description="own"
        )
    with refused("InvalidParameterCombination", "aurora-postgresql16"):
        east.has_cluster("x", DBClusterParameterGroupName="own-16")
    with refused("InvalidDBParameterGroupState"):
        east.rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="default.aurora-postgresql17")
    east.rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="own-16")


def test_the_catalogue(east: Region) -> None:
    versions = east.rds.describe_db_engine_versions(Engine=ENGINE)["DBEngineVersions"]
    assert {version["DBParameterGroupFamily"] for version in versions} == {
        f"aurora-postgresql{major}" for major in (14, 15, 16, 17)
    }
    default = east.rds.describe_db_engine_versions(Engine=ENGINE, DefaultOnly=True)["DBEngineVersions"]
    assert [version["EngineVersion"] for version in default] == ["17.5"]
    pages = east.rds.get_paginator("describe_db_major_engine_versions").paginate(Engine=ENGINE)
    assert [item["MajorEngineVersion"] for page in pages for item in page["DBMajorEngineVersions"]] == [
        "14",
        "15",
        "16",
        "17",
    ]
    [major] = east.rds.describe_db_major_engine_versions(Engine=ENGINE, MajorEngineVersion="15")[
        "DBMajorEngineVersions"
    ]
    standard, extended = major["SupportedEngineLifecycles"]
    assert (standard["LifecycleSupportName"], extended["LifecycleSupportName"]) == (
        "open-source-rds-standard-support",
        "open-source-rds-extended-support",
    )
    assert f"{standard['LifecycleSupportEndDate']:%Y-%m-%d %H:%M:%S}" == "2028-02-29 23:59:59"
    assert f"{extended['LifecycleSupportStartDate']:%Y-%m-%d}" == "2028-03-01"
    assert f"{extended['LifecycleSupportEndDate']:%Y-%m-%d}" == "2031-02-28"
    options = east.rds.describe_orderable_db_instance_options(
        Engine=ENGINE, EngineVersion="17.6", DBInstanceClass="db.r8g.large"
    )
    assert len(options["OrderableDBInstanceOptions"]) == 2  # one for each storage type
