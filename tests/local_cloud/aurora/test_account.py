"""What people ask RDS about beside clusters and snapshots, in the form of AWS's own model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_cloud.aurora.story import Region, query, refused


def test_what_nobody_can_make_here_is_an_empty_list(east: Region) -> None:
    """docs/runbook.md asks for global clusters, and RDS answers with an empty list where there is none."""
    assert east.rds.describe_global_clusters()["GlobalClusters"] == []
    assert east.rds.describe_db_snapshots()["DBSnapshots"] == []
    assert east.rds.describe_event_subscriptions()["EventSubscriptionsList"] == []
    assert east.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []


def test_one_that_is_named_is_not_found(east: Region) -> None:
    """API reference, Errors of each operation."""
    with refused("GlobalClusterNotFoundFault"):
        east.rds.describe_global_clusters(GlobalClusterIdentifier="world")
    with refused("DBSnapshotNotFound"):
        east.rds.describe_db_snapshots(DBSnapshotIdentifier="nightly")
    with refused("SubscriptionNotFound"):
        east.rds.describe_event_subscriptions(SubscriptionName="pager")
    with refused("ResourceNotFoundFault"):
        east.rds.describe_pending_maintenance_actions(ResourceIdentifier=east.arn("cluster", "nowhere"))
    with refused("CertificateNotFound"):
        east.rds.describe_certificates(CertificateIdentifier="rds-ca-2019")


def test_quotas_tell_what_is_used_of_them(prod: Region) -> None:
    found = {item["AccountQuotaName"]: item for item in prod.rds.describe_account_attributes()["AccountQuotas"]}

    assert found["DBClusters"]["Max"] == 40
    assert found["DBClusters"]["Used"] == len(prod.rds.describe_db_clusters()["DBClusters"])
    assert found["ManualClusterSnapshots"]["Used"] >= 1


def test_the_certificate_is_that_of_the_local_ca(prod: Region) -> None:
    answer = prod.rds.describe_certificates()

    names = [item["CertificateIdentifier"] for item in answer["Certificates"]]
    assert names == ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"]
    certificate = answer["Certificates"][0]
    assert certificate["CertificateIdentifier"] == answer["DefaultCertificateForNewLaunches"]
    assert certificate["CertificateIdentifier"] == prod.instance("prod-1")["CACertificateIdentifier"]
    assert certificate["ValidFrom"] < certificate["ValidTill"]
    assert len(certificate["Thumbprint"]) == 40


def test_a_clusters_automated_backup_says_how_long_it_is_kept(prod: Region) -> None:
    [backup] = prod.rds.describe_db_cluster_automated_backups(DBClusterIdentifier="prod")["DBClusterAutomatedBackups"]

    assert (backup["BackupRetentionPeriod"], backup["Status"]) == (7, "active")
    assert backup["DBClusterArn"] == prod.arn("cluster", "prod")
    assert backup["RestoreWindow"].get("EarliestTime") == prod.cluster("prod").get("EarliestRestorableTime")
    assert prod.rds.describe_db_cluster_automated_backups(DBClusterIdentifier="no")["DBClusterAutomatedBackups"] == []


def test_an_instance_has_the_log_of_its_server(prod: Region) -> None:
    with prod.psql("prod") as session:
        query(session, "CREATE TABLE told_in_the_log ()")

    [log] = prod.rds.describe_db_log_files(DBInstanceIdentifier="prod-1")["DescribeDBLogFiles"]

    assert log["LogFileName"].startswith("error/postgresql.log.")
    assert log["Size"] > 0
    assert (
        prod.rds.describe_db_log_files(DBInstanceIdentifier="prod-1", FilenameContains="slow")["DescribeDBLogFiles"]
        == []
    )
    with refused("DBInstanceNotFound"):
        prod.rds.describe_db_log_files(DBInstanceIdentifier="nobody")


def test_a_failover_makes_a_reader_the_writer(east: Region) -> None:
    """Aurora User Guide, "High availability": the reader with the highest priority; none, no failover."""
    east.has_cluster("failing", instances=1)
    with refused("InvalidDBClusterStateFault", "no available reader"):
        east.rds.failover_db_cluster(DBClusterIdentifier="failing")
    east.asks_for_instance("failing", "failing-2")
    east.wait_for_instance("failing-2")
    with refused("InvalidDBClusterStateFault", "failing-1 is no available reader"):
        east.rds.failover_db_cluster(DBClusterIdentifier="failing", TargetDBInstanceIdentifier="failing-1")

    with east.psql("failing") as session:
        assert east.rds.failover_db_cluster(DBClusterIdentifier="failing")["DBCluster"]["Status"] == "failing-over"
        east.wait_for_cluster("failing")
        assert session.closed == 0

    members = east.cluster("failing")["DBClusterMembers"]
    writers = [member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]]
    assert writers == ["failing-2"]
    with east.psql("failing") as session:
        assert query(session, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("tag", ["Jane, team A", "R&D", "it's-me!", "refresh(2)", "50%", "tab\there", "rocket 🚀"])
def test_a_tag_holds_only_what_rds_takes(prod: Region, tag: str) -> None:
    """API reference of RDS, Tag: letters, separators, numbers and _ . : / = + - @, in key and value."""
    arn = prod.arn("cluster", "prod")
    with refused("InvalidParameterValue", "Invalid tag"):
        prod.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "owner", "Value": tag}])
    with refused("InvalidParameterValue", "Invalid tag"):
        prod.rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier="tagged", DBClusterIdentifier="prod", Tags=[{"Key": tag, "Value": "a"}]
        )


def test_a_tag_of_any_language_is_taken_and_a_reserved_prefix_in_any_case_is_not(prod: Region) -> None:
    arn = prod.arn("cluster-snapshot", "prod-base")
    kept: Any = {"Key": "Zuständig", "Value": "Jürgen @ team/a: 1+1=2 日本"}
    prod.rds.add_tags_to_resource(ResourceName=arn, Tags=[kept])
    assert kept in prod.rds.list_tags_for_resource(ResourceName=arn)["TagList"]
    prod.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["Zuständig"])
    for key in ("aws:mine", "AWS:mine", "rds:owner", "RDS:owner"):
        with refused("InvalidParameterValue", "reserved prefix"):
            prod.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": key, "Value": "x"}])


def test_a_resource_has_at_most_50_tags(prod: Region) -> None:
    """Amazon RDS User Guide, "Tagging Amazon RDS resources": at most 50 tags for each resource."""
    tags: Any = [{"Key": f"key-{number}", "Value": "x"} for number in range(51)]
    with refused("InvalidParameterValue", "at most 50"):
        prod.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="tagged", DBClusterIdentifier="prod", Tags=tags)
    arn = prod.arn("cluster-snapshot", "prod-base")
    with refused("InvalidParameterValue", "at most 50"):
        prod.rds.add_tags_to_resource(ResourceName=arn, Tags=tags)
