from __future__ import annotations

import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import psycopg2
import pytest

from local_cloud.aurora import Fault, LocalAurora
from tests.local_cloud.aurora.story import CLASS, ENGINE, PASSWORD, Region, code_of, query, refused, wait_until


def test_a_cluster_is_reachable_only_with_an_available_instance(east: Region) -> None:
    east.rds.create_db_cluster(
        DBClusterIdentifier="Fresh",
        Engine=ENGINE,
        MasterUsername="dba",
        MasterUserPassword=PASSWORD,
        DatabaseName="shop",
    )
    assert east.cluster("fresh")["Status"] == "creating"
    with refused("InvalidDBClusterStateFault"):
        east.asks_for_instance("fresh", "fresh-1")
    east.wait_for_cluster("fresh")
    with pytest.raises(psycopg2.OperationalError), east.psql("fresh"):
        pass
    assert {item["Status"] for item in east.rds.describe_db_cluster_endpoints()["DBClusterEndpoints"]} >= {"creating"}
    east.asks_for_instance("fresh", "fresh-1")
    assert "Endpoint" not in east.instance("fresh-1")
    east.wait_for_instance("fresh-1")
    with east.psql("fresh") as session:
        assert query(session, "SELECT current_database(), pg_encoding_to_char(encoding) FROM pg_database LIMIT 1")
    assert east.cluster("fresh")["EngineVersion"] == "17.5"  # the Region's default
    assert east.instance("fresh-1")["Endpoint"]["Address"] == "127.0.0.1"


def test_the_master_user_is_no_superuser(prod: Region) -> None:
    with prod.psql("prod") as session:
        flags = query(
            session,
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, pg_has_role('rds_superuser', 'MEMBER') "
            "FROM pg_roles WHERE rolname = current_user",
        )
        assert flags == [(False, True, True, False, True)]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(session, "SELECT rolpassword FROM pg_authid")


def test_nobody_gets_into_rdsadmin_or_in_without_tls(prod: Region) -> None:
    with pytest.raises(psycopg2.OperationalError, match="rejects"), prod.psql("prod", database="rdsadmin"):
        pass
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(
            host="127.0.0.1",
            port=prod.cluster("prod")["Port"],
            user="dba",
            password=PASSWORD,
            dbname="shop",
            sslmode="disable",
        )


def test_members_are_deleted_before_their_cluster(east: Region) -> None:
    east.has_cluster("doomed", instances=2)
    assert [member["IsClusterWriter"] for member in east.cluster("doomed")["DBClusterMembers"]] == [True, False]
    with refused("InvalidDBClusterStateFault", "still contains DB instances in non-deleting state"):
        east.rds.delete_db_cluster(DBClusterIdentifier="doomed", SkipFinalSnapshot=True)
    east.rds.delete_db_instance(DBInstanceIdentifier="doomed-1", SkipFinalSnapshot=True)
    with refused("InvalidDBInstanceState", "already being deleted"):
        east.rds.delete_db_instance(DBInstanceIdentifier="doomed-1", SkipFinalSnapshot=True)
    wait_until(lambda: code_of(lambda: east.instance("doomed-1")), "DBInstanceNotFound")
    assert [member["IsClusterWriter"] for member in east.cluster("doomed")["DBClusterMembers"]] == [True]
    east.rds.delete_db_instance(DBInstanceIdentifier="doomed-2", SkipFinalSnapshot=True)
    east.rds.delete_db_cluster(DBClusterIdentifier="doomed", FinalDBSnapshotIdentifier="doomed-final")
    assert east.cluster("doomed")["Status"] == "deleting"
    east.wait_until_cluster_is_gone("doomed")
    assert code_of(lambda: east.instance("doomed-2")) == "DBInstanceNotFound"
    assert east.snapshot("doomed-final")["Status"] == "available"


def test_a_protected_cluster_cannot_be_deleted(prod: Region) -> None:
    with refused("InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection"):
        prod.rds.delete_db_cluster(DBClusterIdentifier="prod", SkipFinalSnapshot=True)


@pytest.mark.parametrize("both", [True, False])
def test_a_deletion_takes_a_final_snapshot_or_skips_it(prod: Region, both: bool) -> None:
    final = {"FinalDBSnapshotIdentifier": "fin"} if both else {}
    with refused("InvalidParameterCombination", "FinalDBSnapshotIdentifier"):
        prod.rds.delete_db_cluster(DBClusterIdentifier="prod", SkipFinalSnapshot=both, **final)  # type: ignore[arg-type]


def test_a_stopped_cluster_is_left_alone_until_it_is_started(east: Region) -> None:
    east.has_cluster("sleeper")
    east.rds.stop_db_cluster(DBClusterIdentifier="sleeper")
    assert east.cluster("sleeper")["Status"] == "stopping"
    east.wait_for_cluster("sleeper", "stopped")
    with pytest.raises(psycopg2.OperationalError), east.psql("sleeper"):
        pass
    for call in (
        lambda: east.rds.delete_db_cluster(DBClusterIdentifier="sleeper", SkipFinalSnapshot=True),
        lambda: east.rds.modify_db_cluster(DBClusterIdentifier="sleeper", BackupRetentionPeriod=3),
        lambda: east.asks_for_instance("sleeper", "sleeper-2"),
        lambda: east.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="s", DBClusterIdentifier="sleeper"),
    ):
        assert code_of(call) == "InvalidDBClusterStateFault"
    east.rds.start_db_cluster(DBClusterIdentifier="sleeper")
    east.wait_for_cluster("sleeper")
    with east.psql("sleeper"):
        pass


def test_what_is_created_shows_in_the_events(prod: Region) -> None:
    events = prod.rds.describe_events(SourceType="db-cluster", SourceIdentifier="prod", Duration=14 * 24 * 60)["Events"]
    assert [event["Message"] for event in events] == ["DB cluster created"]


def test_all_times_are_on_the_scaled_clock(aurora: LocalAurora, east: Region) -> None:
    aurora.control.skip(3600)
    now = aurora.clock.now()
    assert now > datetime.now(UTC) + timedelta(minutes=59)
    answer = east.rds.describe_db_clusters()
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert date >= now.replace(microsecond=0)
    with urllib.request.urlopen(f"{east.endpoint}/_local_aurora/clock", timeout=5) as response:  # noqa: S310
        assert response.headers["Date"]


def test_reader_and_writer_can_be_rebooted_and_resized(aurora: LocalAurora, east: Region) -> None:
    east.has_cluster("sized")
    aurora.control.add_fault(Fault(kind="freeze", operation="RebootDBInstance"))
    east.rds.reboot_db_instance(DBInstanceIdentifier="sized-1")
    assert east.instance("sized-1")["DBInstanceStatus"] == "rebooting"
    aurora.control.release()
    east.wait_for_instance("sized-1")
    east.rds.modify_db_instance(DBInstanceIdentifier="sized-1", DBInstanceClass="db.r8g.xlarge")
    assert east.instance("sized-1")["PendingModifiedValues"] == {"DBInstanceClass": "db.r8g.xlarge"}
    east.rds.modify_db_instance(DBInstanceIdentifier="sized-1", ApplyImmediately=True)
    wait_until(lambda: east.instance("sized-1")["DBInstanceClass"], "db.r8g.xlarge")


def test_serverless_needs_a_capacity_range(prod: Region) -> None:
    with refused("InvalidParameterCombination", "Serverless v2"):
        prod.rds.create_db_instance(
            DBInstanceIdentifier="s", DBInstanceClass="db.serverless", Engine=ENGINE, DBClusterIdentifier="prod"
        )
    with refused("InvalidParameterCombination", "Set MasterUserPassword for the DB Cluster"):
        prod.rds.create_db_instance(
            DBInstanceIdentifier="s",
            DBInstanceClass=CLASS,
            Engine=ENGINE,
            DBClusterIdentifier="prod",
            MasterUserPassword="x" * 9,
        )
