"""RDS with a snapshot: copies, shares, and what a restore keeps and what it does not."""

from datetime import UTC, datetime

from botocore.exceptions import ClientError

from deployment.throwaway.clusters import ENGINE
from tests.conformance.aurora import MASTER
from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true

_RESTORING = "RDS API, RestoreDBClusterFromSnapshot; Aurora User Guide, Restoring from a DB cluster snapshot"


@fact("rds", "RDS API, DBClusterSnapshot", minutes=5)
def a_snapshot_tells_what_a_restore_needs(bench: Bench) -> None:
    """A snapshot tells master, version, source cluster and its resource id, and that it is manual."""
    cluster = bench.aurora.described(bench.aurora.cluster)
    found = bench.aurora.described_snapshot(bench.aurora.snapshot)
    for member in ("DBClusterIdentifier", "DbClusterResourceId", "Engine", "EngineVersion"):
        equal(found[member], cluster[member], member)
    equal((found["MasterUsername"], found["SnapshotType"]), (MASTER, "manual"), "master and type")


@fact("rds", "RDS API, CreateDBClusterSnapshot")
def a_second_snapshot_of_a_name_is_refused(bench: Bench) -> None:
    """CreateDBClusterSnapshot with a name that is taken: DBClusterSnapshotAlreadyExistsFault."""
    rds, name, cluster = bench.client("rds"), bench.aurora.snapshot, bench.aurora.cluster
    bench.refused(
        "DBClusterSnapshotAlreadyExistsFault",
        lambda: rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster),
    )


@fact("rds", "RDS API, CopyDBClusterSnapshot", minutes=5)
def a_copy_tells_what_it_was_made_of(bench: Bench) -> None:
    """A copy has SourceDBClusterSnapshotArn, the tags it was given, and cannot be made twice under a name."""
    rds, aurora, copy = bench.client("rds"), bench.aurora, bench.name("copy")
    source = aurora.described_snapshot(aurora.snapshot)["DBClusterSnapshotArn"]
    asked = {"SourceDBClusterSnapshotIdentifier": source, "TargetDBClusterSnapshotIdentifier": copy}
    rds.copy_db_cluster_snapshot(**asked, Tags=bench.tags)
    aurora.remove_snapshot_at_the_end(copy)
    aurora.snapshot_available(copy)
    found = aurora.described_snapshot(copy)
    equal(found["SourceDBClusterSnapshotArn"], source, "the source")
    equal(found["TagList"], bench.tags, "the tags")
    bench.refused("DBClusterSnapshotAlreadyExistsFault", lambda: rds.copy_db_cluster_snapshot(**asked))


@fact("rds", "RDS API, ModifyDBClusterSnapshotAttribute")
def a_manual_snapshot_is_shared_with_an_account(bench: Bench) -> None:
    """ModifyDBClusterSnapshotAttribute of restore: the account is told by DescribeDBClusterSnapshotAttributes."""
    rds, name = bench.client("rds"), bench.aurora.snapshot
    changed = {"DBClusterSnapshotIdentifier": name, "AttributeName": "restore"}
    rds.modify_db_cluster_snapshot_attribute(**changed, ValuesToAdd=[bench.account])
    found = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
    attributes = found["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    told = {attribute["AttributeName"]: attribute["AttributeValues"] for attribute in attributes}
    equal(told["restore"], [bench.account], "who may restore it")
    rds.modify_db_cluster_snapshot_attribute(**changed, ValuesToRemove=[bench.account])


@fact("rds", _RESTORING, minutes=15)
def a_restored_cluster_has_no_instances(bench: Bench) -> None:
    """RestoreDBClusterFromSnapshot makes a cluster, and no instance."""
    equal(bench.aurora.described(bench.aurora.restored)["DBClusterMembers"], [], "the instances")


@fact("rds", _RESTORING)
def a_restore_keeps_version_and_master(bench: Bench) -> None:
    """A restored cluster has the version it was told and the master of the snapshot."""
    before, after = (bench.aurora.described(name) for name in (bench.aurora.cluster, bench.aurora.restored))
    for member in ("EngineVersion", "MasterUsername"):
        equal(after[member], before[member], member)


@fact("rds", _RESTORING, only_aws="the local Aurora gives each server a port of its own on this machine")
def a_restore_keeps_the_port(bench: Bench) -> None:
    """A restored cluster that is told no port has the snapshot's."""
    before, after = (bench.aurora.described(name) for name in (bench.aurora.cluster, bench.aurora.restored))
    equal(after["Port"], before["Port"], "the port")


@fact("rds", _RESTORING)
def a_restore_forgets_what_it_is_not_told(bench: Bench) -> None:
    """Protection, IAM authentication, copied tags and log exports are off; groups and storage are the defaults."""
    found = bench.aurora.described(bench.aurora.restored)
    for member in ("DeletionProtection", "IAMDatabaseAuthenticationEnabled", "CopyTagsToSnapshot"):
        equal(found[member], False, member)
    equal(found.get("EnabledCloudwatchLogsExports", []), [], "the exported logs")
    equal(found["DBClusterParameterGroup"], f"default.{ENGINE}{found['EngineVersion'].partition('.')[0]}", "the group")
    true("ServerlessV2ScalingConfiguration" not in found, "a range of Serverless v2 came along")


@fact("rds", _RESTORING)
def a_restore_over_a_cluster_is_refused(bench: Bench) -> None:
    """RestoreDBClusterFromSnapshot under a name that is taken: DBClusterAlreadyExistsFault."""
    rds, name, snapshot = bench.client("rds"), bench.aurora.cluster, bench.aurora.snapshot
    bench.refused(
        "DBClusterAlreadyExistsFault",
        lambda: rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name, SnapshotIdentifier=snapshot, Engine=ENGINE
        ),
    )


@fact("rds", "RDS API, DeleteDBClusterSnapshot")
def a_snapshot_is_deleted_once(bench: Bench) -> None:
    """DeleteDBClusterSnapshot of a deleted one: DBClusterSnapshotNotFoundFault."""
    rds, aurora, name = bench.client("rds"), bench.aurora, bench.name("short-lived")
    rds.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier=name, DBClusterIdentifier=aurora.cluster, Tags=bench.tags
    )
    aurora.remove_snapshot_at_the_end(name)
    aurora.snapshot_available(name)
    aurora.remove_snapshot(name)
    bench.refused(
        "DBClusterSnapshotNotFoundFault", lambda: rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
    )


@fact("rds", "RDS API, RestoreDBClusterToPointInTime: RestoreType", minutes=20)
def a_clone_is_a_cluster_of_its_own(bench: Bench) -> None:
    """RestoreDBClusterToPointInTime with copy-on-write: a cluster without instances and with another resource id."""
    rds, aurora, name = bench.client("rds"), bench.aurora, bench.name("clone")
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier=name,
        SourceDBClusterIdentifier=aurora.cluster,
        RestoreType="copy-on-write",
        UseLatestRestorableTime=True,
        Tags=bench.tags,
    )
    aurora.remove_cluster_at_the_end(name)
    aurora.available(name)
    found, source = aurora.described(name), aurora.described(aurora.cluster)
    equal(found["DBClusterMembers"], [], "the instances")
    true(found["DbClusterResourceId"] != source["DbClusterResourceId"], "the resource id is the source's")
    aurora.remove_cluster(name)


@fact("rds", "RDS API, RestoreDBClusterToPointInTime: RestoreToTime")
def a_moment_that_is_yet_to_come_is_refused(bench: Bench) -> None:
    """RestoreDBClusterToPointInTime to a time in the future is refused, and no cluster is made."""
    rds, aurora, name = bench.client("rds"), bench.aurora, bench.name("early")
    try:
        rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier=name,
            SourceDBClusterIdentifier=aurora.cluster,
            RestoreToTime=datetime(2099, 1, 1, tzinfo=UTC),
            Tags=bench.tags,
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        true(code in ("InvalidParameterValue", "InvalidRestoreFault", "InvalidParameterCombination"), f"it is {code}")
    else:
        aurora.remove_cluster_at_the_end(name)
        true(False, "it was not refused")
    equal(aurora.status(name), "gone", "the cluster")


@fact(
    "rds",
    "RDS API, DBCluster: EarliestRestorableTime, LatestRestorableTime",
    minutes=15,
    only_aws="the local Aurora takes its first automated snapshot when a test tells it to",
)
def a_cluster_tells_which_moments_it_can_be_restored_to(bench: Bench) -> None:
    """A cluster with backups tells the earliest and the latest restorable time, in this order."""
    found = bench.until(
        lambda: "LatestRestorableTime" in (told := bench.aurora.described(bench.aurora.cluster)) and told,
        "the latest restorable time",
        minutes=15,
    )
    true(found["EarliestRestorableTime"] <= found["LatestRestorableTime"], "the earliest is after the latest")
