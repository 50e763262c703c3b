"""RDS in its own time, on demand: late and old answers, statuses nobody knows, autoscaling, limits."""

from __future__ import annotations

import urllib.error
from collections.abc import Callable

import pytest

from local_cloud.aurora import Fault, LocalAurora
from local_cloud.aurora.errors import ApiError
from tests.local_cloud.aurora.story import Region, code_of, refused, wait_until


@pytest.fixture
def fault(aurora: LocalAurora) -> Callable[..., None]:
    def add(kind: str, operation: str, **how: object) -> None:
        aurora.control.add_fault(Fault(kind=kind, operation=operation, **how))  # type: ignore[arg-type]

    return add


def test_what_is_there_is_not_shown_for_a_while(prod: Region, fault: Callable[..., None]) -> None:
    fault("hide", "DescribeDBClusters", identifier="prod", times=2)
    assert [code_of(lambda: prod.cluster("prod")) for _ in range(3)] == ["DBClusterNotFoundFault"] * 2 + ["OK"]
    fault("hide", "DescribeDBInstances", identifier="prod-1")
    assert code_of(lambda: prod.instance("prod-1")) == "DBInstanceNotFound"
    fault("hide", "DescribeDBClusterSnapshots", identifier="prod-base")
    assert code_of(lambda: prod.snapshot("prod-base")) == "DBClusterSnapshotNotFoundFault"


def test_a_status_is_shown_that_is_not_the_status(prod: Region, fault: Callable[..., None]) -> None:
    fault("show", "DescribeDBClusters", identifier="prod", status="creating", skip=1)
    assert [prod.cluster("prod")["Status"] for _ in range(3)] == ["available", "creating", "available"]
    fault("show", "DescribeDBInstances", identifier="prod-1", status="hibernating")
    assert prod.instance("prod-1")["DBInstanceStatus"] == "hibernating"
    fault("show", "DescribeDBClusterSnapshots", identifier="prod-base", status="copying")
    assert prod.snapshot("prod-base")["Status"] == "copying"


@pytest.mark.parametrize("kind", ["hide", "show"])
def test_only_descriptions_can_be_wrong(fault: Callable[..., None], kind: str) -> None:
    with pytest.raises(ApiError, match="expected one of DescribeDBClusters"):
        fault(kind, "StopDBCluster")


def test_autoscaling_adds_a_member_while_the_cluster_is_deleted(prod: Region, fault: Callable[..., None]) -> None:
    prod.rds.create_db_cluster(
        DBClusterIdentifier="scaling", Engine="aurora-postgresql", EngineVersion="17.6",
        MasterUsername="dba", MasterUserPassword="Pr0duction-pass", Tags=[{"Key": "team", "Value": "shop"}],
    )  # fmt: skip
    prod.wait_for_cluster("scaling")
    fault("add-member", "DeleteDBCluster", identifier="scaling")
    with refused("InvalidDBClusterStateFault", "still contains DB instances"):
        prod.rds.delete_db_cluster(DBClusterIdentifier="scaling", SkipFinalSnapshot=True)
    [member] = prod.cluster("scaling")["DBClusterMembers"]
    name = member["DBInstanceIdentifier"]
    # Aurora User Guide, "Amazon Aurora Auto Scaling with Aurora Replicas": tags are not copied to the replicas it adds.
    assert prod.instance(name).get("TagList", []) == []
    prod.wait_for_instance(name)
    prod.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    wait_until(
        lambda: code_of(lambda: prod.rds.delete_db_cluster(DBClusterIdentifier="scaling", SkipFinalSnapshot=True)), "OK"
    )
    prod.wait_until_cluster_is_gone("scaling")


def test_a_region_is_full_when_its_limit_says_so(prod: Region) -> None:
    before = prod.control("POST", "quotas", {})
    assert (before["manual_snapshots"], before["copies_in_progress"]) == (100, 5)
    prod.control("POST", "quotas", {"manual_snapshots": 0})
    with refused("SnapshotQuotaExceeded"):
        prod.has_snapshot("one-too-many", of="prod")
    prod.control("POST", "quotas", {"manual_snapshots": 100})
    for body in ({"snapshots": 1}, {"manual_snapshots": -1}):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            prod.control("POST", "quotas", body)
        refusal.value.close()
        assert refusal.value.code == 400
