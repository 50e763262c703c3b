from __future__ import annotations

import json

import psycopg2
import pytest

from local_cloud.aurora import Fault, LocalAurora
from tests.local_cloud.aurora.story import PASSWORD, Region, code_of, query, refused, wait_until


@pytest.fixture(scope="module")
def home(east: Region) -> Region:
    """us-east-1 with the cluster `home`."""
    east.has_cluster("home")
    return east


def test_a_password_reset_takes_effect_and_closes_the_old_one(aurora: LocalAurora, home: Region) -> None:
    answer = home.rds.modify_db_cluster(DBClusterIdentifier="home", MasterUserPassword="N3w-password")["DBCluster"]
    assert answer["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    assert answer["Status"] == "available"  # it changes a moment later: who looks only at the status is fooled
    home.wait_for_cluster("home")
    with home.psql("home", password="N3w-password"):
        pass
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"), home.psql("home"):
        pass
    home.rds.modify_db_cluster(DBClusterIdentifier="home", MasterUserPassword=PASSWORD)
    home.wait_for_cluster("home")
    entry = aurora.control.journal("ModifyDBCluster")[-1]
    assert entry.parameters["MasterUserPassword"] == "****"
    logs = "".join(file.read_text() for file in (aurora.settings.run_dir / "logs").iterdir())
    assert "N3w-password" not in logs
    assert "SCRAM-SHA-256" not in logs


@pytest.mark.parametrize(
    ("password", "message"),
    [("short", "shorter than 8"), ("with/slash-1", "Only printable ASCII"), ("x" * 100, "longer than 99")],
)
def test_an_unfit_password_is_refused(home: Region, password: str, message: str) -> None:
    with refused("InvalidParameterValue", message):
        home.rds.modify_db_cluster(DBClusterIdentifier="home", MasterUserPassword=password)


def test_a_managed_password_lives_in_a_secret_and_dies_with_the_cluster(aurora: LocalAurora, east: Region) -> None:
    east.has_cluster("managed")
    with refused("InvalidParameterCombination", "MasterUserPassword"):
        east.rds.modify_db_cluster(
            DBClusterIdentifier="managed", ManageMasterUserPassword=True, MasterUserPassword="N3w-password"
        )
    east.rds.modify_db_cluster(DBClusterIdentifier="managed", ManageMasterUserPassword=True)
    wait_until(lambda: east.cluster("managed")["MasterUserSecret"]["SecretStatus"], "active")
    arn = east.cluster("managed")["MasterUserSecret"]["SecretArn"]
    assert ":secret:rds!cluster-" in arn
    secret = json.loads(aurora.engine.hooks.secrets.get(arn))
    with east.psql("managed", secret["username"], secret["password"]):
        pass
    east.rds.modify_db_cluster(DBClusterIdentifier="managed", RotateMasterUserPassword=True, ApplyImmediately=True)
    wait_until(lambda: east.cluster("managed")["MasterUserSecret"]["SecretStatus"], "active")
    rotated = json.loads(aurora.engine.hooks.secrets.get(arn))
    assert rotated["password"] != secret["password"]
    with east.psql("managed", rotated["username"], rotated["password"]):
        pass
    east.rds.delete_db_instance(DBInstanceIdentifier="managed-1", SkipFinalSnapshot=True)
    east.rds.delete_db_cluster(DBClusterIdentifier="managed", SkipFinalSnapshot=True)
    east.wait_until_cluster_is_gone("managed")

    def secret_exists() -> bool:
        try:
            aurora.engine.hooks.secrets.get(arn)
        except KeyError:
            return False
        return True

    wait_until(secret_exists, False)


def test_a_rename_waits_for_apply_immediately_and_moves_only_the_cluster(east: Region) -> None:
    east.has_cluster("before")
    east.rds.modify_db_cluster(DBClusterIdentifier="before", NewDBClusterIdentifier="after")
    assert east.cluster("before")["PendingModifiedValues"] == {"DBClusterIdentifier": "after"}
    east.rds.modify_db_cluster(DBClusterIdentifier="before", ApplyImmediately=True)
    wait_until(lambda: code_of(lambda: east.cluster("after")), "OK")
    east.wait_for_cluster("after")
    assert code_of(lambda: east.cluster("before")) == "DBClusterNotFoundFault"
    assert east.instance("before-1")["DBClusterIdentifier"] == "after"
    with east.psql("after") as session:
        assert query(session, "SELECT 1") == [(1,)]


def test_an_instances_rename_reboots_it_and_everything_knows_its_new_name(east: Region) -> None:
    """API reference, ModifyDBInstance, NewDBInstanceIdentifier: "an instance reboot occurs"."""
    east.has_cluster("crew", instances=2)
    east.rds.create_db_cluster_endpoint(
        DBClusterIdentifier="crew",
        DBClusterEndpointIdentifier="of-the-crew",
        EndpointType="ANY",
        StaticMembers=["crew-1"],
    )
    with refused("DBInstanceAlreadyExists"):
        east.rds.modify_db_instance(DBInstanceIdentifier="crew-1", NewDBInstanceIdentifier="crew-2")
    east.rds.modify_db_instance(DBInstanceIdentifier="crew-1", NewDBInstanceIdentifier="Captain")
    assert east.instance("crew-1")["PendingModifiedValues"] == {"DBInstanceIdentifier": "captain"}
    with east.psql("crew") as session:
        east.rds.modify_db_instance(DBInstanceIdentifier="crew-1", ApplyImmediately=True)
        wait_until(lambda: code_of(lambda: east.instance("captain")), "OK")
        east.wait_for_instance("captain")
        with pytest.raises(psycopg2.OperationalError):
            query(session, "SELECT 1")

    assert code_of(lambda: east.instance("crew-1")) == "DBInstanceNotFound"
    assert east.instance("captain")["DBInstanceArn"] == east.arn("db", "captain")
    [writer, _] = east.cluster("crew")["DBClusterMembers"]
    assert (writer["DBInstanceIdentifier"], writer["IsClusterWriter"]) == ("captain", True)
    [endpoint] = east.rds.describe_db_cluster_endpoints(DBClusterEndpointIdentifier="of-the-crew")["DBClusterEndpoints"]
    assert endpoint["StaticMembers"] == ["captain"]


def test_a_renamed_cluster_may_show_the_old_names_certificate_until_it_was_stopped(
    aurora: LocalAurora, east: Region
) -> None:
    """Aurora User Guide, "Modifying": with SSL endpoints, stop and start a renamed cluster to update them."""
    east.has_cluster("maiden")
    aurora.control.add_fault(Fault(kind="stale-certificate", operation="ModifyDBCluster"))
    east.rds.modify_db_cluster(DBClusterIdentifier="maiden", NewDBClusterIdentifier="married", ApplyImmediately=True)
    wait_until(lambda: code_of(lambda: east.cluster("married")), "OK")
    east.wait_for_cluster("married")
    with pytest.raises(psycopg2.OperationalError, match="does not match host name"), east.psql("married"):
        pass
    east.rds.reboot_db_instance(DBInstanceIdentifier="maiden-1")
    east.wait_for_instance("maiden-1")
    with pytest.raises(psycopg2.OperationalError, match="does not match host name"), east.psql("married"):
        pass
    east.rds.stop_db_cluster(DBClusterIdentifier="married")
    east.wait_for_cluster("married", "stopped")
    east.rds.start_db_cluster(DBClusterIdentifier="married")
    east.wait_for_cluster("married")
    with east.psql("married") as session:
        assert query(session, "SELECT 1") == [(1,)]


def test_settings_change_while_the_cluster_is_modifying(aurora: LocalAurora, home: Region) -> None:
    home.rds.modify_db_cluster(DBClusterIdentifier="home", DeletionProtection=True)
    assert home.cluster("home")["DeletionProtection"]
    assert home.cluster("home")["Status"] == "available"
    aurora.control.add_fault(Fault(kind="freeze", operation="ModifyDBCluster"))
    home.rds.modify_db_cluster(
        DBClusterIdentifier="home",
        BackupRetentionPeriod=9,
        VpcSecurityGroupIds=["sg-0a1b2c3d"],
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["postgresql"]},
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 8},
    )
    assert home.cluster("home")["PendingModifiedValues"] == {"BackupRetentionPeriod": 9}
    with refused("InvalidDBClusterStateFault"):
        home.rds.modify_db_cluster(DBClusterIdentifier="home", DeletionProtection=False)
    aurora.control.release()
    home.wait_for_cluster("home")
    cluster = home.cluster("home")
    assert cluster["BackupRetentionPeriod"] == 9
    assert cluster["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-0a1b2c3d", "Status": "active"}]
    assert cluster["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 8.0}


def test_iam_authentication_is_its_own_change(home: Region) -> None:
    home.rds.modify_db_cluster(DBClusterIdentifier="home", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True)
    home.wait_for_cluster("home")
    assert home.cluster("home")["IAMDatabaseAuthenticationEnabled"]


def test_a_user_with_rds_iam_cannot_use_a_password(home: Region) -> None:
    with home.psql("home") as session:
        query(session, "CREATE ROLE via_iam LOGIN PASSWORD 'Password-only1'")
    with home.psql("home", "via_iam", "Password-only1"):
        pass
    with home.psql("home") as session:
        query(session, "GRANT rds_iam TO via_iam")
    with (
        pytest.raises(psycopg2.OperationalError, match="PAM authentication failed"),
        home.psql("home", "via_iam", "Password-only1"),
    ):
        pass


def test_what_would_change_more_than_the_local_aurora_can_is_refused(home: Region) -> None:
    with refused("NotSupportedByLocalAurora", "upgrade"):
        home.rds.modify_db_cluster(DBClusterIdentifier="home", EngineVersion="17.7")
    with refused("NotSupportedByLocalAurora", "EnableHttpEndpoint=True"):
        home.rds.modify_db_cluster(DBClusterIdentifier="home", EnableHttpEndpoint=True)
