"""RDS without a cluster: what is missing, what names may be, what the Region offers."""

from deployment.throwaway.clusters import ENGINE
from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true

_MODEL = "RDS API model, errors"


@fact("rds", _MODEL)
def a_missing_cluster_keeps_fault_in_its_code(bench: Bench) -> None:
    """DescribeDBClusters of no cluster: DBClusterNotFoundFault."""
    rds = bench.client("rds")
    bench.refused("DBClusterNotFoundFault", lambda: rds.describe_db_clusters(DBClusterIdentifier=bench.name("none")))


@fact("rds", _MODEL)
def a_missing_instance_has_no_fault_in_its_code(bench: Bench) -> None:
    """DescribeDBInstances of no instance: DBInstanceNotFound, while the exception's class ends with Fault."""
    rds = bench.client("rds")
    bench.refused("DBInstanceNotFound", lambda: rds.describe_db_instances(DBInstanceIdentifier=bench.name("none")))


@fact("rds", _MODEL)
def a_missing_snapshot_keeps_fault_in_its_code(bench: Bench) -> None:
    """DescribeDBClusterSnapshots of no snapshot: DBClusterSnapshotNotFoundFault."""
    rds, name = bench.client("rds"), bench.name("none")
    bench.refused(
        "DBClusterSnapshotNotFoundFault",
        lambda: rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name),
    )


@fact("rds", _MODEL)
def a_missing_subnet_group_is_told(bench: Bench) -> None:
    """DescribeDBSubnetGroups of no group: DBSubnetGroupNotFoundFault."""
    rds = bench.client("rds")
    bench.refused(
        "DBSubnetGroupNotFoundFault", lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=bench.name("none"))
    )


@fact("rds", _MODEL)
def a_missing_cluster_parameter_group_is_a_missing_parameter_group(bench: Bench) -> None:
    """DescribeDBClusterParameterGroups of no group: DBParameterGroupNotFound, the code of instances' groups."""
    rds = bench.client("rds")
    bench.refused(
        "DBParameterGroupNotFound",
        lambda: rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=bench.name("none")),
    )


@fact("rds", _MODEL)
def deleting_a_missing_cluster_is_refused(bench: Bench) -> None:
    """DeleteDBCluster of no cluster: DBClusterNotFoundFault."""
    rds, name = bench.client("rds"), bench.name("none")
    bench.refused(
        "DBClusterNotFoundFault", lambda: rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    )


@fact("rds", _MODEL)
def restoring_from_a_missing_snapshot_is_refused(bench: Bench) -> None:
    """RestoreDBClusterFromSnapshot of no snapshot: DBClusterSnapshotNotFoundFault, and no cluster is made."""
    rds, name = bench.client("rds"), bench.name("none")
    bench.refused(
        "DBClusterSnapshotNotFoundFault",
        lambda: rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name, SnapshotIdentifier=bench.name("none"), Engine=ENGINE
        ),
    )
    equal(bench.aurora.status(name), "gone", "the cluster")


@fact("rds", "RDS API, CopyDBClusterSnapshot")
def copying_a_missing_snapshot_is_refused(bench: Bench) -> None:
    """CopyDBClusterSnapshot of no snapshot: DBClusterSnapshotNotFoundFault."""
    rds = bench.client("rds")
    bench.refused(
        "DBClusterSnapshotNotFoundFault",
        lambda: rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=bench.name("none"), TargetDBClusterSnapshotIdentifier=bench.name("copy")
        ),
    )


@fact("rds", "RDS API, CreateDBCluster: DBClusterIdentifier")
def a_name_has_no_two_hyphens_in_a_row(bench: Bench) -> None:
    """A cluster's identifier with two hyphens in a row, or one at its end: InvalidParameterValue."""
    rds = bench.client("rds")
    for name in (f"{bench.prefix}--x", f"{bench.prefix}-"):
        bench.refused(
            "InvalidParameterValue",
            lambda name=name: rds.create_db_cluster(  # type: ignore[misc]  # the name of this turn
                DBClusterIdentifier=name, Engine=ENGINE, MasterUsername="someone", MasterUserPassword="not-a-secret"
            ),
        )


@fact("rds", "RDS API, DescribeDBClusterSnapshots: MaxRecords")
def a_page_has_twenty_records_at_least(bench: Bench) -> None:
    """MaxRecords below 20: InvalidParameterValue."""
    rds = bench.client("rds")
    bench.refused("InvalidParameterValue", lambda: rds.describe_db_cluster_snapshots(MaxRecords=19))


@fact("rds", "RDS API, DescribeDBEngineVersions")
def a_version_names_its_family_and_the_logs_it_exports(bench: Bench) -> None:
    """DescribeDBEngineVersions tells the parameter group family, the exportable log types and the engine modes."""
    version = bench.aurora.version
    found = bench.client("rds").describe_db_engine_versions(Engine=ENGINE, EngineVersion=version)["DBEngineVersions"][0]
    equal(found["DBParameterGroupFamily"], f"{ENGINE}{version.partition('.')[0]}", "the family")
    true("postgresql" in found["ExportableLogTypes"], f"no log type postgresql in {found['ExportableLogTypes']}")


@fact("rds", "RDS API, DescribeDBMajorEngineVersions")
def a_major_version_tells_when_its_support_ends(bench: Bench) -> None:
    """DescribeDBMajorEngineVersions tells the dates of standard and of extended support."""
    major = bench.aurora.version.partition(".")[0]
    rds = bench.client("rds")
    found = rds.describe_db_major_engine_versions(Engine=ENGINE, MajorEngineVersion=major)["DBMajorEngineVersions"][0]
    names = {cycle["LifecycleSupportName"] for cycle in found["SupportedEngineLifecycles"]}
    true("open-source-rds-standard-support" in names, f"no standard support in {names}")


@fact("rds", "RDS API, DescribeOrderableDBInstanceOptions")
def what_can_be_ordered_is_told_per_version_and_class(bench: Bench) -> None:
    """DescribeOrderableDBInstanceOptions answers a class that a version offers, and nothing for another."""
    rds, asked = bench.client("rds"), {"Engine": ENGINE, "EngineVersion": bench.aurora.version}
    offered = rds.describe_orderable_db_instance_options(DBInstanceClass="db.serverless", **asked)
    true(offered["OrderableDBInstanceOptions"], "db.serverless is not orderable")
    not_offered = rds.describe_orderable_db_instance_options(DBInstanceClass="db.m1.small", **asked)
    equal(not_offered["OrderableDBInstanceOptions"], [], "the options of db.m1.small")


@fact("rds", "RDS API, DescribeAccountAttributes")
def quotas_are_told_with_what_is_used(bench: Bench) -> None:
    """DescribeAccountAttributes tells used and maximum of clusters, instances and manual cluster snapshots."""
    told = {quota["AccountQuotaName"] for quota in bench.client("rds").describe_account_attributes()["AccountQuotas"]}
    wanted = {"DBClusters", "DBInstances", "ManualClusterSnapshots"}
    true(wanted <= told, f"no quotas named {sorted(wanted - told)}")


@fact("rds", "Aurora User Guide, Using SSL/TLS")
def certificates_are_told_with_their_ends(bench: Bench) -> None:
    """DescribeCertificates has rds-ca-rsa2048-g1, and how long it is valid."""
    found = {
        item["CertificateIdentifier"]: item for item in bench.client("rds").describe_certificates()["Certificates"]
    }
    true("ValidTill" in found.get("rds-ca-rsa2048-g1", {}), f"the certificates are {sorted(found)}")


@fact("rds", "Aurora User Guide, Aurora PostgreSQL parameters")
def a_default_group_has_the_families_name(bench: Bench) -> None:
    """The group default.<family> is there, and rds.force_ssl is one of its parameters."""
    rds, family = bench.client("rds"), f"{ENGINE}{bench.aurora.version.partition('.')[0]}"
    pages = rds.get_paginator("describe_db_cluster_parameters").paginate(
        DBClusterParameterGroupName=f"default.{family}"
    )
    names = {parameter["ParameterName"] for page in pages for parameter in page["Parameters"]}
    true("rds.force_ssl" in names, f"no rds.force_ssl among {len(names)} parameters")


@fact("rds", _MODEL)
def a_missing_event_subscription_is_told(bench: Bench) -> None:
    """DescribeEventSubscriptions of no subscription: SubscriptionNotFound."""
    rds = bench.client("rds")
    bench.refused("SubscriptionNotFound", lambda: rds.describe_event_subscriptions(SubscriptionName=bench.name("none")))


@fact("rds", _MODEL)
def a_missing_proxy_is_told(bench: Bench) -> None:
    """DescribeDBProxies of no proxy: DBProxyNotFoundFault."""
    rds = bench.client("rds")
    bench.refused("DBProxyNotFoundFault", lambda: rds.describe_db_proxies(DBProxyName=bench.name("none")))
